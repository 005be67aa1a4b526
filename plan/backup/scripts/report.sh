# shellcheck shell=sh
# Waits for the end of a verification and puts its result beside the backup, as a line of JSON (../results.ts), which it also says, and for monitoring as metrics; ends
# badly when the verification failed, and so does its Job.
#
# Environment: see places.sh; NUMBER, of the target; WORK; EXPIRY_SECONDS, how long deleting old backups may take; WINDOW_DAYS; DUMPS, the folder of a dump that
# is stored too; TO and TO_SECONDS, see choose.sh: such a result has a name of its own, and is no metric.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
while [ ! -e "$WORK/failed" ] && [ ! -e "$WORK/passed" ]; do sleep 0.2; done
end=$(($(date +%s) + EXPIRY_SECONDS))
while [ -e "$WORK/passed" ] && [ ! -e "$WORK/expired" ] && [ "$(date +%s)" -lt "$end" ]; do sleep 0.2; done

name=$(value "TARGET_$NUMBER") place=$(value "PLACE_$NUMBER")/$ARCHIVE_ID reports=$(value "REPORTS_$NUMBER")/$ARCHIVE_ID
backup=$(cat "$WORK/backup" 2>/dev/null)
labels="target=\"$name\",archive_id=\"$ARCHIVE_ID\""
all() { sed -n "s/^$1 //p" "$WORK/result" 2>/dev/null; }
got() { all "$1" | head -n 1; }
result=passed
[ ! -e "$WORK/late" ] || result=late
[ -e "$WORK/passed" ] || result=failed
expiry=$(cat "$WORK/expired" 2>/dev/null || echo none)
[ "$result" = failed ] || [ "$expiry" != none ] || expiry="no answer after $EXPIRY_SECONDS s"
# Tools and stores have called that done which wasn't.
if [ "$expiry" = 'done' ]; then
  TROUBLE=$WORK/trouble
  : >"$TROUBLE"
  left=$(outside "$place" "$WORK/keeps" $(($(cat "$WORK/chosen") - WINDOW_DAYS * 86400))) || left='what the store has now, which it does not say:'
  [ -z "$left" ] || expiry="$left is still there though it was deleted"
fi

failed=0 dump='' dump_bytes=null
dump_note=$(cat "$WORK/undumped" 2>/dev/null)
# shellcheck source=storeDump.sh
[ "$result" = failed ] || [ ! -d "${DUMPS:-}" ] || . /scripts/storeDump.sh
[ -n "$dump" ] || [ -z "$dump_note" ] || failed=1

json kind report target "$name" archiveId "$ARCHIVE_ID" backup "$backup" to "${TO:-}" result "$result" \
  why "$(cat "$WORK/failed" 2>/dev/null || cat "$WORK/late" 2>/dev/null)" note "$(cat "$WORK/note" 2>/dev/null)" at "$(date +%Y-%m-%dT%H:%M:%SZ)" \
  rpoSeconds: "$(got rpo_seconds)" rtoSeconds: "$(got rto_seconds)" bytes: "$(got bytes)" pages: "$(got pages)" segment "$(got segment)" \
  schemas: "$(all schema | json_list)" queries: "$(all query | json_list)" \
  dump "$dump" dumpBytes: "$dump_bytes" dumpNote "$dump_note" expiry "$expiry" >"$WORK/report.json"
cat "$WORK/report.json"

{
  echo "verification_timestamp_seconds{$labels} $(date +%s)"
  echo "verification_passed{$labels} $([ "$result" = passed ] && echo 1 || echo 0)"
} >"$WORK/newest.prom"
{
  echo "verified_timestamp_seconds{$labels} $(date +%s)"
  for key in rpo_seconds rto_seconds bytes; do
    [ -z "$(got $key)" ] || echo "verification_$key{$labels} $(got $key)"
  done
} >"$WORK/passed.prom"
# Of its own: what was dumped once grows old when no dump follows it.
printf 'dump_timestamp_seconds{%s} %s\ndump_bytes{%s} %s\n' "$labels" "$(date +%s)" "$labels" "$dump_bytes" >"$WORK/dump.prom"

store() { ask rcat "$reports/$2" <"$WORK/$1" 2>"$WORK/error" || { echo "the result can't be written: $(why "$WORK/error")"; failed=1; }; }
if [ -n "${TO:-}" ]; then
  [ -z "$backup" ] || store report.json "$backup-to-$TO_SECONDS.json"
  [ "$result" = passed ] && [ "$failed" = 0 ]
  exit
fi
[ -z "$backup" ] || store report.json "$backup.json"
store report.json newest.json
store newest.prom newest.prom
# What is late restores all the same.
if [ "$result" != failed ]; then
  store passed.prom passed.prom
  [ -z "$dump" ] || store dump.prom dump.prom
  # Also after an expiry that failed: what is kept in the store must be released one day.
  [ ! -e "$WORK/keeps" ] || store keeps kept
fi
[ "$result" = passed ] && [ "$failed" = 0 ]
