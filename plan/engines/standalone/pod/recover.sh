#!/bin/bash
# Decides what a server with an empty data volume begins with, where its archive volume has base backups: a new, empty database would
# hide the loss. An operator decides by a line in the file `restore` of the archive volume:
#
#   new          nothing is restored: an empty database cluster
#   latest       the newest that was archived
#   <time>       what was committed until then, such as 2026-01-31T23:59:00Z
#
# Ends when the data are at $PGDATA for a recovery, or when it is to be a new one.
#
# Environment: PGDATA, ARCHIVE_VOLUME, CONFIG.
set -u

say() { echo "recover: $*" >&2; }
trap 'exit 1' TERM INT

list() { find "$ARCHIVE_VOLUME/base" -mindepth 2 -maxdepth 2 -type d -name '[0-9]*Z' -printf '%f %p\n' 2>/dev/null | sort; }

decision=$ARCHIVE_VOLUME/restore
for ((second = 0; ; second++)); do
  if [ -s "$decision" ]; then
    what=$(head -n 1 "$decision")
    case $what in
      new | latest) break ;;
      *) moment=$(date -u -d "$what" +%Y%m%dT%H%M%SZ 2>/dev/null) && break ;;
    esac
    [ $((second % 60)) != 0 ] || say "$decision says '$what': it must be new, latest, or a time such as 2026-01-31T23:59:00Z"
  elif [ $((second % 60)) = 0 ]; then
    say "the data volume is empty, and the archive volume has base backups ($(list | cut -d' ' -f1 | xargs)): write new, latest or a time into $decision"
  fi
  sleep 1 &
  wait $!
done
[ "$what" != new ] || exit 0
found=$(list | awk -v moment="${moment:-9}" '$1 <= moment' | tail -n 1 | cut -d' ' -f2)
if [ -z "$found" ]; then
  say "no base backup ended before $what: there are $(list | cut -d' ' -f1 | xargs)"
  mv -f "$decision" "$decision.refused"
  exit 1
fi
say "restoring $found"
new=$PGDATA.new
id=${found%/*}
rm -rf "$new"
mkdir -m 0700 "$new" &&
  tar -C "$new" -xzf "$found/base.tar.gz" &&
  mkdir -p "$new/pg_wal" &&
  tar -C "$new/pg_wal" -xzf "$found/pg_wal.tar.gz" || exit 1
{
  echo "restore_command = '/bin/bash $CONFIG/unpack.sh $ARCHIVE_VOLUME/wal/${id##*/} \"%f\" \"%p\"'"
  echo "recovery_target_timeline = 'latest'"
  echo "recovery_target_action = 'promote'"
  # No session is served meanwhile, so that no parameter may be too small for one.
  echo "hot_standby = 'off'"
  [ "$what" = latest ] || echo "recovery_target_time = '$(date -u -d "$what" '+%F %T.%6N+00')'"
} >"$new/postgresql.auto.conf"
touch "$new/recovery.signal"
sync
mv "$new" "$PGDATA"
sync
say 'the server recovers from here'
