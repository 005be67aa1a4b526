#!/bin/bash
# archive.sh <path of a segment> <its name>: puts a full WAL segment into the archive, and where there is an object store,
# there too: it is archived when it is in both.
#
# It is on the volume under its name only when all of it is on the disk. What is there is never written over: the same content again is fine
# (PostgreSQL asks twice when it was interrupted), other content is an error that must be looked at.
#
# Environment: ARCHIVE, the folder; STORE_PORT, empty where there is no store.
set -eu -o pipefail
target=$ARCHIVE/$2.gz
if [ -e "$target" ]; then
  if ! gzip -dc "$target" | cmp -s - "$1"; then
    echo "archive: $target is there and holds something else" >&2
    exit 1
  fi
  sync "$target" "$ARCHIVE"
else
  part=$ARCHIVE/.$2.part
  gzip -1 -n -c "$1" >"$part"
  sync "$part"
  mv "$part" "$target"
  sync "$ARCHIVE"
fi
[ -z "${STORE_PORT:-}" ] || exec /bin/bash "${0%/*}/ask.sh" archive "$2"
