#!/bin/bash
# Has this pooler hold its clients: they wait, and no statement of theirs is sent. It lasts until standard input has a line or ends, as when the command that
# holds it is killed, and $1 seconds at the longest; then until the server does what the pooler is for. plan/pooler/hold.sh does it.
#
# Environment: POOLER_RUN, as in the pooler's container.
set -u
lines=${POOLER_RUN:-}/away
held=${POOLER_RUN:-}/held
# Looks for so many tenths of a second.
until_done() {
  for ((look = 0; look < 2 * $1; look++)); do
    "$2" && return
    sleep 0.05
  done
  return 1
}
is_held() { [ -e "$held" ]; }
is_over() { [ ! -e "$held" ]; }

[ -p "$lines" ] || {
  echo "no pooler that holds clients runs here" >&2
  exit 1
}
is_over || {
  echo "another command holds its clients" >&2
  exit 1
}
trap 'echo continue >"$lines"' EXIT
trap 'exit 2' TERM INT HUP
echo "hold $1" >"$lines"
until_done 20 is_held || {
  echo "its server is away, and clients wait already" >&2
  exit 1
}
echo paused
read -r -t "$1" _
# More than 128: the time was over before a line came.
[ $? -le 128 ] || exit 3
is_over && exit 3
echo continue >"$lines"
until_done "$(($1 * 10))" is_over || exit 4
trap - EXIT
echo resumed
