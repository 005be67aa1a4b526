# shellcheck shell=sh
# Writes a row at the primary, within 2 s; psql is told to cancel then, so that no session stays behind. Argument: the database with the platform's table, or
# nothing where it must be looked for. A cluster that isn't the platform's gets a record of WAL alone. Prints `written <milliseconds>` or `failed <exit code> <words>`.
ask() { PGCONNECT_TIMEOUT=2 PGAPPNAME=pgp timeout -k 0.5 -s INT 2 psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d "$1" -f - 2>&1; }
database=$1
begun=$(date +%s%N)
if [ -z "$database" ]; then
  database=$(echo "select coalesce((select datname from pg_database where not datistemplate and datallowconn and datname <> 'postgres' order by oid limit 1), 'postgres')" | ask postgres)
  code=$?
  if [ "$code" != 0 ]; then
    printf 'failed %s %s\n' "$code" "$(printf '%s' "$database" | tr '\n' ' ')"
    exit 0
  fi
fi
words=$(
  ask "$database" <<'END'
select to_regclass('pgplatform.heartbeat') is not null as table_is_there \gset
\if :table_is_there
delete from pgplatform.heartbeat where written_at < now() - interval '1 day';
insert into pgplatform.heartbeat (value) values ('pgp status');
\else
select pg_logical_emit_message(true, 'pgp', 'status') \gset
\endif
END
)
code=$?
if [ "$code" = 0 ] && [ -z "$words" ]; then
  echo "written $((($(date +%s%N) - begun) / 1000000))"
else
  printf 'failed %s %s\n' "$code" "$(printf '%s' "$words" | tr '\n' ' ')"
fi
