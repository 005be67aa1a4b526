#!/bin/bash
# archive.sh <path of a segment> <its name>: puts a full segment of the write-ahead log into the archive.
#
# It is there under its name only when all of it is on the disk. What is there is never written over: the same content again is fine
# (PostgreSQL asks twice when it was interrupted), other content is an error that must be looked at.
set -eu -o pipefail
target=$ARCHIVE/$2.gz
if [ -e "$target" ]; then
  if gzip -dc "$target" | cmp -s - "$1"; then
    sync "$target" "$ARCHIVE"
    exit 0
  fi
  echo "archive: $target is there and holds something else" >&2
  exit 1
fi
part=$ARCHIVE/.$2.part
gzip -1 -n -c "$1" >"$part"
sync "$part"
mv "$part" "$target"
sync "$ARCHIVE"
