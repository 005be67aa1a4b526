# shellcheck shell=sh
# Functions for the scripts that look into the stores with rclone; read by them with `.`.
#
# Environment: TARGETS, how many stores there are; for each of them, by its number, TARGET_1, its name, PLACE_1, where the backups of
# the cluster lie as rclone names it, and REPORTS_1, where the platform keeps what was found out about them; ARCHIVE_ID, the one that the cluster archives as. In a place
# there is a folder for each archive, in which Barman's cloud tools keep base/<id>/ and wals/<first 16 digits>/<segment>[.gz]. WAL-G, in Spilo,
# keeps basebackups_005/<id>/, beside it <id>_backup_stop_sentinel.json, which it writes last, and wal_005/<segment>[.br]. What is in a place may be locked: it is written once,
# and what is written again and again is in REPORTS_1.

export TZ=UTC

# value NAME: of the variable with this name.
value() { eval "printf '%s' \"\${$1}\""; }

# ask ARGUMENTS: rclone, which repeats little: the caller asks again later. What isn't there is no trouble (3 and 4 by rclone); what else the store
# doesn't answer, the first line of the file TROUBLE says: after that nothing that a function here found missing is known to be missing.
ask() {
  said=$(mktemp) answer=0
  rclone --retries 1 --low-level-retries 2 --contimeout 5s --timeout 20s "$@" 2>"$said" || answer=$?
  cat "$said" >&2
  case $answer in
  0 | 3 | 4) ;;
  *) { why "$said" | grep . || echo "rclone $1 ended with $answer"; } >>"${TROUBLE:-/dev/null}" ;;
  esac
  rm -f "$said"
  return "$answer"
}

# aside COMMAND…: for what the caller can do without, whose trouble is none.
# shellcheck disable=SC2030 # It is meant to be.
aside() (TROUBLE=/dev/null && "$@")

# troubled: says what the store didn't answer since $TROUBLE was emptied, if anything.
# shellcheck disable=SC2031 # See before.
troubled() { head -n 1 "${TROUBLE:-/dev/null}" | grep .; }

# why FILE: what rclone said last, in one line without its date.
why() {
  { sed -n '/Failed to/,$p' "$1" | grep . || tail -n 1 "$1"; } | tr -s '\t\n ' '   ' |
    sed -E 's/^[0-9/]+ [0-9:]+ //; s/^(ERROR|NOTICE|CRITICAL) *: //; s/Failed to [a-z]+( with [0-9]+ errors?)?: (last error was: )?//; s/, (request|host) id: .*//; s/ $//' | cut -c 1-300
}

# seconds TIME: since 1970, of a time as rclone's listings have it.
seconds() { date -d "$1" +%s; }

# info FILE KEY: a value in a backup.info.
info() { sed -n "s/^$2=//p" "$1" | head -n 1; }

# ids PLACE: of the base backups at a place, the newest first, finished or not; WAL-G's begin with base_.
ids() { { ask lsf --dirs-only "$1/base" || :; ask lsf --dirs-only "$1/basebackups_005"; } 2>/dev/null | tr -d / | sort -r; }

# mark PLACE ID: the object that says how far a base backup is.
mark() {
  case $2 in
  base_*) echo "$1/basebackups_005/$2_backup_stop_sentinel.json" ;;
  *) echo "$1/base/$2/backup.info" ;;
  esac
}

# folder PLACE ID: where a base backup lies.
folder() {
  case $2 in
  base_*) echo "$1/basebackups_005/$2" ;;
  *) echo "$1/base/$2" ;;
  esac
}

# uploaded PLACE ID: when it was called finished in this store; in a copy that is when it was copied.
uploaded() { ask lsf --use-server-modtime --format t "$(mark "$1" "$2")"; }

# moment FILE KEY: a time in a sentinel of WAL-G's, as rclone's listings have it.
moment() { sed -nE "s/.*\"$2\": ?\"([0-9-]{10})T([0-9:]{8})[^\"]*Z\".*/\1 \2/p" "$1" | head -n 1; }

# inform PLACE ID FILE: puts what is known of a base backup into the file, as a backup.info has it.
inform() {
  case $2 in
  base_*)
    ask cat "$(mark "$1" "$2")" >"$3" 2>/dev/null || return
    begun=$(moment "$3" StartTime) ended=$(moment "$3" FinishTime) begin=${2#base_}
    [ -n "$ended" ] || ended=$(uploaded "$1" "$2" 2>/dev/null)
    [ -n "$ended" ] || return
    printf '%s\n' status=DONE "begin_wal=${begin%%_*}" "begin_time=${begun:-$ended}" "end_time=$ended" >"$3"
    ;;
  *) ask cat "$(mark "$1" "$2")" >"$3" 2>/dev/null ;;
  esac
}

# finished PLACE FILE [SECONDS]: id of the newest base backup that is whole, and was before that time since 1970; what is known of it is put
# into the file. BASE_TIME=uploaded: and was in this store before it.
finished() {
  for id in $(ids "$1"); do
    inform "$1" "$id" "$2" && [ "$(info "$2" status)" = DONE ] || continue
    [ -z "${3:-}" ] || [ "$(seconds "$(info "$2" end_time | cut -c 1-19)")" -lt "$3" ] || continue
    [ -z "${3:-}" ] || [ "${BASE_TIME:-}" != uploaded ] || [ "$(seconds "$(uploaded "$1" "$id")")" -lt "$3" ] || continue
    echo "$id"
    return
  done
  return 1
}

# outside PLACE KEPT SECONDS: what is there and needn't be for any moment since that time: the first base backup, or segment of WAL-G's, that is older than the one with
# which that time begins, but for the ids in the file KEPT. Nothing where all that is gone; ends badly where the store doesn't say.
outside() {
  known=$(mktemp)
  inside=$(finished "$1" "$known" "$3") || { ! troubled >/dev/null; return; }
  all=$(ids "$1") && [ -n "$all" ] || return 1
  case $inside in
  # WAL-G deletes from whole ones back: a difference needs all since the one that it begins with.
  base_*) inside=$(echo "$all" | awk -v inside="$inside" '$0 "" <= inside "" && !/_D_/ { print; exit }') ;;
  esac
  for old in $(echo "$all" | awk -v inside="$inside" 'inside != "" && $0 "" < inside ""' | grep -vxF -f "$2"); do
    # What was never finished no tool takes for a backup.
    inform "$1" "$old" "$known" && [ "$(info "$known" status)" = DONE ] || continue
    rm -f "$known"
    echo "the base backup $old"
    return
  done
  rm -f "$known"
  case $inside in
  base_*)
    begin=$(echo "$inside" | cut -c 14-29)
    ask lsf --files-only "$1/wal_005" | sed -nE 's/^([0-9A-F]{24})(\.[a-z0-9]+)?$/\1/p' | awk -v begin="$begin" 'substr($0, 9) "" < begin ""' | sort | head -n 1 | sed 's/^/the segment /'
    ;;
  esac
  ! troubled >/dev/null
}

# reachable: of the names on standard input, segments or folders of them, those that a restore can reach: of timelines whose history is there too, and of the
# oldest. A major upgrade may leave the former cluster's last segment in the new archive, on a higher timeline. Compared as texts: of digits alone awk would make
# numbers that it can't tell apart.
reachable() {
  awk '
    { timeline = substr($0, 1, 8) }
    /history/ { has[timeline] = 1; next }
    { names[++count] = $0 }
    count == 1 || timeline "" < oldest "" { oldest = timeline }
    END { for (at = 1; at <= count; at++) if (substr(names[at], 1, 8) "" == oldest "" || substr(names[at], 1, 8) in has) print names[at] }'
}

# segments PLACE FIRST: names of the archived segments from that one on, sorted; the newest timeline's are the last ones. TOOL: whose.
segments() {
  if [ "${TOOL:-}" = walg ]; then ask lsf --files-only "$1/wal_005"; else barman_segments "$@"; fi |
    sed -nE 's/^([0-9A-F]{24})(\.(gz|lz4|zst|bz2|xz|snappy|br|lzma))?$/\1/p; s/^([0-9A-F]{8}\.history).*/\1/p' | reachable | sort |
    awk -v first="$2" '$0 "" >= first "" && substr($0, 9) "" >= substr(first, 9) ""'
}
barman_segments() {
  for folder in $(ask lsf "$1/wals" | sort); do
    case $folder in
    *.history*) echo "$folder" ;;
    */)
      folder=${folder%/}
      [ "$(printf '%s\n' "$folder" "$2" | sort | head -n 1)" = "$folder" ] && [ "$folder" != "$(echo "$2" | cut -c 1-16)" ] && continue
      ask lsf --files-only "$1/wals/$folder" || return
      ;;
    esac
  done
}

# newest_segment PLACE: `<name>;<time>` of the newest one, or nothing. LISTED: a file for all that was listed for that.
newest_segment() {
  folder=$(ask lsf "$1/wals" | sed -nE 's,^([0-9A-F]{16})/$,\1,p; s/^([0-9A-F]{8}\.history).*/\1/p' | reachable | sort | tail -n 1)
  folder=${folder:+wals/$folder}
  ask lsf --files-only --use-server-modtime --format pt "$1/${folder:-wal_005}" | tee "${LISTED:-/dev/null}" |
    sed -nE 's/^([0-9A-F]{24})(\.[a-z0-9]+)?;/\1;/p; s/^([0-9A-F]{8}\.history).*/\1/p' | reachable | sort | tail -n 1
}
