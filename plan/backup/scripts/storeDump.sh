# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # report.sh sets what is read here, and reads what is set.
# Puts a dump beside the backups, and deletes those that are older than the recovery window; read by report.sh with `.`.
#
# Environment: see report.sh; DUMPS, the folder that dump.sh made; WINDOW_DAYS. Set: dump, its id, when it is stored, with dump_bytes; dump_note, why it isn't, or
# why older ones are still there. dump.json is stored last: a dump without it isn't whole.
moment() { date -d "@$1" +%Y%m%dT%H%M%S; }

dump_bytes=$(du -sb "$DUMPS" | cut -f 1)
at=$place/dumps/$(moment "$(cat "$WORK/chosen")")
json base "$backup" bytes: "$dump_bytes" >"$WORK/dump.json"
if rclone copy --checksum --transfers 2 "$DUMPS" "$at" 2>"$WORK/error" && rclone copyto "$WORK/dump.json" "$at/dump.json" 2>"$WORK/error"; then
  dump=${at##*/}
  oldest=$(moment $(($(date +%s) - WINDOW_DAYS * 86400)))
  for id in $(ask lsf --dirs-only "$place/dumps" | tr -d / | awk -v oldest="$oldest" '$0 < oldest'); do
    rclone delete --retries 1 "$place/dumps/$id" 2>"$WORK/error" || dump_note="the dump $id can't be deleted: $(why "$WORK/error")"
  done
else
  dump_note="the dump can't be stored: $(why "$WORK/error")"
fi
