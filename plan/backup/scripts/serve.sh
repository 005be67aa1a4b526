# shellcheck shell=sh
# Runs between the scratch server and the store as long as the pod: fetches WAL that is asked for, and at the end deletes what lies
# outside of the recovery window.
#
# The server asks by a file in $WORK/asked and gets its answer, 0, 1 where there is no such file, or another code, by one in $WORK/answered; the segment
# is in $WORK/log then. Environment: see restore.sh.
set -u
# shellcheck source=barman.sh
. "/scripts/${TOOL:-barman}.sh"
trap 'exit 0' TERM INT
mkdir -p "$WORK/asked" "$WORK/answered" "$WORK/log"

while :; do
  for request in "$WORK"/asked/*; do
    [ -e "$request" ] || continue
    name=${request##*/}
    fetch_wal "$name" "$WORK/log/$name" 2>>"$WORK/fetch.log"
    echo $? >"$WORK/.answer"
    rm "$request"
    mv "$WORK/.answer" "$WORK/answered/$name"
  done
  if [ -e "$WORK/passed" ] && [ ! -e "$WORK/expired" ]; then
    : >"$WORK/expiry.log"
    if expire; then echo 'done' >"$WORK/.expired"; else tail -n 1 "$WORK/expiry.log" >"$WORK/.expired"; fi
    mv "$WORK/.expired" "$WORK/expired"
  fi
  sleep 0.05
done
