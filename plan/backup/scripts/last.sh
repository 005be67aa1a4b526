# shellcheck shell=sh
# Says when the archive's last transaction was, by its newest segments, which look.sh has put into $WORK: a line of JSON (../results.ts). Says nothing where
# they are compressed by what isn't here, or are of another major version.
#
# Environment: WORK; ARCHIVE, the archive's ID.
set -u
# shellcheck source=json.sh
. "${JSON:-/scripts/json.sh}"
export TZ=UTC
for programs in /usr/lib/postgresql/*/bin; do PATH=$PATH:$programs; done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in $(cd "$WORK" && echo * | tr ' ' '\n' | sort -r); do
  segment=$scratch/${name%%.*}
  case $name in
  *.gz) gzip -dc "$WORK/$name" >"$segment" 2>/dev/null || continue ;;
  # An older one that can be read isn't the last.
  *.*) exit 0 ;;
  *) cp "$WORK/$name" "$segment" 2>/dev/null || continue ;;
  esac
  # It ends badly where a segment isn't full; what it has said holds.
  at=$(pg_waldump --rmgr=Transaction "$segment" 2>/dev/null |
    sed -nE 's/.*desc: (COMMIT|ABORT)(_PREPARED [0-9]+:)? ([0-9-]{10}) ([0-9:.]{8,15}) UTC.*/\3T\4Z/p' | sort | tail -n 1)
  rm -f "$segment"
  [ -n "$at" ] || continue
  json kind last archiveId "$ARCHIVE" at "$at"
  break
done
