# shellcheck shell=bash
# Logs in with each new password, as applications will: directly, and through the poolers. A login that acts as another role is told so first.
#
# Each argument is one login: <credential>|<role whose rights it has>|<database>|<primary>|<further hosts, by commas>. Names and
# passwords are in $LOGINS/<credential>. Environment: LOGINS, a folder; WAIT_SECONDS, how long each may take until it works.
set -u

ask() { # host statement
  PGHOST=$1 psql -XAtqw -v ON_ERROR_STOP=1 -c "$2" 2>&1
}

until_done() { # host statement
  for ((second = 0; second < WAIT_SECONDS; second++)); do
    answer=$(ask "$1" "$2") && [ "$answer" = "$role" ] && return
    sleep 1
  done
  echo "$PGUSER can't log in at $1: $answer"
  exit 1
}

for login in "$@"; do
  IFS='|' read -r credential role PGDATABASE primary hosts < <(echo "$login")
  PGUSER=$(<"$LOGINS/$credential/username")
  PGPASSWORD=$(<"$LOGINS/$credential/password")
  export PGUSER PGPASSWORD PGDATABASE
  if [ "$PGUSER" != "$role" ]; then
    until_done "$primary" "SET ROLE NONE; ALTER ROLE CURRENT_USER SET role = '$role'; SET ROLE '$role'; SELECT current_user"
  fi
  for host in "$primary" ${hosts//,/ }; do
    until_done "$host" 'SELECT current_user'
    echo "$PGUSER logs in at $host as $role"
  done
done
