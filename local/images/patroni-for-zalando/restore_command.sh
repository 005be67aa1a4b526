#!/bin/sh
# restore_command.sh NAME PATH: fetches a file of WAL as WAL-G would, by its environment, from an archive in Barman's layout. It ends with 74 where
# there is none, and with 1 at any error; PostgreSQL takes both for the end of the WAL. A store that can't be reached it asks for a quarter of
# an hour, which `timeout` before it ends sooner.
place=${WALG_S3_PREFIX%/}
end=$(($(date +%s) + 840))
while :; do
  barman-cloud-wal-restore ${AWS_ENDPOINT:+--endpoint-url "$AWS_ENDPOINT"} "${place%/*}" "${place##*/}" "$1" "$2"
  case $? in
  0) exit 0 ;;
  1) exit 74 ;;
  # The code of Barman's tools for a store that can't be reached.
  2) [ "$(date +%s)" -lt "$end" ] || exit 1 ;;
  *) exit 1 ;;
  esac
  sleep 1
done
