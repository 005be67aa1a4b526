#!/bin/bash
# Logs in through each pooler again and again, as a client does, and says in metrics.txt whether that worked: PgBouncer itself doesn't count the logins that fail.
#
# Environment: POOLERS, each as <name>=<host>; PGUSER, PGDATABASE, PGSSLMODE, PGSSLROOTCERT for psql; PASSWORD, a file; STATE, the folder of
# metrics.txt; SECONDS_BETWEEN, how long to wait between two tries; SECONDS_AT_MOST, how long one may take.
set -u
trap 'exit 0' TERM INT

try() { # HOST
  PGPASSWORD=$(cat "$PASSWORD") PGCONNECT_TIMEOUT=$SECONDS_AT_MOST \
    timeout "$SECONDS_AT_MOST" psql -XAtqh "$1" -c 'select 1' 2>&1
}

while :; do
  {
    echo "# HELP pgplatform_pooler_login Whether a login through the pooler worked, and a statement."
    echo "# TYPE pgplatform_pooler_login gauge"
    for pooler in $POOLERS; do
      answer=$(try "${pooler#*=}")
      worked=1
      [ "$answer" = 1 ] || {
        worked=0
        echo "no login through the pooler ${pooler%%=*}: ${answer:-no answer within $SECONDS_AT_MOST s}" >&2
      }
      echo "pgplatform_pooler_login{pooler=\"${pooler%%=*}\"} $worked"
    done
  } >"$STATE/.logins"
  mv "$STATE/.logins" "$STATE/logins.part"
  cat "$STATE"/*.part >"$STATE/.all-logins" && mv "$STATE/.all-logins" "$STATE/metrics.txt"
  sleep "$SECONDS_BETWEEN" &
  wait $!
done
