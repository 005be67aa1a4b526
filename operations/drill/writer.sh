# shellcheck shell=bash
# Two clients that write rows, one through the pooler and one to the primary. Each row is a transaction over a connection of its own, so that a pause is as
# long as for a client that connects each time. Prints for each row whether it was acknowledged, and when.
#
# Environment: libpq's; DRILL, a name for the rows; WRITERS, `<way>=<host>` by blanks; WRITE_SECONDS, how long.
set -u
write() { # way host
  local number=0 said
  while [ "$SECONDS" -lt "$WRITE_SECONDS" ]; do
    number=$((number + 1))
    if said=$(psql --host "$2" -XAtqw -v ON_ERROR_STOP=1 -c "insert into pgplatform.heartbeat (value) values ('$DRILL $1 $number')" 2>&1); then
      echo "$1 ack $number $(date +%s.%3N)"
    else
      echo "$1 error $number $(date +%s.%3N) ${said//$'\n'/ }"
    fi
    sleep 0.1
  done
}
for writer in $WRITERS; do write "${writer%%=*}" "${writer#*=}" & done
wait
