# shellcheck shell=sh
# What restore.sh and serve.sh do with Barman's cloud tools; read by them with `.`.
#
# Environment: DESTINATION and ARCHIVE_ID, where the backups are as Barman names it; ENDPOINT, of a store that isn't AWS; WINDOW_DAYS.
to() { program=$1; shift; "barman-cloud-$program" ${ENDPOINT:+--endpoint-url "$ENDPOINT"} "$@"; }
keep() { id=$1; shift; to backup-keep "$@" "$DESTINATION" "$ARCHIVE_ID" "$id" >>"$WORK/expiry.log" 2>&1; }

# restore_base ID: into $DATA.
restore_base() { to restore "$DESTINATION" "$ARCHIVE_ID" "$1" "$DATA"; }

# fetch_wal NAME PATH: ends with 1 where the archive hasn't got it, and with more at errors.
fetch_wal() { to wal-restore "$DESTINATION" "$ARCHIVE_ID" "$1" "$2"; }

# expire: deletes what lies outside of the recovery window. What was just found good is kept, whatever the window says.
expire() {
  now=$(cat "$WORK/backup")
  keep "$now" --target full || return
  while read -r before; do
    [ "$before" = "$now" ] || keep "$before" --release
  done <"$WORK/kept"
  (
    # See sitecustomize.py.
    [ -z "${AWS_REQUEST_CHECKSUM_CALCULATION:-}" ] || export PYTHONPATH=/scripts
    to backup-delete --retention-policy "RECOVERY WINDOW OF $WINDOW_DAYS DAYS" --minimum-redundancy 1 "$DESTINATION" "$ARCHIVE_ID"
  ) >>"$WORK/expiry.log" 2>&1
}
