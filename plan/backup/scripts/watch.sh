# shellcheck shell=sh
# Looks into every store twice a minute, and every ten seconds while something is missing there, and says what it saw in two files: metrics.txt for monitoring, and status.txt,
# a line of JSON for each store (../results.ts), for the operations.
#
# WAL-G keeps all WAL in one folder, which stores list in pages of a thousand: it is looked at as rarely as it has pages.
#
# Environment: see places.sh; STATE, the folder of both files.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
trap 'exit 0' TERM INT

gauge() { # NAME MEANING
  printf '# HELP pgplatform_backup_%s %s\n# TYPE pgplatform_backup_%s gauge\n' "$1" "$2" "$1"
}

# newest_seldom NUMBER PLACE: newest_segment, of this round or of one before.
newest_seldom() {
  rounds=$(cat "$STATE/rounds_$1" 2>/dev/null || echo 0)
  if [ "$rounds" -gt 0 ] && [ -s "$STATE/newest_$1" ]; then
    echo $((rounds - 1)) >"$STATE/rounds_$1"
  else
    newest_segment "$2" "$STATE/listed_$1" >"$STATE/newest_$1" 2>/dev/null
    echo $(($(cat "$STATE/listed_$1" 2>/dev/null || echo 0) / 1000)) >"$STATE/rounds_$1"
  fi
  cat "$STATE/newest_$1"
}

# inspect NUMBER: appends to $STATE/seen, one value a line: <metric> <labels> <value>, and to $STATE/status. Sets pause where something is missing.
inspect() {
  name=$(value "TARGET_$1") place=$(value "PLACE_$1")/$ARCHIVE_ID
  labels="target=\"$name\",archive_id=\"$ARCHIVE_ID\""
  bucket=${place%%/*}
  # A store that is away may not even refuse.
  timeout 15 rclone --retries 1 --low-level-retries 1 --contimeout 5s lsf --dirs-only "$bucket" >/dev/null 2>"$STATE/error"
  code=$?
  if [ "$code" != 0 ]; then
    [ -s "$STATE/error" ] || echo "it doesn't answer within 15 s" >"$STATE/error"
    ! grep -q 'directory not found' "$STATE/error" || echo "it has no bucket ${bucket#*:}" >"$STATE/error"
    echo "target_up{$labels} 0" >>"$STATE/seen"
    json kind refused target "$name" why "$(why "$STATE/error")" >>"$STATE/status"
    pause=10
    return
  fi
  newest=$(newest_seldom "$1" "$place")
  echo "target_up{$labels} 1" >>"$STATE/seen"
  set -- kind answers target "$name" archiveId "$ARCHIVE_ID"
  if [ -n "$newest" ]; then
    set -- "$@" wal: "$(json segment "${newest%%;*}" at "${newest#*;}")"
    echo "segment_timestamp_seconds{$labels} $(seconds "${newest#*;}")" >>"$STATE/seen"
  else
    pause=10
  fi
  if id=$(finished "$place" "$STATE/info"); then
    made=$(ask lsf --use-server-modtime --format t "$(mark "$place" "$id")")
    set -- "$@" base: "$(json id "$id" at "$made")"
    echo "base_timestamp_seconds{$labels} $(seconds "$made")" >>"$STATE/seen"
  else
    pause=10
  fi
  json "$@" >>"$STATE/status"
  ask cat "$place/verified" --include '*.prom' 2>/dev/null >>"$STATE/seen"
}

while :; do
  : >"$STATE/seen"
  : >"$STATE/status"
  pause=30
  number=1
  while [ "$number" -le "$TARGETS" ]; do
    inspect "$number"
    number=$((number + 1))
  done
  {
    gauge target_up "Whether the store answers."
    grep '^target_up' "$STATE/seen"
    gauge base_timestamp_seconds "When the newest base backup was finished."
    grep '^base_timestamp' "$STATE/seen"
    gauge segment_timestamp_seconds "When the newest WAL segment was archived."
    grep '^segment_timestamp' "$STATE/seen"
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
  sleep "$pause" &
  wait $!
done
