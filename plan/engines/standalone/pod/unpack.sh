#!/bin/bash
# unpack.sh <folder> <WAL file> <where to>: the restore_command of a server that is restored from its archive volume.
#
# Status 1 says that the archive ends here; what is there and can't be read ends the server (see fetch.sh).
set -u
[ -e "$1/$2.gz" ] || exit 1
gzip -dc "$1/$2.gz" >"$3" || exit 255
