#!/bin/bash
# Keeps a running server as its mounted files describe it. Kubernetes swaps a folder's files in one step, by a link, when they change:
#
# - configuration, access rules and certificates are loaded when they have changed, without a restart;
# - SQL and passwords are applied when they have changed, and until they could be.
#
# Beside that it keeps the server's log files small, deletes what the archive volume needn't hold any more, and watches whether WAL gets
# into the archive: where that is its volume alone, the pod isn't ready while it doesn't.
#
# Environment: CONFIG, TLS, SQL and PASSWORDS folders; LOG folder; ARCHIVE_VOLUME; STATE folder for the probes.
set -u

say() { echo "keep: $*" >&2; }
trap 'exit 0' TERM INT

version() { readlink "${@/%//..data}"; }

trim_logs() {
  local file
  for file in "$LOG"/postgresql.json "$LOG"/postgresql.log; do
    [ "$(stat -c %s "$file" 2>/dev/null || echo 0)" -gt 10000000 ] || continue
    mv "$file" "$file.1"
    psql -X -w -q -d postgres -c 'SELECT pg_rotate_logfile()' >/dev/null
  done
}

ask() { psql -X -w -q -A -t -d postgres -c "$1" 2>/dev/null; }

# The file `expiry` has the days of base backups and those of WAL.
trim_archive() {
  local id days=()
  read -r -a days <"$CONFIG/expiry"
  id=$(ask 'SELECT system_identifier FROM pg_control_system()') && [ -n "$id" ] || return 1
  /bin/bash "$CONFIG/expire.sh" "$id" "${days[@]}" || say 'the archive volume could not be cleared'
}

# PostgreSQL tries a segment again until it is archived; what counts is how the last try went. None was made before the first segment was full.
watch_archive() {
  local well
  well=$(ask "SELECT coalesce(last_archived_time, '-infinity') >= coalesce(last_failed_time, '-infinity') FROM pg_stat_archiver")
  case $well in
    t)
      if [ ! -e "$STATE/archiving" ]; then
        touch "$STATE/archiving"
        say 'WAL is archived'
      fi
      ;;
    f)
      rm -f "$STATE/archiving"
      [ -z "$warned" ] && say "WAL is not archived: $(ask 'SELECT last_failed_wal FROM pg_stat_archiver') is tried again and again; the server's log says why"
      ;;
  esac
  [ "$well" = f ] && warned=yes || warned=''
}

self=$(<"$0")
loaded=''
applied=''
pause=2
trimmed=-3600
watched=-10
warned=''
while :; do
  [ "$self" = "$(<"$0")" ] || exec /bin/bash "$0"
  now=$(version "$CONFIG" "$TLS")
  if [ "$now" != "$loaded" ] && psql -X -w -q -A -t -d postgres -c 'SELECT pg_reload_conf()' >/dev/null 2>&1; then
    loaded=$now
    say 'configuration and certificates are loaded'
  fi
  now=$(version "$SQL" "$PASSWORDS")
  if [ "$now" != "$applied" ]; then
    if APPLY_WAIT_SECONDS=60 /bin/bash "$CONFIG/apply.sh" "$SQL" "$PASSWORDS"; then
      applied=$now
      pause=2
      touch "$STATE/applied"
    else
      rm -f "$STATE/applied"
      pause=15
    fi
  fi
  # `make up` reads here that both folders hold the same version, and that it is loaded and applied.
  if [ "$loaded" = "$(version "$CONFIG" "$TLS")" ] && [ "$applied" = "$(version "$SQL" "$PASSWORDS")" ] &&
    cmp -s "$CONFIG/version" "$SQL/version"; then
    cat "$SQL/version" >"$STATE/version.new"
    mv -f "$STATE/version.new" "$STATE/version"
  fi
  trim_logs
  if [ $((SECONDS - trimmed)) -ge 3600 ] && trim_archive; then
    trimmed=$SECONDS
  fi
  if [ $((SECONDS - watched)) -ge 10 ]; then
    watched=$SECONDS
    watch_archive
  fi
  sleep "$pause" &
  wait $!
done
