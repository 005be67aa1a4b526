#!/bin/bash
# Gives PostgreSQL's logins the passwords that mounted Secrets say, whose owner is another program.
#
# Each argument is one role: <id>|<role>|<its other login>. $LOGINS/<id> has the files `username` and `password`, which change under the running pod.
#
# - A username is the role or its other login. The one that the Secret names gets the Secret's password, unless it has it: the same one set again would
#   get another salt, and PgBouncer's logged-in sessions keep keys that hold for one salt.
# - The login that isn't named any more stays valid for OVERLAP_SECONDS at least, and until no session uses it, at any instance or pooler. Then it is closed.
#
# libpq's environment names the primary, and the role that may do it. Beside that: CA; INSTANCES, a name with the addresses of all instances, and
# INSTANCES_HOST, which their certificates have; POOLERS, names with the addresses of the poolers' pods, and POOLER_METRICS, their port of metrics; STATE,
# a folder, where `ready` says that each Secret's login works.
set -u

export PGCONNECT_TIMEOUT=5 PGAPPNAME=pgplatform-logins
LOOK_SECONDS=5
# What PostgreSQL has might be another server's one day, that was restored.
AGAIN_SECONDS=60
SAY_SECONDS=600

say() { echo "logins: $*" >&2; }
trap 'exit 0' TERM INT

declare -A content=() checked=() said=() closed=()

# What stays as it is, is said from time to time.
complain() { # id sentence
  pending=yes
  local last=${said[$1]:-}
  if [ "${last#* }" != "$2" ] || [ $((SECONDS - ${last%% *})) -ge "$SAY_SECONDS" ]; then
    said[$1]="$SECONDS $2"
    say "$2"
  fi
}

ask() { timeout 30 psql -XAtqw -v ON_ERROR_STOP=1 -d postgres "$@"; }

# Nothing, or why the login fails. One that acts as another role is told so, where it doesn't yet.
login() { # login password role
  local acts
  acts=$({ PGUSER=$1 PGPASSWORD=$2 timeout 30 psql -XAtqw -d postgres -c 'SELECT current_user'; } 2>&1) || { echo "$acts" && return 1; }
  [ "$acts" = "$3" ] && return
  {
    PGUSER=$1 PGPASSWORD=$2 timeout 30 psql -XAtqw -v ON_ERROR_STOP=1 -d postgres -c "ALTER ROLE CURRENT_USER SET role = '$3'; SET ROLE '$3'" >/dev/null
  } 2>&1
}

# Without a terminal psql asks its standard input for the password, twice.
accept() { # login password
  {
    printf '%s\n%s\n' "$2" "$2" | setsid -w timeout 30 psql -XAtqw -v ON_ERROR_STOP=1 -d postgres -c BEGIN \
      -c "SELECT pgplatform.begin_login('$1')" -c '\password' -c "SELECT pgplatform.accept_login('$1')" -c COMMIT >/dev/null
  } 2>&1
}

# A login gets its password. One that acts as another role is told so first, while its password is a random one: a session that a pooler opens
# before that would make objects of its own.
give() { # login password role
  local unknown
  if [ "$1" != "$3" ] && [ "$(ask -c "SELECT 'role=$3' = ANY (rolconfig) FROM pg_roles WHERE rolname = '$1'" 2>/dev/null)" != t ]; then
    unknown=$(head -c 24 /dev/urandom | base64) && accept "$1" "$unknown" && login "$1" "$unknown" "$3" || return
  fi
  accept "$1" "$2"
}

addresses() { timeout 5 getent ahosts "$1" | while read -r address kind _; do [ "$kind" = STREAM ] && echo "$address"; done | sort -u; }

# Sessions at one instance that aren't a pooler's.
sessions() { # address login poolers
  PGHOST=$INSTANCES_HOST PGHOSTADDR=$1 ask -c "SELECT count(*) FROM pg_stat_activity WHERE usename = '$2'
    AND NOT coalesce(host(client_addr), '') = ANY (string_to_array('$3', ' '))"
}

# Clients of one pooler's pod; those that wait for nothing count too.
clients() { # address login; by itself in a shell, since nothing else ends a connection that is never answered
  local line total='' found=0
  exec 3<>"/dev/tcp/$1/$POOLER_METRICS" || return
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  while IFS= read -r -t 10 line <&3; do
    [[ $line =~ ^pgbouncer_ ]] && total=yes
    if [[ $line =~ ^pgbouncer_pools_client_(active|waiting)_connections\{.*user=\"([^\"]*)\".*\}\ ([0-9]+) ]] && [ "${BASH_REMATCH[2]}" = "$2" ]; then
      found=$((found + BASH_REMATCH[3]))
    fi
  done
  exec 3>&-
  [ -n "$total" ] && echo "$found"
}
export -f clients

# How many use a login; fails, and says why, where that can't be told.
users() { # login
  local pooler address one total=0 pooled='' found
  for pooler in $POOLERS; do
    for address in $(addresses "$pooler"); do
      pooled+="$address "
      one=$(timeout 20 bash -c 'clients "$@"' clients "$address" "$1" 2>/dev/null) || { echo "the pooler's pod $address can't be asked" && return 1; }
      total=$((total + one))
    done
  done
  found=$(addresses "$INSTANCES")
  [ -n "$found" ] || { echo 'no instance is found' && return 1; }
  for address in $found; do
    one=$(sessions "$address" "$1" "${pooled% }" 2>/dev/null) || { echo "the instance $address can't be asked" && return 1; }
    total=$((total + one))
  done
  echo "$total"
}

close_unused() { # id login
  local used
  [ "${closed[$1]:-}" = "$2" ] && return
  [ $(($(date +%s) - $(cat "$STATE/$1.since"))) -ge "$OVERLAP_SECONDS" ] || return
  used=$(ask -c 'SELECT pgplatform.open_logins()' 2>/dev/null) || return
  if ! grep -qxF "$2" <<<"$used"; then
    closed[$1]=$2
    return
  fi
  if ! used=$(users "$2"); then
    complain_old "$1" "$2 stays open: $used"
  elif [ "$used" != 0 ]; then
    complain_old "$1" "$2 stays open: $used sessions use it"
  elif ask -c "SELECT pgplatform.close_login('$2')" >/dev/null; then
    closed[$1]=$2
    say "$2 is closed: no session uses it"
  fi
}

complain_old() { # id sentence; the role's login works all the same
  local before=$pending
  complain "$1.old" "$2"
  pending=$before
}

follow() { # id role other
  local user password now why out
  if [ ! -s "$LOGINS/$1/username" ] || [ ! -s "$LOGINS/$1/password" ]; then
    complain "$1" "the Secret with the login of $2 is missing, or a key of it"
    return
  fi
  user=$(<"$LOGINS/$1/username")
  password=$(<"$LOGINS/$1/password")
  if [ "$user" != "$2" ] && [ "$user" != "$3" ]; then
    complain "$1" "the Secret with the login of $2 names another user than $2 or $3"
    return
  fi
  now=$(cksum "$LOGINS/$1/username" "$LOGINS/$1/password")
  if [ "${content[$1]:-}" != "$now" ] || [ $((SECONDS - checked[$1])) -ge "$AGAIN_SECONDS" ]; then
    if why=$(login "$user" "$password" "$2"); then
      :
    else
      case $why in
        *'password authentication failed'*)
          if ! out=$(give "$user" "$password" "$2") || ! why=$(login "$user" "$password" "$2"); then
            complain "$1" "the password of $user can't be set: ${out:-$why}"
            return
          fi
          say "$user has the password of its Secret"
          ;;
        # The server counts a role's sessions only when the password was right.
        *'too many connections for role'*) ;;
        *)
          complain "$1" "can't tell whether the password of $user holds: $why"
          return
          ;;
      esac
    fi
    content[$1]=$now
    checked[$1]=$SECONDS
    unset "said[$1]"
  fi
  if [ "$(cat "$STATE/$1.login" 2>/dev/null)" != "$user" ]; then
    closed[$1]=''
    date +%s >"$STATE/$1.since"
    echo "$user" >"$STATE/$1.login"
  fi
  if [ "$user" = "$2" ]; then close_unused "$1" "$3"; else close_unused "$1" "$2"; fi
}

while :; do
  pending=''
  for one in "$@"; do
    IFS='|' read -r id role other < <(echo "$one")
    follow "$id" "$role" "$other"
  done
  if [ -z "$pending" ]; then touch "$STATE/ready"; else rm -f "$STATE/ready"; fi
  sleep "$LOOK_SECONDS" &
  wait $!
done
