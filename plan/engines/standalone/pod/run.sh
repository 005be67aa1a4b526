#!/bin/bash
# Runs one PostgreSQL server: makes its data where there are none, and keeps it running until the pod is to stop.
#
# - Where base backups say that there were data once, an operator must decide what it begins with (recover.sh).
# - Every process that uses the data holds a lock on a file beside them, the server's own processes included. Pods that are deleted by force leave
#   processes behind for a while, which a new pod can't see: it waits here until the last one is gone.
# - A server that ends by itself is started again at once; one that can't stay up is left to Kubernetes, which waits longer each time.
# - SIGTERM is a fast shutdown: PostgreSQL's own answer would wait for sessions, which poolers never end.
#
# Environment: PGDATA on the data volume; WAL_VOLUME and ARCHIVE_VOLUME, empty where there is none; TLS and CONFIG folders; LOG
# folder; SOCKET folder, which outlives the container and where no other pod's server listens.
set -u

say() { echo "run: $*" >&2; }

stopping=''
server=''
stop() {
  stopping=yes
  [ -n "$server" ] || exit 0
  kill -INT "$server" 2>/dev/null
}
trap stop TERM INT

# Children inherit the descriptor and with it the lock, the server's processes too.
exec 9>>"${PGDATA%/*}/lock"
if ! flock --nonblock 9; then
  say 'another pod still uses the data: waiting until its last process is gone'
  flock 9 &
  wait $!
fi

if [ ! -e "$PGDATA" ] && [ -n "$ARCHIVE_VOLUME" ] && compgen -G "$ARCHIVE_VOLUME/base/*/*Z" >/dev/null; then
  /bin/bash "$CONFIG/recover.sh" &
  wait $! || exit 1
fi
major=$(postgres --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
if [ ! -e "$PGDATA" ]; then
  say 'making a new database cluster'
  rm -rf "$PGDATA.new"
  options=(--locale=C.UTF-8)
  # Sort order that belongs to PostgreSQL, where it can: an image with another C library can't corrupt indexes.
  [ "$major" -ge 17 ] && options+=(--locale-provider=builtin --builtin-locale=C.UTF-8)
  # initdb tries huge pages too, and is killed where its node has some for others; before PostgreSQL 16 it can't be told.
  [ "$major" -ge 16 ] && options+=(--set=huge_pages=off)
  initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 "${options[@]}" --data-checksums \
    --auth-local=peer --auth-host=scram-sha-256 >&2 || exit 1
  sync
  mv "$PGDATA.new" "$PGDATA"
  sync "${PGDATA%/*}"
fi

# `make up` refuses it before; another program may not.
if [ "$(<"$PGDATA/PG_VERSION")" != "$major" ]; then
  say "the data is of PostgreSQL $(<"$PGDATA/PG_VERSION"), which PostgreSQL $major of this image can't read, and nothing is changed:" \
    'set pgplatform:cluster.postgresVersion back, or restore a dump into a new cluster'
  exit 1
fi

# A decision counts for the data that were lost then, not for the next ones.
[ -z "$ARCHIVE_VOLUME" ] || rm -f "$ARCHIVE_VOLUME"/restore "$ARCHIVE_VOLUME"/restore.refused

# The WAL moves to its volume once, completely or not at all.
log=$PGDATA/pg_wal
if [ -n "$WAL_VOLUME" ]; then
  if [ -d "$log" ] && [ ! -L "$log" ]; then
    say 'moving the WAL to its own volume'
    rm -rf "$WAL_VOLUME"/pg_wal "$WAL_VOLUME"/pg_wal.new
    cp -a "$log" "$WAL_VOLUME/pg_wal.new" && sync && mv "$WAL_VOLUME/pg_wal.new" "$WAL_VOLUME/pg_wal" && sync || exit 1
    mv "$log" "$log.old"
  fi
  [ -L "$log" ] || ln -s "$WAL_VOLUME/pg_wal" "$log"
  sync
  rm -rf "$log.old"
fi
if [ ! -d "$log/" ]; then
  say "the WAL is not there: the server had a volume for it, and needs it"
  exit 1
fi

# A folder for each database cluster that ever archives here: a later one never meets the files of an earlier one.
if [ -n "$ARCHIVE_VOLUME" ]; then
  ARCHIVE=$ARCHIVE_VOLUME/wal/$(pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p')
  mkdir -p "$ARCHIVE" || exit 1
  export ARCHIVE
fi

# What was in memory at the last log line may be gone; the collector appends, so that `tail` finds every line from here on.
touch "$LOG/postgresql.json" "$LOG/postgresql.log"

while :; do
  tail --quiet --lines=0 --follow=name --retry "$LOG/postgresql.json" "$LOG/postgresql.log" 9>&- &
  # The lock says that no process uses the data; the numbers in these files may belong to any process here by now.
  rm -f "$PGDATA/postmaster.pid" "$SOCKET"/.s.PGSQL.*.lock
  began=$SECONDS
  # With job control a child in the background takes signals as usual.
  set -m
  postgres -D "$PGDATA" -c "config_file=$CONFIG/postgresql.conf" &
  server=$!
  set +m
  [ -z "$stopping" ] || kill -INT "$server"
  wait "$server"
  status=$?
  # A signal ends the waiting, not the server.
  while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    status=$?
  done
  [ -z "$stopping" ] || exit "$status"
  say "the server ended with status $status"
  # Its processes may outlive it, and would keep the next one from starting.
  [ $$ = 1 ] && kill -KILL -- -1 2>/dev/null
  [ $((SECONDS - began)) -ge 10 ] || exit 1
  server=''
done
