# shellcheck shell=bash
# Asks the primary all the time which database cluster it is and what of it isn't archived, and has it archive what waits too long.
#
# A server that was restarted looks at archive_timeout for the first time with its first checkpoint, which may be minutes away: one is asked for then. It is no use for a segment that
# is whole: while a store is away it would only make more WAL.
#
# Environment: STATE, a folder; PG*, how to log in at the primary; ARCHIVE_SECONDS, its archive_timeout. Written: database, one line: the identifier of the
# database cluster, when the oldest write was made that isn't archived, in seconds since 1970, or `none`, and when the primary last said so.
set -u
trap 'exit 0' TERM INT
ask() { psql -XAtqw -F ' ' -v ON_ERROR_STOP=1 2>"$STATE/database.error"; }

# The end of a segment's name, which a promotion doesn't change → when a write was first seen in it.
declare -A written=()
system='' segment='' last='' archived='' forced=0

look() {
  local now next newest name
  read -r system segment next newest < <(ask <<<"
    select system_identifier, pg_walfile_name(pg_current_wal_insert_lsn()), pg_snapshot_xmax(pg_current_snapshot()), coalesce(last_archived_wal, '-')
    from pg_control_system(), pg_stat_archiver") || return
  now=$(date +%s)
  [[ ! $newest =~ ^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?$ || ${newest:8:16} < $archived ]] || archived=${newest:8:16}
  # Every transaction that writes takes a number. What was written before the first look isn't known.
  if [ -n "$last" ] && [ "$next" != "$last" ] && [ -z "${written[${segment:8}]:-}" ]; then written[${segment:8}]=$now; fi
  last=$next
  for name in "${!written[@]}"; do
    [[ $name > $archived ]] || unset "written[$name]"
  done
}

oldest() {
  local name first=none
  for name in "${!written[@]}"; do
    [ "$first" != none ] && [ "${written[$name]}" -ge "$first" ] || first=${written[$name]}
  done
  echo "$first"
}

while :; do
  if look; then
    since=$(oldest) now=$(date +%s)
    echo "$system $since $now" >"$STATE/database.new"
    mv "$STATE/database.new" "$STATE/database"
    if [ "${written[${segment:8}]:-}" = "$since" ] && [ $((now - since)) -gt $((ARCHIVE_SECONDS + 5)) ] && [ $((now - forced)) -ge 30 ]; then
      forced=$now
      echo "a write of $((now - since)) s ago isn't archived: a checkpoint is asked for"
      ask <<<checkpoint || tail -n 1 "$STATE/database.error"
    fi
  fi
  sleep 5 &
  wait $!
done
