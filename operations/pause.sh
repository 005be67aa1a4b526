#!/bin/bash
# Holds the clients of this container's PgBouncer: they wait, and no statement of theirs is sent. It lasts until standard input has a line or ends, as when the
# command that holds it is killed, and $1 seconds at the longest. $2 is the name of the process. PgBouncer pauses on SIGUSR1 (each server
# connection is closed when its transaction ends) and continues on SIGUSR2.
set -u
for process in /proc/[0-9]*; do
  [ "$(cat "$process/comm" 2>/dev/null)" != "$2" ] || pooler=${process#/proc/}
done
[ -n "${pooler:-}" ] || {
  echo "no PgBouncer runs here" >&2
  exit 1
}
trap 'kill -USR2 "$pooler"; echo resumed' EXIT
trap 'exit 2' TERM INT HUP
kill -USR1 "$pooler" && echo paused
read -r -t "$1" _
# More than 128: the time was over before a line came.
[ $? -le 128 ] || exit 3
