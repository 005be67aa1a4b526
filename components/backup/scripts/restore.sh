# Restores the chosen base backup with Barman's cloud tools.
#
# Environment: WORK and DATA, folders; DESTINATION and GENERATION, where the backup is as Barman names it; ENDPOINT, of a store that
# isn't AWS.
set -u
[ ! -e "$WORK/failed" ] || exit 0
backup=$(cat "$WORK/backup")
date +%s >"$WORK/started"
barman-cloud-restore ${ENDPOINT:+--endpoint-url "$ENDPOINT"} "$DESTINATION" "$GENERATION" "$backup" "$DATA" >"$WORK/restore.log" 2>&1 || {
  tail -n 20 "$WORK/restore.log"
  echo "the base backup $backup can't be restored: $(grep -v '^ ' "$WORK/restore.log" | tail -n 1 | cut -c 1-300)" | tee "$WORK/failed"
  exit 0
}
echo "base backup $backup restored: $(du -sm "$DATA" | cut -f 1) MiB"
