# shellcheck shell=sh
# Copies the present archive from the first store to the second: finished base backups and WAL.
#
# What is there already with the same size and sum is left alone, and each object is there whole or not at all, so that a copy that was
# interrupted continues where it was. Nothing is ever deleted or written over here: an object that is another one in the first store now is
# an error for an operator to look at, since neither a finished base backup nor a segment ever changes. Base backups go first: the WAL that each of them needs is in
# the store by the time it is called finished, and is copied after it.
#
# Environment: see places.sh.
set -eu
# shellcheck source=places.sh
. /scripts/places.sh

from=$PLACE_1/$ARCHIVE_ID
to=$PLACE_2/$ARCHIVE_ID
error=$(mktemp)
TROUBLE=$(mktemp)
unread() { printf '%s\n' "the target $TARGET_1 can't be read: $why"; exit 1; }
copy() { rclone copy --checksum --immutable --transfers 4 --retries 3 --stats-one-line --stats 60s -v "$@"; }

newest=$(newest_segment "$from" 2>/dev/null)
! why=$(troubled) || unread
if [ -z "$newest" ]; then
  echo "nothing to copy: archive $ARCHIVE_ID has no WAL yet"
  exit 0
fi
bases=$(ids "$from" | sort)
! why=$(troubled) || unread
# The oldest first: WAL-G's differences need those before them, and its LATEST is the one that came to the store last.
for id in $bases; do
  inform "$from" "$id" "$error" && [ "$(info "$error" status)" = DONE ] || continue
  # Which backups are kept is each store's own matter.
  copy --exclude 'annotations/**' "$(folder "$from" "$id")" "$(folder "$to" "$id")"
  case $id in
  base_*) rclone copyto --checksum --immutable --retries 3 "$(mark "$from" "$id")" "$(mark "$to" "$id")" ;;
  esac
done
! why=$(troubled) || unread
for log in $(ask lsf --dirs-only "$from" | tr -d / | grep -E '^(wals|wal_005)$'); do
  # Barman's segments have no sum from 8 MiB on, where they were stored in parts; smaller ones have, and are compared without a question for each.
  copy ${RCLONE_CONFIG_TARGET2_UPLOAD_CUTOFF:+--s3-upload-cutoff 8Mi} "$from/$log" "$to/$log"
done
! why=$(troubled) || unread
# The copied archive must have what the first one had when this began.
copied=$(newest_segment "$to")
if [ "$(printf '%s\n' "${newest%%;*}" "${copied%%;*}" | sort | tail -n 1)" != "${copied%%;*}" ]; then
  echo "the target $TARGET_2 has the WAL until ${copied%%;*} only, $TARGET_1 had it until ${newest%%;*}"
  exit 1
fi
echo "copied from $TARGET_1 to $TARGET_2: WAL until ${newest%%;*}"
