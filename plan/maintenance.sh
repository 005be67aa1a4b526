# shellcheck shell=bash
# VACUUM (ANALYZE) of each database as its owner, until the window is over. What autovacuum holds is left to it.
#
# Each argument is one database: <credential>|<owner>|<database>|<key of the user's name>|<key of the password>. Environment: LOGINS, a folder with the
# credentials; WINDOW_SECONDS, how long it may take in all.
set -u
end=$((SECONDS + WINDOW_SECONDS))
done=0 failed=0
for one in "$@"; do
  IFS='|' read -r credential owner PGDATABASE user password < <(echo "$one")
  PGUSER=$(<"$LOGINS/$credential/$user")
  PGPASSWORD=$(<"$LOGINS/$credential/$password")
  left=$((end - SECONDS))
  if [ "$left" -le 0 ]; then
    echo "the window is over before $PGDATABASE"
    continue
  fi
  # Gentle: a manual VACUUM has no pauses by default. A database's owner may go over all tables in it but the server's shared ones.
  PGOPTIONS="-c statement_timeout=${left}s -c lock_timeout=2s -c vacuum_cost_delay=2ms -c role=$owner"
  export PGUSER PGPASSWORD PGDATABASE PGOPTIONS
  started=$SECONDS
  if said=$(psql -XAtqw -v ON_ERROR_STOP=1 -c 'VACUUM (ANALYZE, SKIP_LOCKED)' 2>&1); then
    done=$((done + 1))
    echo "$PGDATABASE: done in $((SECONDS - started)) s"
  elif [ "$SECONDS" -ge "$end" ]; then
    echo "$PGDATABASE: the window is over"
  else
    failed=$((failed + 1))
    echo "$PGDATABASE: ${said##*$'\n'}"
  fi
done
echo "$done of $# databases, $failed failed"
[ "$failed" -eq 0 ]
