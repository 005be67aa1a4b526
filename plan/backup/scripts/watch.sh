# shellcheck shell=sh
# Looks into every store twice a minute, and every ten seconds while something is missing there, and says what it saw in three files: metrics.txt for monitoring, and for the
# operations status.txt, a line of JSON for each store (../results.ts), and writes.txt, one for what isn't archived. A store that counts requests is looked at more rarely, but at
# once where the file `look` is made: the operations do that when they read.
#
# Environment: see places.sh; STATE, the folder of these files, where database.sh puts what it hears; RPO_SECONDS; LISTS_1, how many requests that list objects the first store
# may get in a day, if they are counted there.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
# shellcheck source=timelines.sh
. /scripts/timelines.sh
trap 'exit 0' TERM INT

gauge() { # NAME MEANING
  printf '# HELP pgplatform_backup_%s %s\n# TYPE pgplatform_backup_%s gauge\n' "$1" "$2" "$1"
}

# inspect NUMBER: writes to $STATE/seen-NUMBER, one value a line: <metric> <labels> <value>, and to $STATE/status-NUMBER. Sets missing where something is missing.
inspect() {
  name=$(value "TARGET_$1") place=$(value "PLACE_$1")/$ARCHIVE_ID reports=$(value "REPORTS_$1")/$ARCHIVE_ID
  seen=$STATE/seen-$1 status=$STATE/status-$1 timelines=$STATE/timelines-$1
  labels="target=\"$name\",archive_id=\"$ARCHIVE_ID\""
  bucket=${place%%/*}
  : >"$seen"
  # A store that is away may not even refuse.
  timeout 15 rclone --retries 1 --low-level-retries 1 --contimeout 5s lsf --dirs-only "$bucket" >/dev/null 2>"$STATE/error"
  code=$?
  if [ "$code" != 0 ]; then
    [ -s "$STATE/error" ] || echo "it doesn't answer within 15 s" >"$STATE/error"
    ! grep -q 'directory not found' "$STATE/error" || echo "it has no bucket ${bucket#*:}" >"$STATE/error"
    echo "target_up{$labels} 0" >>"$seen"
    json kind refused target "$name" why "$(why "$STATE/error")" >"$status"
    missing=yes
    return
  fi
  TROUBLE=$STATE/trouble
  : >"$TROUBLE"
  newest=$(newest_segment "$place" 2>/dev/null)
  echo "target_up{$labels} 1" >>"$seen"
  set -- kind answers target "$name" archiveId "$ARCHIVE_ID"
  if [ -n "$newest" ]; then
    set -- "$@" wal: "$(json segment "${newest%%;*}" at "${newest#*;}")"
    echo "segment_timestamp_seconds{$labels} $(seconds "${newest#*;}")" >>"$seen"
  else
    missing=yes
  fi
  if id=$(finished "$place" "$STATE/info"); then
    made=$(uploaded "$place" "$id" 2>/dev/null)
    set -- "$@" base: "$(json id "$id" at "$made")"
    echo "base_timestamp_seconds{$labels} $(seconds "$made")" >>"$seen"
    identify "$place" "$id" "$STATE/info"
    histories "$place" "$timelines" "$id"
    if [ -e "$timelines/known" ]; then
      problem=$(unrestorable "$STATE/info" "$timelines/known" "$(orphan "$place" "$timelines")" "$system")
      [ -z "$problem" ] || set -- "$@" problem "$problem"
      echo "restorable{$labels} $([ -z "$problem" ] && echo 1 || echo 0)" >>"$seen"
    fi
  else
    missing=yes
  fi
  json "$@" >"$status"
  # What isn't there, and what the store didn't say, are two things.
  if why=$(troubled); then
    echo "target_up{$labels} 0" >"$seen"
    json kind refused target "$name" why "$why" >"$status"
    missing=yes
    return
  fi
  aside ask cat "$reports" --include '*.prom' 2>/dev/null >>"$seen"
}

# A look at the primary that is older says nothing of what isn't archived now.
PATIENCE=60
# writes: what the primary has that isn't archived; nothing before it has said so, nor while it doesn't.
writes() {
  if [ $(($(date +%s) - looked)) -gt "$PATIENCE" ]; then
    rm -f "$STATE/writes.txt"
    return
  fi
  waiting=0
  [ "$since" = none ] || waiting=$(($(date +%s) - since))
  echo "unarchived_seconds $waiting" >>"$STATE/seen"
  echo "rpo_seconds $RPO_SECONDS" >>"$STATE/seen"
  json kind writes system "$system" unarchivedSeconds: "$waiting" rpoSeconds: "$RPO_SECONDS" >"$STATE/writes.new"
  mv "$STATE/writes.new" "$STATE/writes.txt"
}

# Requests that list objects in one look: the bucket, two kinds of base backups, the newest one's mark, the folders of WAL twice (timelines.sh) and the newest of them, the results; of
# WAL-G's WAL, which lies in one folder, two for a thousand segments.
LISTS=9
# pause NUMBER: for how many seconds a store isn't looked at again.
pause() {
  eval "allowed=\${LISTS_$1:-}"
  [ "$hurried" -lt "$HURRY" ] && [ "$missing" = yes ] && { echo 10; return; }
  [ -n "$allowed" ] || { echo $((30 * (1 + $(wc -l <"$LISTED") / 1000))); return; }
  spared=$((86400 * (LISTS + 2 * ($(wc -l <"$LISTED") / 1000)) / allowed))
  echo $((spared > 30 ? spared : 30))
}

# Looks in a row at which something was missing: what is missing for long isn't looked for so often.
HURRY=90
hurried=0
LISTED=$STATE/listed
: >"$LISTED"
due() { eval "[ \"\${DUE_$1:-0}\" -le \"$now\" ]"; }
every() { seq 1 "$TARGETS"; }
while :; do
  now=$(date +%s)
  asked=no any_missing=''
  next=$((now + 30))
  system='' since=none looked=0
  [ ! -e "$STATE/database" ] || read -r system since looked <"$STATE/database"
  if [ -e "$STATE/look" ]; then
    rm -f "$STATE/look"
    asked=yes
  fi
  for number in $(every); do
    [ "$asked" = yes ] || due "$number" || continue
    missing=no
    inspect "$number"
    [ "$any_missing" = yes ] || any_missing=$missing
    eval "DUE_$number=$(($(date +%s) + $(pause "$number")))"
  done
  case $any_missing in yes) hurried=$((hurried + 1)) ;; no) hurried=0 ;; esac
  for number in $(every); do cat "$STATE/seen-$number"; done >"$STATE/seen"
  writes
  for number in $(every); do cat "$STATE/status-$number"; done >"$STATE/status"
  {
    gauge target_up "Whether the store answers."
    grep '^target_up' "$STATE/seen"
    gauge base_timestamp_seconds "When the newest base backup was finished."
    grep '^base_timestamp' "$STATE/seen"
    gauge segment_timestamp_seconds "When the newest WAL segment was archived."
    grep '^segment_timestamp' "$STATE/seen"
    gauge restorable "Whether the newest base backup can be restored up to the archive's end, by the timelines there."
    grep '^restorable' "$STATE/seen"
    gauge unarchived_seconds "Age of the oldest write that isn't archived."
    grep '^unarchived_seconds' "$STATE/seen"
    gauge rpo_seconds "How old it may be: backup.rpoMinutes."
    grep '^rpo_seconds' "$STATE/seen"
    gauge verified_timestamp_seconds "When a restore was last tried, and found good."
    grep '^verified_timestamp' "$STATE/seen"
    gauge verification_timestamp_seconds "When a restore was last tried."
    grep '^verification_timestamp' "$STATE/seen"
    gauge verification_passed "Whether it was found good."
    grep '^verification_passed' "$STATE/seen"
    gauge verification_rpo_seconds "Age of the newest transaction that it had."
    grep '^verification_rpo' "$STATE/seen"
    gauge verification_rto_seconds "How long it took until queries were answered."
    grep '^verification_rto' "$STATE/seen"
    gauge verification_bytes "Size of the restored data."
    grep '^verification_bytes' "$STATE/seen"
    gauge dump_timestamp_seconds "When a logical dump was last stored."
    grep '^dump_timestamp' "$STATE/seen"
    gauge dump_bytes "Size of that dump."
    grep '^dump_bytes' "$STATE/seen"
  } | sed '/^#/!s/^/pgplatform_backup_/' >"$STATE/metrics.new"
  mv "$STATE/metrics.new" "$STATE/metrics.txt"
  mv "$STATE/status" "$STATE/status.txt"
  # Between looks a request of the operations is noticed within a second. What isn't archived grows older without a look.
  while [ ! -e "$STATE/look" ] && [ "$(date +%s)" -lt "$next" ]; do
    now=$(date +%s)
    for number in $(every); do ! due "$number" || break 2; done
    sleep 1 &
    wait $!
  done
done
