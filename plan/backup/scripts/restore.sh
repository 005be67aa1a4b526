# shellcheck shell=sh
# Restores the chosen base backup with the tool that made it.
#
# Environment: WORK and DATA, folders; TOOL, barman or walg, and what that wants.
set -u
# shellcheck source=barman.sh
. "/scripts/${TOOL:-barman}.sh"
[ ! -e "$WORK/failed" ] || exit 0
backup=$(cat "$WORK/backup")
date +%s >"$WORK/started"
restore_base "$backup" >"$WORK/restore.log" 2>&1 || {
  tail -n 20 "$WORK/restore.log"
  echo "the base backup $backup can't be restored: $(grep -v '^ ' "$WORK/restore.log" | tail -n 1 | cut -c 1-300)" | tee "$WORK/failed"
  exit 0
}
echo "base backup $backup restored: $(du -sm "$DATA" | cut -f 1) MiB"
