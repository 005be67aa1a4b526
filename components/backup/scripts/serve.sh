# Stands between the scratch server and the store as long as the pod runs: fetches log that is asked for, and at the end lets Barman
# delete what lies outside of the recovery window. What was just found good is kept, whatever the window says.
#
# The server asks by a file in $WORK/asked and gets its answer, an exit code of Barman's, by one in $WORK/answered; the segment lies in
# $WORK/log then. Environment: see restore.sh; WINDOW_DAYS.
set -u
trap 'exit 0' TERM INT
mkdir -p "$WORK/asked" "$WORK/answered" "$WORK/log"
to() { program=$1; shift; "barman-cloud-$program" ${ENDPOINT:+--endpoint-url "$ENDPOINT"} "$@"; }
backup() { to "$1" $2 "$DESTINATION" "$GENERATION" $3 >>"$WORK/expiry.log" 2>&1; }

expire() {
  now=$(cat "$WORK/backup")
  : >"$WORK/expiry.log"
  backup backup-keep '--target full' "$now" || return
  for before in $(cat "$WORK/kept"); do
    [ "$before" = "$now" ] || backup backup-keep --release "$before"
  done
  (
    # See sitecustomize.py.
    [ -z "${AWS_REQUEST_CHECKSUM_CALCULATION:-}" ] || export PYTHONPATH=/scripts
    to backup-delete --retention-policy "RECOVERY WINDOW OF $WINDOW_DAYS DAYS" --minimum-redundancy 1 "$DESTINATION" "$GENERATION"
  ) >>"$WORK/expiry.log" 2>&1
}

while :; do
  for request in "$WORK"/asked/*; do
    [ -e "$request" ] || continue
    name=${request##*/}
    to wal-restore "$DESTINATION" "$GENERATION" "$name" "$WORK/log/$name" 2>>"$WORK/fetch.log"
    echo $? >"$WORK/.answer"
    rm "$request"
    mv "$WORK/.answer" "$WORK/answered/$name"
  done
  if [ -e "$WORK/passed" ] && [ ! -e "$WORK/expired" ]; then
    expire && echo done >"$WORK/.expired" || tail -n 1 "$WORK/expiry.log" >"$WORK/.expired"
    mv "$WORK/.expired" "$WORK/expired"
  fi
  sleep 0.05
done
