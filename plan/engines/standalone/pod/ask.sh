#!/bin/bash
# ask.sh archive|fetch <WAL file>: asks the container that speaks to the object store, and ends with its status. What it says
# about a file that was fetched is where that is.
#
# Environment: STORE_PORT.
set -u
if ! { exec 3<>"/dev/tcp/127.0.0.1/$STORE_PORT"; } 2>/dev/null; then
  echo "ask: the container archiver doesn't answer" >&2
  exit 4
fi
printf '%s %s\n' "$1" "$2" >&3
if ! IFS=' ' read -r -t 180 status said <&3; then
  echo "ask: the container archiver gave no answer to: $1 $2" >&2
  exit 4
fi
[ "$status" = 0 ] || echo "ask: $1 $2: $said" >&2
[ "$status:$1" != 0:fetch ] || echo "$said"
exit "$status"
