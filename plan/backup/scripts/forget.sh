# shellcheck shell=sh
# Deletes an archive that has ended from a store, with its WAL, base backups and dumps: forget.sh TARGET ARCHIVE_ID.
#
# What says that a backup is finished goes first: what is left by an interruption must not look whole. Where the store keeps something it ends badly, with why in a
# line of JSON (../results.ts); called again it continues.
#
# Environment: see places.sh.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
error=$(mktemp) TROUBLE=$(mktemp)
trap 'rm -f "$error" "$TROUBLE"' EXIT
stays() { json kind kept why "$1"; exit 1; }
delete() { rclone --retries 3 "$@" 2>"$error" || grep -q 'directory not found' "$error" || stays "$(why "$error")"; }

# By its name: the settings may have put the targets in another order since this pod was made.
number=1
while [ "$(value "TARGET_$number")" != "$1" ]; do
  [ "$number" -lt "$TARGETS" ] || stays "no target $1 is known here"
  number=$((number + 1))
done
[ "$2" != "$ARCHIVE_ID" ] || stays "it is the one that the cluster archives as"
at=$(value "PLACE_$number")/$2
delete delete --include '/base/*/backup.info' --include '/basebackups_005/*_backup_stop_sentinel.json' --include '/dumps/*/dump.json' "$at"
# Not `purge`, which in a bucket with versions deletes each of them: what is deleted here can be got back as long as the bucket keeps it.
delete delete "$at"
delete delete "$(value "REPORTS_$number")/$2"
# Some stores refuse an object or two of many, and some clients don't hear of it.
left=$(ask lsf -R --files-only "$at" 2>/dev/null | head -n 1)
[ -z "$left" ] || stays "$left is still there though it was deleted"
! why=$(troubled) || stays "$why"
