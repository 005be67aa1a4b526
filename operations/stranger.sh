# shellcheck shell=bash
# Tries to connect to places that no flow lets its pod reach, all at once.
#
# Environment: PLACES, `<host>:<port>` by spaces; CONNECT_SECONDS, how long a connection may take; TRIES, how often one that is made is tried again.
# Printed: `open`, `closed` or `unknown` (the host's name wasn't found) and the place, a line each.
set -u
export LC_ALL=C
ask() { # host port
  local answer
  for ((try = 1; try <= TRIES; try++)); do
    # shellcheck disable=SC2016 # the inner bash expands them
    if ! answer=$(timeout "$CONNECT_SECONDS" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); then
      case $answer in
        *'not known'* | *'name resolution'* | *'No address associated'*) echo "unknown $1:$2" ;;
        *) echo "closed $1:$2" ;;
      esac
      return
    fi
    [ "$try" -eq "$TRIES" ] || sleep 1
  done
  echo "open $1:$2"
}
for place in $PLACES; do ask "${place%:*}" "${place##*:}" & done
wait
