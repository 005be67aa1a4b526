# shellcheck shell=bash
# Writes a row into the live database and waits until the WAL that holds it is archived: the restore that follows must have it.
#
# Environment: WORK, the folder that the verification's containers share; PG*, how to log in at the primary; RPO_MINUTES; PATIENCE_SECONDS, how much longer the archive may take;
# VALUE, of the row. Written: segment, where the row is; system, the identifier of the database cluster; late, when the archive had the row later than RPO_MINUTES.
# TO: a moment to restore to, for which no row is needed. A database that can't be written to is no reason against a restore: then only the result says so.
set -u
[ -z "${TO:-}" ] || exit 0
ask() { psql -XAtqw -v ON_ERROR_STOP=1 -v "value=$VALUE" 2>"$WORK/error"; }

# Past its commit: later WAL isn't needed.
if ! at=$(ask <<<"insert into pgplatform.heartbeat (value) values (:'value'); select pg_walfile_name(pg_current_wal_insert_lsn());"); then
  echo "no row was written: $(tail -n 1 "$WORK/error")" | tee "$WORK/note"
  exit 0
fi
ask >"$WORK/system" <<<"select system_identifier from pg_control_system()" || rm -f "$WORK/system"
echo "row $VALUE written; its WAL is in $at"
echo "$at" >"$WORK/segment"

# A server that has just started looks at archive_timeout for the first time with its first checkpoint: after checkpoint_timeout, unless the watcher may ask for one.
begin=$SECONDS
while [ $((SECONDS - begin)) -lt $((RPO_MINUTES * 60 + PATIENCE_SECONDS)) ]; do
  archived=$(ask <<<"select last_archived_wal from pg_stat_archiver")
  if [[ ${archived:0:24} > $at || ${archived:0:24} == "$at" ]]; then
    echo "archived until ${archived:0:24}"
    [ $((SECONDS - begin)) -le $((RPO_MINUTES * 60)) ] ||
      echo "the RPO is missed: a row was archived after $((SECONDS - begin)) s, and backup.rpoMinutes is $RPO_MINUTES" | tee "$WORK/late"
    exit 0
  fi
  sleep 1
done
echo "a row is not archived after $((SECONDS - begin)) s: the newest archived segment is ${archived:-none}, the row is in $at" | tee "$WORK/failed"
