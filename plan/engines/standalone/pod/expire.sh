#!/bin/bash
# expire.sh <identifier of the database cluster> <days of base backups> <days of WAL>: deletes what the archive volume needn't hold any more.
#
# Every moment of the days of WAL can be restored: that needs the newest base backup of before, and all WAL from there on. Older base
# backups have the WAL that they need with them, and are good for the moment at which they ended. The newest one always stays. While there is
# none, WAL is deleted by its age alone. What belonged to other database clusters isn't touched.
#
# Environment: ARCHIVE_VOLUME.
set -eu -o pipefail
log=$ARCHIVE_VOLUME/wal/$1
base=$ARCHIVE_VOLUME/base/$1
[ -d "$log" ] || exit 0

ago() { date -u -d "$1 days ago" +%Y%m%dT%H%M%SZ; }

# A list that can't be read is no empty one: without a base backup WAL goes by its age alone.
names='' backups=()
[ ! -d "$base" ] || names=$(find "$base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' -printf '%f\n' | sort)
[ -z "$names" ] || mapfile -t backups <<<"$names"
if [ ${#backups[@]} = 0 ]; then
  # Files of the timelines' history are small, and every restore needs them.
  find "$log" -type f -name '*.gz' ! -name '*.history.gz' -mtime "+$(($3 - 1))" -delete
  exit 0
fi

begin=$(ago "$3")
first=${backups[0]}
for name in "${backups[@]}"; do
  [[ $name > $begin ]] || first=$name
done
old=$(ago "$2")
for name in "${backups[@]}"; do
  if [[ $name < $old && $name < $first && $name != "${backups[-1]}" ]]; then
    # Half of one must not look like a whole.
    mv "$base/$name" "$base/.gone"
    rm -rf "$base/.gone"
    echo "expire: the base backup $name is deleted" >&2
  fi
done
pg_archivecleanup -x .gz "$log" "$(<"$base/$first/start")"
