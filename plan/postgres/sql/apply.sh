#!/bin/bash
# Applies SQL that may be repeated at any time, and sets the passwords of roles.
#
#   apply.sh <folder of scripts> [<folder of passwords>]
#
# - Scripts are named <order>.<database>.sql and run in the order of their names, each in its database, as superuser: libpq's
#   environment names server and superuser (PGHOST, PGUSER, PGSSLMODE ...).
# - Password files are named as their roles. A password is set only when it doesn't hold yet: the same one set again would get another
#   salt, and PgBouncer's logged-in sessions keep keys that hold for one salt. It reaches the server as a verifier, never as text.
#
# Environment: APPLY_WAIT_SECONDS, how long to wait for a server that takes writes; APPLY_LOGIN, libpq's connection string of the
# login that tells whether a password holds.
set -u -o pipefail

scripts=$1
passwords=${2:-}
export PGCONNECT_TIMEOUT=5 PGAPPNAME=pgplatform-sql
export PGOPTIONS='-c search_path=pg_catalog -c client_min_messages=warning -c lock_timeout=10s -c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic -c pg_stat_statements.track=none'

say() { echo "sql: $*" >&2; }

writable() { [ "$(psql -X -w -A -t -d postgres -c 'SELECT NOT pg_is_in_recovery()' 2>&1)" = t ]; }

for ((second = 0; ; second++)); do
  writable && break
  if [ "$second" -ge "${APPLY_WAIT_SECONDS:-300}" ]; then
    say "no server takes writes: $(psql -X -w -d postgres -c 'SELECT 1' 2>&1 | tail -n 1)"
    exit 1
  fi
  sleep 1
done

for file in "$scripts"/*.sql; do
  name=${file##*/}
  database=${name#*.}
  database=${database%.sql}
  if ! psql -X -w -q -v ON_ERROR_STOP=1 -d "$database" -f "$file"; then
    say "$name failed"
    exit 1
  fi
done
say "roles, databases and what belongs in them are as described"
[ -n "$passwords" ] || exit 0

# Nothing, or why the login fails.
login() { { PGOPTIONS='' PGPASSWORD=$(<"$1") psql -X -w -q -d "$APPLY_LOGIN user=$2 dbname=postgres" -c 'SELECT 1' >/dev/null; } 2>&1; }

# Without a terminal psql asks its standard input for the password, twice.
set_password() {
  local text
  text=$(<"$1")
  printf '%s\n%s\n' "$text" "$text" | setsid -w psql -X -w -q -d postgres -c "\\password \"$2\"" 2>&1
}

failed=0
for file in "$passwords"/*; do
  role=${file##*/}
  has=$(psql -X -w -A -t -d postgres -v "role=$role" <<<"SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = :'role'")
  if [ "$has" = t ]; then
    why=$(login "$file" "$role") && continue
    case $why in
      *'password authentication failed'*) ;;
      # The server counts a role's sessions only when the password was right.
      *'too many connections for role'*) continue ;;
      *)
        say "can't tell whether the password of $role holds: $why"
        failed=1
        continue
        ;;
    esac
  fi
  if ! out=$(set_password "$file" "$role") || ! why=$(login "$file" "$role"); then
    say "the password of $role can't be set: $out ${why:-}"
    failed=1
    continue
  fi
  say "the password of $role is set"
done
exit "$failed"
