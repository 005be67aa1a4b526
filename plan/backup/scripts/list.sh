# shellcheck shell=sh
# Lists every base backup in every store, the newest first, a line each:
# <target>;<archive ID>;<id>;<status>;<begin>;<end>;<bytes>;<verified, failed or nothing>
# for each dump: <target>;<archive ID>;dump;<id>;<bytes>, without bytes when it isn't whole
# and for each archive: <target>;<archive ID>;log;<newest segment>;<its time>, or none
# and for a store that doesn't answer: <target>;refused;<why>
#
# Environment: see places.sh.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number=1
while [ "$number" -le "$TARGETS" ]; do
  name=$(value "TARGET_$number") place=$(value "PLACE_$number")
  number=$((number + 1))
  if ! ask lsf --dirs-only "$place" >"$work/archive_ids" 2>"$work/error"; then
    grep -q 'directory not found' "$work/error" || echo "$name;refused;$(why "$work/error")"
    continue
  fi
  for archive_id in $(tr -d / <"$work/archive_ids"); do
    at=$place/$archive_id
    newest=$(newest_segment "$at" 2>/dev/null)
    echo "$name;$archive_id;log;${newest:-none}"
    for id in $(ids "$at"); do
      inform "$at" "$id" "$work/info" || continue
      bytes=$(ask size --json "$(folder "$at" "$id")" 2>/dev/null | sed -nE 's/.*"bytes":([0-9]+).*/\1/p')
      verdict=$(ask cat "$at/verified/$id.json" 2>/dev/null | sed -nE 's/.*"result": ?"([a-z]+)".*/\1/p')
      echo "$name;$archive_id;$id;$(info "$work/info" status);$(info "$work/info" begin_time);$(info "$work/info" end_time);$bytes;$verdict"
    done
    for id in $(ask lsf --dirs-only "$at/dumps" 2>/dev/null | tr -d / | sort -r); do
      echo "$name;$archive_id;dump;$id;$(ask cat "$at/dumps/$id/dump.json" 2>/dev/null | sed -nE 's/.*"bytes": ([0-9]+).*/\1/p')"
    done
  done
done
