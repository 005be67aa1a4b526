#!/bin/sh
# patroni_wait.sh SECONDS COMMAND…: runs a command once this instance is the primary, if it becomes that within so many seconds. Spilo looks
# every minute, this more often.
end=$(($(date +%s) + $1))
shift
until [ "$(psql -XAtq -d postgres -c 'select not pg_is_in_recovery()' 2>/dev/null)" = t ]; do
  [ "$(date +%s)" -lt "$end" ] || exit 2
  sleep 5
done
exec "$@"
