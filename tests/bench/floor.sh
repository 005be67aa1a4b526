# shellcheck shell=bash
# Two PostgreSQL servers in one container, without anything that watches over them: `prepare <password>` makes a primary (port 5432) and
# its synchronous standby (port 5433); `fail` kills the one with SIGKILL and promotes the other at once.
set -euo pipefail
cd /data

case $1 in
prepare)
  for server in a b; do
    if [ -f "$server/postmaster.pid" ]; then kill -9 "$(head -n 1 "$server/postmaster.pid")" 2>/dev/null || true; fi
  done
  sleep 0.5
  rm -rf a b
  initdb -D a -U app --auth-local=trust --auth-host=scram-sha-256 --pwfile=<(printf '%s' "$2") --data-checksums >/dev/null
  cat >>a/postgresql.conf <<'CONF'
listen_addresses = '*'
unix_socket_directories = '/data'
wal_retrieve_retry_interval = '200ms'
password_encryption = 'scram-sha-256'
CONF
  echo "host all app all scram-sha-256" >>a/pg_hba.conf
  # On the command line: the standby, which copies the files, must not wait for a standby of its own when it leads.
  setsid postgres -D a -p 5432 -c "synchronous_standby_names=*" >>a.log 2>&1 </dev/null &
  until pg_isready -q -h /data -p 5432; do sleep 0.1; done
  pg_basebackup -h /data -p 5432 -U app -D b -R -c fast
  setsid postgres -D b -p 5433 >>b.log 2>&1 </dev/null &
  until [ "$(psql -h /data -p 5432 -U app -d postgres -Atc "select count(*) from pg_stat_replication where sync_state = 'sync'")" = 1 ]; do
    sleep 0.1
  done
  psql -qh /data -p 5432 -U app -d postgres -c "create database app"
  ;;
fail)
  kill -9 "$(head -n 1 a/postmaster.pid)"
  psql -Atqh /data -p 5433 -U app -d postgres -c "select pg_promote()" >/dev/null
  ;;
rows)
  psql -Atqh /data -p 5433 -U app -d app -c "select id from acknowledged"
  ;;
esac
