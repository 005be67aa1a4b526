# shellcheck shell=sh
# Deletes an archive that has ended from a store, with its WAL, base backups and dumps: forget.sh NUMBER ARCHIVE_ID.
#
# What says that a backup is finished goes first: what is left by an interruption must not look whole. Ends badly with the store's answer when it keeps
# something; called again it continues.
#
# Environment: see places.sh.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
error=$(mktemp)
trap 'rm -f "$error"' EXIT
delete() { rclone --retries 3 "$@" 2>"$error" || { why "$error"; exit 1; }; }

[ "$2" != "$ARCHIVE_ID" ] || { echo "it is the one that the cluster archives as"; exit 1; }
at=$(value "PLACE_$1")/$2
delete delete --include '/base/*/backup.info' --include '/basebackups_005/*_backup_stop_sentinel.json' --include '/dumps/*/dump.json' "$at"
delete purge "$at"
