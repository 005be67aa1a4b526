# shellcheck shell=bash
# Dumps every database of the restored server, and restores the first one's dump there; read by check.sh with `.` when everything else is well.
#
# Environment: see check.sh; DUMPS, a folder that isn't there yet. Written there: globals.sql and <database>.dump, where %2F stands for a slash; in WORK undumped, why there is no
# dump that is known to be good. A backup is good without it.
said() { tail -n 1 "$WORK/error"; }
undumped() {
  echo "$*" | tee "$WORK/undumped"
  rm -rf "$DUMPS"
}

dump() {
  mkdir "$DUMPS" || { undumped "there is no room for a dump"; return; }
  pg_dumpall --globals-only >"$DUMPS/globals.sql" 2>"$WORK/error" || { undumped "the roles can't be dumped: $(said)"; return; }
  while IFS= read -r database; do
    # No file has a slash in its name.
    file=$DUMPS/${database//\//%2F}.dump
    PGDATABASE=$database pg_dump -Fc -f "$file" 2>"$WORK/error" || { undumped "the database $database can't be dumped: $(said)"; return; }
    pg_restore --list "$file" >/dev/null 2>"$WORK/error" || { undumped "the dump of $database can't be read: $(said)"; return; }
  done <<<"$(databases)"
  # As elsewhere: the database is made by its dump. TimescaleDB must know of it; to others the setting is nothing.
  ask postgres <<<"alter database \"$HOME_DATABASE\" rename to pgp_dumped" || { undumped "$HOME_DATABASE can't be renamed: $(said)"; return; }
  PGOPTIONS="-c timescaledb.restoring=on" pg_restore --create --exit-on-error -d postgres "$DUMPS/$HOME_DATABASE.dump" 2>"$WORK/error" ||
    { undumped "the dump of $HOME_DATABASE can't be restored: $(grep 'error:' "$WORK/error" | tail -n 1 | sed 's/^pg_restore: error: //')"; return; }
  grep -qx "schema $HOME_DATABASE $(schema "$HOME_DATABASE")" "$WORK/result" ||
    { undumped "the dump of $HOME_DATABASE is restored with another schema than the database has"; return; }
  ask postgres <<<"drop database \"$HOME_DATABASE\""
}
dump
