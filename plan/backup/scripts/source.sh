# shellcheck shell=sh
# Checks that what is to be restored is there, before a cluster is made that would wait for it. Ends well when it is, and when the cluster has
# been made already, since no server reads the source any more then. The cluster's own store may be away: it isn't what is restored from.
#
# Environment: see places.sh, with BASE_TIME; SOURCE, where the archive lies as rclone names it; TO_SECONDS, the moment to go back to, or nothing; WAIT_SECONDS, how
# long a store may take to start. Written when it ends badly: the pod's last words, a line of JSON (../results.ts).
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=json.sh
. /scripts/json.sh
TROUBLE=$(mktemp) known=$(mktemp)
trap 'rm -f "$TROUBLE" "$known"' EXIT
words() { json "$@" | tee "${WORDS:-/dev/termination-log}"; }

[ -z "$(newest_segment "$PLACE_1/$ARCHIVE_ID" 2>/dev/null)" ] || { echo "the cluster archives already"; exit 0; }
end=$(($(date +%s) + WAIT_SECONDS))
while
  : >"$TROUBLE"
  late='' at=''
  there=$(ask lsf --dirs-only "${SOURCE%/*}" 2>/dev/null)
  id=$(finished "$SOURCE" "$known" "${TO_SECONDS:-}") ||
    { late=$(BASE_TIME='' && finished "$SOURCE" "$known" "${TO_SECONDS:-}") && at=$(uploaded "$SOURCE" "$late" 2>/dev/null); }
  why=$(troubled)
do
  [ "$(date +%s)" -lt "$end" ] || { words kind unreadable why "$why"; exit 1; }
  sleep 2
done
if [ -n "$id" ]; then
  echo "base backup $id is there"
elif [ -n "$late" ]; then
  words kind late base "$late" at "$at"
  exit 1
else
  # Kubernetes keeps 4 KiB of a pod's last words.
  words kind absent archiveIds: "$(printf '%s' "$there" | tr -d / | sort | head -n 200 | json_list)"
  exit 1
fi
