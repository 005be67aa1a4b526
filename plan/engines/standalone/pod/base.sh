#!/bin/bash
# Puts a base backup onto the archive volume, as <identifier of the database cluster>/<time of its end>: base.tar.gz, the WAL that it needs by
# itself (pg_wal.tar.gz), its manifest, and in the file `start` the first segment that a recovery from it reads.
#
# It is there under its name only when all of it is on the disk. One that would leave less than a tenth of the volume, or 2 GiB, isn't
# begun: WAL goes there too, and a server that can't archive fills the volume of its data.
#
# Environment: ARCHIVE_VOLUME; the server, by libpq's own.
set -eu -o pipefail

say() { echo "base: $*" >&2; }
ask() { psql -X -w -A -t "$@"; }
bytes() { df --block-size=1 --output="$1" "$ARCHIVE_VOLUME" | tail -n 1; }

# The role may be about to be made: the server loads changed files within a minute or so.
until identified=$(ask -d 'replication=true' -c IDENTIFY_SYSTEM 2>&1); do
  if [ "$SECONDS" -ge 300 ]; then
    say "the server refuses the login: $identified"
    exit 1
  fi
  sleep 5
done
folder=$ARCHIVE_VOLUME/base/${identified%%|*}
mkdir -p "$folder"

# One at a time, whichever pod makes it: what is half made then has no owner.
exec 9>>"$folder/.lock"
flock 9
part=$folder/.part
rm -rf "$part"

newest=$(find "$folder" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' | sort | tail -n 1)
if [ -n "$newest" ]; then
  size=$(($(du -sb "$newest" | cut -f1) * 5 / 4))
else
  size=$(ask -d dbname=postgres -c 'SELECT sum(pg_database_size(oid)) FROM pg_database')
fi
kept=$(($(bytes size) / 10))
[ "$kept" -lt $((2 << 30)) ] || kept=$((2 << 30))
if [ $(($(bytes avail) - size)) -lt "$kept" ]; then
  say "the archive volume has $(($(bytes avail) >> 20)) MiB free of $(($(bytes size) >> 20)), the base backup may take $((size >> 20)), and $((kept >> 20)) are kept for WAL:" \
    'raise pgplatform:cluster.storage.archiveSize, or lower backup.volume.baseBackupDays'
  exit 1
fi

say 'copying the server'
pg_basebackup -w --pgdata="$part" --format=tar --compress=client-gzip:1 --wal-method=stream --checkpoint=fast --label=pgplatform
# It is the archive's first member.
tar --occurrence=1 -xzOf "$part/base.tar.gz" backup_label | sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]\{24\}\))$/\1/p' >"$part/start"
if [ ! -s "$part/start" ]; then
  say 'the copy has no label that names a segment'
  exit 1
fi
sync
name=$(date -u +%Y%m%dT%H%M%SZ)
mv "$part" "$folder/$name"
sync "$folder"
say "the base backup $name is on the archive volume: $(($(du -sb "$folder/$name" | cut -f1) >> 20)) MiB"
