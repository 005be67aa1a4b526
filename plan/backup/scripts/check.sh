# shellcheck shell=bash
# Starts a server on the restored files, lets it replay all WAL, and checks that nothing is missing or damaged.
#
# Environment: WORK and DATA, folders; LIBRARIES, that the server preloads; VALUE, of the row that was written; QUERIES, a folder with a file
# <database>.<name> for each question that must be answered with `t`; PATIENCE_SECONDS, how long the WAL may take; DUMPS, the folder of a dump that is wanted;
# TO and TO_SECONDS, see choose.sh; PROGRAMS, where PostgreSQL's are in an image of several versions.
# Written: passed or failed, expired when nothing is to be deleted after this, and result, `<key> <value>` a line.
set -u -o pipefail
umask 077
export PATH=${PROGRAMS:+$PROGRAMS:}$PATH
export PGHOST=$WORK PGUSER=postgres PGDATABASE=postgres LC_ALL=C
fail() {
  echo "$*" >"$WORK/failed"
  tail -n 30 "$WORK/postgres.log" 2>/dev/null
  echo "$*"
  exit 0
}
# However this ends, the report must not wait for it.
at_end() {
  pg_ctl -D "$DATA" -m immediate stop >/dev/null 2>&1
  [ -e "$WORK/passed" ] || [ -e "$WORK/failed" ] || echo "the check was ended before it was done" >"$WORK/failed"
}
put() { echo "$*" | tee -a "$WORK/result"; }
ask() { PGDATABASE=$1 psql -XAtqw -v ON_ERROR_STOP=1 2>"$WORK/error"; }
databases() { ask postgres <<<"select datname from pg_database where datallowconn and datname <> 'template1' order by 1"; }
# Newer versions begin and end the text with a random word.
schema() { PGDATABASE=$1 pg_dump --schema-only 2>"$WORK/error" | grep -vE '^\\(un)?restrict ' | sha256sum | cut -c 1-16; }

[ ! -e "$WORK/failed" ] || exit 0
trap at_end EXIT
trap 'exit 1' TERM INT
: >"$WORK/fetched"
chmod 700 "$DATA"
# The WAL may have been on a volume of its own.
rm -rf "$DATA/pg_wal" "$DATA"/{postmaster.pid,standby.signal,postgresql.auto.conf}
mkdir "$DATA/pg_wal"
: >"$DATA/postgresql.auto.conf"
: >"$DATA/recovery.signal"
echo "local all all trust" >"$WORK/pg_hba.conf"
cat >"$WORK/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$WORK'
hba_file = '$WORK/pg_hba.conf'
ident_file = '$WORK/pg_ident.conf'
shared_preload_libraries = '$LIBRARIES'
restore_command = 'sh /scripts/restoreCommand.sh %f "%p"'
recovery_target_timeline = 'latest'
# Without queries before the end the primary's limits needn't be met.
hot_standby = off
max_prepared_transactions = 100
max_locks_per_transaction = 256
archive_mode = off
autovacuum = off
# A node's huge pages are the instances': without a limit of its own a pod is killed when it touches them.
huge_pages = off
# The restored copy's jobs are the primary's to run; a server without pg_cron takes the line too.
cron.launch_active_jobs = off
# Jobs of a database's own would change what is looked at.
timescaledb.max_background_workers = 0
# These files are deleted once they are checked.
fsync = off
full_page_writes = off
CONF
# PostgreSQL itself refuses to end before the moment; it reads its settings before it knows what Z is.
[ -z "${TO:-}" ] || printf "recovery_target_time = '%s'\nrecovery_target_action = promote\n" "${TO/%Z/+00:00}" >>"$WORK/postgresql.conf"
: >"$WORK/pg_ident.conf"

# Queries are answered when all WAL is replayed.
postgres -D "$DATA" -c "config_file=$WORK/postgresql.conf" >"$WORK/postgres.log" 2>&1 &
server=$!
until pg_isready -q || ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -gt "$PATIENCE_SECONDS" ]; do sleep 0.2; done
pg_isready -q || {
  [ ! -e "$WORK/unfetched" ] || fail "the WAL can't be replayed: $(tail -n 1 "$WORK/unfetched")"
  fail "the restored server doesn't start: $(grep -E 'FATAL|PANIC' "$WORK/postgres.log" | tail -n 1 | sed 's/.*\(FATAL\|PANIC\): *//')"
}
put "rto_seconds $(($(date +%s) - $(<"$WORK/started")))"

# PostgreSQL takes the first segment that is missing or damaged for the end of the WAL.
broken=$(grep -E 'data checksum in record|incorrect prev-link|invalid magic number|unexpected pageaddr' "$WORK/postgres.log" | head -n 1 | sed 's/.*LOG: *//')
newest=$(tail -n 1 "$WORK/segments")
if [ -n "${TO:-}" ]; then
  newest=$(grep -E '^[0-9A-F]{24}$' "$WORK/fetched" | sort | tail -n 1)
elif ! grep -qx "$newest" "$WORK/fetched"; then
  last=$(grep -E '^[0-9A-F]{24}$' "$WORK/fetched" | sort | tail -n 1)
  next=$(awk -v last="$last" '$0 "" > last ""' "$WORK/segments" | head -n 1)
  [ -z "$broken" ] || fail "the segment $last is damaged: $broken"
  fail "a segment behind $last is missing: the archive continues with $next, up to $newest"
fi
[ -z "$broken" ] || fail "the segment $newest is damaged: $broken"
put "segment $newest"

last=$(ask postgres <<<"select extract(epoch from pg_last_xact_replay_timestamp())::bigint") || fail "the restored server doesn't answer: $(<"$WORK/error")"
wanted=${TO_SECONDS:-$(<"$WORK/chosen")}
[ -z "$last" ] || put "rpo_seconds $((wanted > last ? wanted - last : 0))"

if [ -e "$WORK/segment" ]; then
  found=$(ask "$HOME_DATABASE" <<<"select count(*) from pgplatform.heartbeat where value = '$VALUE'")
  [ "$found" = 1 ] || fail "the row that was written before isn't there, though its WAL was replayed"
fi

pg_amcheck --all --install-missing >"$WORK/amcheck.log" 2>&1 || fail "pg_amcheck finds damage: $(grep -v '^ *$' "$WORK/amcheck.log" | head -n 2 | tr -s '\n ' ' ' | cut -c 1-300)"

all=$(databases) || fail "the databases can't be listed: $(tail -n 1 "$WORK/error")"
while IFS= read -r database; do
  sum=$(schema "$database") ||
    fail "the database $database can't be dumped: $(tail -n 1 "$WORK/error")"
  put "schema $database $sum"
done <<<"$all"
put "bytes $(ask postgres <<<"select sum(pg_database_size(oid)) from pg_database")"

for query in "$QUERIES"/*; do
  [ -e "$query" ] || continue
  name=${query##*/}
  answer=$(ask "${name%%.*}" <"$query") || fail "the query ${name#*.} fails: $(head -n 1 "$WORK/error")"
  [ "$answer" = t ] || fail "the query ${name#*.} answers ${answer:-nothing} in place of t"
  put "query ${name#*.}"
done

# shellcheck source=dump.sh
[ -n "${TO:-}" ] || [ -z "${DUMPS:-}" ] || . /scripts/dump.sh

pg_ctl -D "$DATA" -m fast -w stop >/dev/null || fail "the restored server doesn't stop"
if pg_controldata -D "$DATA" | grep -qE 'page checksum version: +[1-9]'; then
  pg_checksums --check -D "$DATA" >"$WORK/checksums.log" 2>&1 || fail "pages are damaged: $(grep -E 'failed' "$WORK/checksums.log" | head -n 1 | cut -c 1-300)"
  put "pages $(sed -nE 's/^Blocks scanned: +//p' "$WORK/checksums.log")"
fi
# Only the newest is a reason to delete what is older.
[ -z "${TO:-}" ] || echo "not after a restore to a moment" >"$WORK/expired"
: >"$WORK/passed"
