# shellcheck shell=sh
# Lists what lies where a restore reads, as list.sh does, and for each base backup of the archive that is asked for what replaying from there takes: lines of
# JSON (../results.ts), of which the last says that these are all. Ends well also when the store doesn't answer: a line says why.
#
# Environment: see places.sh, with the restore's source as its only store; ARCHIVE, the archive that is asked for, or nothing; WAIT_SECONDS, how long the
# store may take to start; WORK, the folder that gets the archive's newest segments, for last.sh.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
TROUBLE=$scratch/trouble
at=$PLACE_1/${ARCHIVE:-}

# replays: for each base backup of the archive what replaying takes; $scratch/segments gets the archive's segments.
replays() {
  ids "$at" | head -n 100 >"$scratch/ids"
  ! grep -q '^base_' "$scratch/ids" || TOOL=walg
  segments "$at" '' >"$scratch/segments" 2>/dev/null
  while read -r id; do
    inform "$at" "$id" "$scratch/info" </dev/null && [ "$(info "$scratch/info" status)" = DONE ] || continue
    case $id in
    base_*) version=$(ask cat "$(mark "$at" "$id")" </dev/null 2>/dev/null | sed -nE 's/.*"PgVersion": ?([0-9]+).*/\1/p') ;;
    *) version=$(info "$scratch/info" version) ;;
    esac
    begin=$(info "$scratch/info" begin_wal)
    count=$(awk -v first="$begin" '$0 "" >= first "" { count++ } END { print count + 0 }' "$scratch/segments")
    seconds=$(aside ask cat "$REPORTS_1/$ARCHIVE/$id.json" </dev/null 2>/dev/null | sed -nE 's/.*"rtoSeconds": ?([0-9]+).*/\1/p')
    json kind replay archiveId "$ARCHIVE" id "$id" major: "${version%????}" segments: "$count" rtoSeconds: "$seconds"
  done <"$scratch/ids"
  ! why=$(troubled) || json kind refused target "$TARGET_1" why "$why"
}

# refused: whether the store, or the archive that is asked for, can't be read.
refused() { awk -v own="\"archiveId\":\"${ARCHIVE:-}\"" '/"kind":"refused"/ && (!/"archiveId":/ || index($0, own)) { found = 1 } END { exit !found }' "$scratch/rows"; }
: >"$scratch/segments"
end=$(($(date +%s) + WAIT_SECONDS))
while
  : >"$TROUBLE"
  sh "${LIST:-/scripts/list.sh}" >"$scratch/rows"
  refused || [ -z "${ARCHIVE:-}" ] || replays >>"$scratch/rows"
  refused && [ "$(date +%s)" -lt "$end" ]
do sleep 2; done
cat "$scratch/rows"
json kind looked target "$TARGET_1"
[ -s "$scratch/segments" ] || exit 0

: >"$TROUBLE"
for segment in $(tail -n 4 "$scratch/segments"); do
  folder=$at/wals/$(echo "$segment" | cut -c 1-16)
  [ "${TOOL:-}" != walg ] || folder=$at/wal_005
  for name in $(ask lsf --files-only "$folder" 2>/dev/null </dev/null | grep -E "^$segment(\.[a-z0-9]+)?\$"); do
    ask cat "$folder/$name" >"$WORK/$name" 2>/dev/null </dev/null || rm -f "$WORK/$name"
  done
done
# Without the newest an older one would be taken for the archive's last.
! troubled >/dev/null || rm -f "$WORK"/*
