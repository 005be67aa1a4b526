#!/bin/bash
# fetch.sh <WAL file> <where to>: the restore_command of a server that is restored from the object store.
#
# Status 1 says that the archive ends here, and nothing else does: PostgreSQL would take any failure for that, and start without
# the rest. An error is tried again for a while; then the status ends the server, which is started again.
set -u
for ((try = 0; try < 30; try++)); do
  file=$(/bin/bash "${0%/*}/ask.sh" fetch "$1")
  case $? in
    0) cp "$file" "$2" && rm -f "$file" && exit 0 ;;
    1) exit 1 ;;
  esac
  sleep 2
done
exit 255
