# shellcheck shell=sh
# Lists what lies in every store, a line of JSON each (../results.ts): for each archive its newest segment, and why its newest base backup doesn't restore up to
# there; every base backup and every dump, the newest first; and each store that doesn't answer, or not all: what it has may be more then.
#
# Environment: see places.sh; STATE, see watch.sh.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
# shellcheck source=timelines.sh
. /scripts/timelines.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TROUBLE=$work/trouble

number=1
while [ "$number" -le "$TARGETS" ]; do
  name=$(value "TARGET_$number") place=$(value "PLACE_$number") reports=$(value "REPORTS_$number")
  number=$((number + 1))
  : >"$TROUBLE"
  ask lsf --dirs-only "$place" >"$work/archive_ids" 2>/dev/null
  ! why=$(troubled) || json kind refused target "$name" why "$why"
  for archive_id in $(tr -d / <"$work/archive_ids"); do
    at=$place/$archive_id
    : >"$TROUBLE"
    newest=$(newest_segment "$at" 2>/dev/null)
    # Only of the present archive is it known which cluster archives there.
    system='' problem=''
    # shellcheck disable=SC2153 # It is the present one's, in the environment.
    [ "$archive_id" != "${ARCHIVE_ID:-}" ] || [ ! -e "${STATE:-}/database" ] || read -r system _ <"$STATE/database"
    if id=$(finished "$at" "$work/info") && identify "$at" "$id" "$work/info" && histories "$at" "$work/$number-$archive_id" "$id"; then
      problem=$(unrestorable "$work/info" "$work/$number-$archive_id/known" "$(orphan "$at" "$work/$number-$archive_id")" "$system")
    fi
    json kind wal target "$name" archiveId "$archive_id" ${newest:+segment "${newest%%;*}" at "${newest#*;}"} ${problem:+problem "$problem"}
    for id in $(ids "$at"); do
      inform "$at" "$id" "$work/info" || continue
      bytes=$(ask size --json "$(folder "$at" "$id")" 2>/dev/null | sed -nE 's/.*"bytes":([0-9]+).*/\1/p')
      # Some stores list a folder of which only deleted versions are left.
      [ -s "$work/info" ] || [ "${bytes:-0}" != 0 ] || continue
      verdict=$(aside ask cat "$reports/$archive_id/$id.json" 2>/dev/null | sed -nE 's/.*"result": ?"([a-z]+)".*/\1/p')
      json kind base target "$name" archiveId "$archive_id" id "$id" status "$(info "$work/info" status)" \
        begin "$(info "$work/info" begin_time)" end "$(info "$work/info" end_time)" bytes: "$bytes" ${verdict:+verdict "$verdict"}
    done
    for id in $(ask lsf --dirs-only "$at/dumps" 2>/dev/null | tr -d / | sort -r); do
      bytes=$(ask cat "$at/dumps/$id/dump.json" 2>/dev/null | sed -nE 's/.*"bytes": ?([0-9]+).*/\1/p')
      json kind dump target "$name" archiveId "$archive_id" id "$id" bytes: "$bytes"
    done
    # One archive that can't be read, as where its objects were moved to another class of storage, hides no other.
    ! why=$(troubled) || json kind refused target "$name" archiveId "$archive_id" why "$why"
  done
done
