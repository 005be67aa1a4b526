# shellcheck shell=sh
# Checks that what is to be restored is there, before a cluster is made that would wait for it. Ends well when it is, and when the cluster has
# been made already, since no server reads the source any more then.
#
# Environment: see places.sh; SOURCE, where the archive lies as rclone names it; TO_SECONDS, the moment to go back to, or nothing; WAIT_SECONDS, how
# long a store may take to start. Written when it ends badly: the pod's last words, `absent;<archives that are there>` or `refused;<why>`.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
error=$(mktemp)
words() { printf '%s' "$*" | tee "${WORDS:-/dev/termination-log}"; }

[ -z "$(newest_segment "$PLACE_1/$ARCHIVE_ID" 2>/dev/null)" ] || { echo "the cluster archives already"; exit 0; }
end=$(($(date +%s) + WAIT_SECONDS))
until there=$(ask lsf --dirs-only "${SOURCE%/*}" 2>"$error") || grep -q 'directory not found' "$error"; do
  [ "$(date +%s)" -lt "$end" ] || { words "refused;$(why "$error")"; exit 1; }
  sleep 2
done
if id=$(finished "$SOURCE" "$error" "${TO_SECONDS:-}"); then
  echo "base backup $id is there"
else
  words "absent;$(echo "$there" | tr -d / | sort | tr '\n' ' ' | sed 's/ $//')"
  exit 1
fi
