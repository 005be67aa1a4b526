# shellcheck shell=sh
# Whether the newest base backup of an archive can be restored up to the archive's end; read with `.` after places.sh.
#
# PostgreSQL restores to the newest timeline: from the base backup's it tries the next numbers, as long as the archive has their history. That one
# must say that it left the base backup's timeline after the backup's end. Histories of two database clusters in one archive don't: a major
# upgrade begins timeline 1 again.

# histories PLACE FOLDER ID: puts what the archive's histories say into FOLDER/known, a line each: `<timeline> <its parent> <where it left that>` for each
# ancestor, `<timeline> ?` for a history that can't be read here. They are fetched again only when the archive has others than before. ID: of a base backup there.
histories() {
  mkdir -p "$2"
  case $3 in base_*) log=wal_005 ;; *) log=wals ;; esac
  ask lsf --use-server-modtime --format pst "$1/$log" >"$2/names" 2>/dev/null
  sed -nE "s|^([0-9A-F]{8}\.history(\.[a-z0-9]+)?;.*)|$log/\1|p" "$2/names" | sort >"$2/listing.new"
  if [ -e "$2/known" ] && cmp -s "$2/listing" "$2/listing.new"; then return; fi
  : >"$2/known.new"
  while IFS= read -r line; do
    object=${line%%;*}
    name=${object##*/}
    case $name in
    *.history) through='cat' ;;
    *.gz) through='gzip -dc' ;;
    # This image can read no others.
    *) through='' ;;
    esac
    if [ -z "$through" ]; then
      echo "${name%%.*} ?"
    else
      ask cat "$1/$object" 2>/dev/null </dev/null >"$2/object" && $through "$2/object" >"$2/text" 2>/dev/null || return
      # A comment behind the place is for people.
      sed -nE "s|^[[:space:]]*([0-9]+)[[:space:]]+([0-9A-Fa-f]+/[0-9A-Fa-f]+).*|${name%%.*} \1 \2|p" "$2/text"
    fi
  done <"$2/listing.new" >>"$2/known.new"
  mv "$2/known.new" "$2/known"
  mv "$2/listing.new" "$2/listing"
}

# identify PLACE ID INFO: adds to what is known of a base backup by WAL-G of which database cluster it is, and where it ended; Barman says both by itself.
identify() {
  case $2 in base_*) ;; *) return ;; esac
  ask cat "$(mark "$1" "$2")" 2>/dev/null | sed 's|[,{}]|\n|g' | awk -F : '
    { gsub(/[" \t]/, "") }
    $1 == "SystemIdentifier" && $2 ~ /^[0-9]+$/ { print "systemid=" $2 }
    $1 == "FinishLSN" && $2 ~ /^[0-9]+$/ { high = int($2 / 4294967296); printf "end_xlog=%X/%X\n", high, $2 - high * 4294967296 }' >>"$3"
}

# orphan PLACE FOLDER: the newest segment of a timeline that a restore can't reach, after `histories`; nothing where there is none.
orphan() {
  sed -E 's/;.*//' "$2/names" | sed -nE 's,^([0-9A-F]{16})/$,\1,p; s/^([0-9A-F]{24})(\..*)?$/\1/p; s/^([0-9A-F]{8}\.history).*/\1/p' >"$2/all"
  reachable <"$2/all" >"$2/reached"
  lost=$(sort "$2/reached" "$2/all" | uniq -u | grep -v history | tail -n 1)
  case $lost in
  ????????????????) ask lsf --files-only "$1/wals/$lost" 2>/dev/null | sed -nE 's/^([0-9A-F]{24})(\..*)?$/\1/p' | sort | tail -n 1 ;;
  ?*) echo "$lost" ;;
  esac
}

# unrestorable INFO KNOWN [SEGMENT] [SYSTEM]: why the base backup that INFO describes, the newest, doesn't restore up to the archive's end, a sentence;
# nothing where it does. SEGMENT: the newest of a timeline that can't be reached; SYSTEM: the identifier of the database cluster that runs.
unrestorable() {
  timeline=$(info "$1" timeline)
  # Of WAL-G's only the name says it.
  begin=$(info "$1" begin_wal)
  [ -n "$timeline" ] || [ -z "$begin" ] || timeline=$(echo "$begin" | cut -c 1-8)x
  awk -v base="$timeline" -v begin="$begin" -v end="$(info "$1" end_xlog)" -v of="$(info "$1" systemid)" -v segment="${3:-}" -v runs="${4:-}" '
    function hex(text,    at, number) {
      for (at = 1; at <= length(text); at++) number = number * 16 + index("0123456789ABCDEF", substr(text, at, 1)) - 1
      return number + 0
    }
    function place(lsn,    parts) {
      split(toupper(lsn), parts, "/")
      return substr("00000000" parts[1], length(parts[1]) + 1) substr("00000000" parts[2], length(parts[2]) + 1)
    }
    function say(text) { print text; said = 1; exit }
    BEGIN { base = base ~ /x$/ ? hex(substr(base, 1, 8)) : base + 0 }
    {
      at = hex($1)
      if (!(at in entries)) entries[at] = 0
      if (at > last) last = at
      if ($2 == "?") { unread[at] = 1; next }
      entries[at]++
      parent[at, entries[at]] = $2 + 0
      left[at, entries[at]] = place($3)
      where[at, $2 + 0] = $3
    }
    END {
      if (said || base == 0) exit
      if (of != "" && runs != "" && of "" != runs "")
        say("it is of the database cluster " of ", and " runs " runs: the archive holds another cluster than the one that archives there")
      for (at = 2; at <= last; at++) if (at in entries) for (i = 1; i <= entries[at]; i++) {
        before = parent[at, i]
        if (!(before in entries) || before in unread) continue
        same = entries[before] == i - 1
        for (j = 1; j < i; j++) if (parent[before, j] != parent[at, j] || left[before, j] "" != left[at, j] "") same = 0
        if (!same) say("the histories of the timelines " before " and " at " contradict each other: two database clusters have archived there")
      }
      newest = base
      while ((newest + 1) in entries) newest++
      if (newest > base && !(newest in unread)) {
        if (!((newest, base) in where))
          say("PostgreSQL would refuse it (requested timeline " newest " is not a child of this server'"'"'s history): it is of timeline " base ", which is no ancestor of that one")
        if (end != "" && place(end) "" > place(where[newest, base]) "")
          say("PostgreSQL would refuse it (requested timeline " newest " is not a child of this server'"'"'s history): it ends at " end ", and that timeline left timeline " base " at " where[newest, base])
      }
      if (last > newest)
        say("a restore ends on timeline " newest ": the archive has the history of timeline " last " and not that of timeline " newest + 1)
      # What is older than the base backup is needed by nothing: an upgrade leaves that.
      if (segment != "" && hex(substr(segment, 1, 8)) > newest && substr(segment, 9) "" >= substr(begin, 9) "")
        say("a restore ends on timeline " newest ": the archive has WAL of timeline " hex(substr(segment, 1, 8)) " and not its history")
    }' "$2"
}
