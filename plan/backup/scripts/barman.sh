# shellcheck shell=sh
# What restore.sh and serve.sh do with Barman's cloud tools; read by them with `.`.
#
# Environment: DESTINATION and ARCHIVE_ID, where the backups are as Barman names it; ENDPOINT, of a store that isn't AWS, and ADDRESSING, where the bucket's name isn't in the
# path there; CONTENT_MD5, see sitecustomize.py; WINDOW_DAYS.
[ -z "${CONTENT_MD5:-}" ] || export PYTHONPATH=/scripts
to() { program=$1; shift; "barman-cloud-$program" ${ENDPOINT:+--endpoint-url "$ENDPOINT"} ${ADDRESSING:+--addressing-style "$ADDRESSING"} "$@"; }
keep() { id=$1; shift; to backup-keep "$@" "$DESTINATION" "$ARCHIVE_ID" "$id"; }

# restore_base ID: into $DATA.
restore_base() { to restore "$DESTINATION" "$ARCHIVE_ID" "$1" "$DATA"; }

# fetch_wal NAME PATH: ends with 1 where the archive hasn't got it, and with more at errors.
fetch_wal() { to wal-restore "$DESTINATION" "$ARCHIVE_ID" "$1" "$2"; }

# expire: deletes what lies outside of the recovery window. What was just found good is kept, whatever the window says. Written: keeps, the ids that are kept now.
#
# The mark of a base backup that is kept is an object beside it. Under a lock it can be written once, and deleted only when the lock has ended: what can't be released now is
# released by a later verification.
expire() {
  now=$(cat "$WORK/backup")
  { cat "$WORK/kept"; echo "$now"; } | grep . | sort -u >"$WORK/keeps"
  if ! keep "$now" --status 2>>"$WORK/expiry.log" | grep -qi '^keep: *full'; then
    keep "$now" --target full >>"$WORK/expiry.log" 2>&1 || return
  fi
  echo "$now" >"$WORK/.keeps"
  while read -r before; do
    [ "$before" = "$now" ] || keep "$before" --release >>"$WORK/expiry.log" 2>&1 || echo "$before" >>"$WORK/.keeps"
  done <"$WORK/keeps"
  mv "$WORK/.keeps" "$WORK/keeps"
  to backup-delete --retention-policy "RECOVERY WINDOW OF $WINDOW_DAYS DAYS" --minimum-redundancy 1 "$DESTINATION" "$ARCHIVE_ID" >>"$WORK/expiry.log" 2>&1
}
