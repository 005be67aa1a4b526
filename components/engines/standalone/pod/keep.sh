#!/bin/bash
# Keeps a running server as its mounted files describe it. Kubernetes swaps a folder's files in one step, by a link, when they change:
#
# - configuration, access rules and certificates are loaded when they have changed, without a restart;
# - SQL and passwords are applied when they have changed, and until they could be.
#
# Beside that it keeps the server's log files small, and takes old segments out of the archive.
#
# Environment: CONFIG, TLS, SQL and PASSWORDS folders; LOG folder; ARCHIVE_VOLUME, ARCHIVE_DAYS; STATE folder for the probes.
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

# Files of the timelines' history are small, and every restore needs them.
trim_archive() {
  [ -d "$ARCHIVE_VOLUME/wal" ] || return 0
  find "$ARCHIVE_VOLUME/wal" -type f -name '*.gz' ! -name '*.history.gz' -mtime "+$((ARCHIVE_DAYS - 1))" -delete
}

self=$(<"$0")
loaded=''
applied=''
pause=2
trimmed=-3600
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
  # Whoever changed the files sees here that both folders hold the same version, and that it is loaded and applied.
  if [ "$loaded" = "$(version "$CONFIG" "$TLS")" ] && [ "$applied" = "$(version "$SQL" "$PASSWORDS")" ] &&
    cmp -s "$CONFIG/version" "$SQL/version"; then
    cat "$SQL/version" >"$STATE/version.new"
    mv -f "$STATE/version.new" "$STATE/version"
  fi
  trim_logs
  if [ $((SECONDS - trimmed)) -ge 3600 ]; then
    trimmed=$SECONDS
    trim_archive
  fi
  sleep "$pause" &
  wait $!
done
