# shellcheck shell=sh
# What restore.sh and serve.sh do with WAL-G; read by them with `.`. No test runs WAL-G itself (3.0.5).
#
# Environment: WAL-G's own.

# restore_base ID: into $DATA, with what it is a difference to.
restore_base() { wal-g backup-fetch "$DATA" "$1"; }

# fetch_wal NAME PATH: ends with 1 where the archive hasn't got it, and with more at errors. WAL-G has 74 for the one, and 1 for all others.
fetch_wal() {
  wal-g wal-fetch "$1" "$2"
  case $? in
  0) ;;
  74) return 1 ;;
  *) return 2 ;;
  esac
}

# expire: deletes what lies before the oldest base backup that the recovery window takes; the one that was just found good is never older.
expire() {
  : >"$WORK/keeps"
  [ ! -s "$WORK/oldest" ] || wal-g delete before FIND_FULL "$(cat "$WORK/oldest")" --confirm >>"$WORK/expiry.log" 2>&1
}
