#!/bin/sh
# on_role_change.sh ACTION ROLE CLUSTER: Patroni's callback. A new primary gets Spilo's roles and extensions again once it has ended recovery.
case $2 in primary | master) ;; *) exit 0 ;; esac
tries=30
until [ "$(psql -XAtq -d postgres -c 'select not pg_is_in_recovery()' 2>/dev/null)" = t ]; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || exit 0
  sleep 1
done
exec /scripts/post_init.sh
