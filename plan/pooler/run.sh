#!/bin/bash
# Runs PgBouncer and keeps it current.
#
# - Certificates and the user list are mounted Secrets that change under a running pod (the operator renews certificates,
#   passwords are rotated), and PgBouncer reads them only when told: SIGHUP when their content has changed.
# - A pod that is to stop leaves its Service at the same moment as it gets SIGTERM. PgBouncer's own answer to SIGTERM
#   (since 1.23) waits until the last client leaves, which pooled applications never do; so: run for as long as
#   the Service needs, then SIGINT (no new clients; each client goes when its transaction ends), and SIGQUIT at the end.
#
# - Runtimes start containers with a soft limit of 1024 open files or so: it is raised to the hard one, and a hard one that is too low
#   ends the container with the sum, before clients would hang in connections that are never accepted.
#
# Environment: POOLER_FILES and POOLER_FILES_SUM (how many open files, and what for), POOLER_CONFIG, POOLER_WATCH (files, by spaces), POOLER_WATCH_SECONDS, POOLER_LEAVE_SECONDS, POOLER_DRAIN_SECONDS.
set -u

hard=$(ulimit -Hn)
if [ "$hard" != unlimited ] && [ "$hard" -lt "$POOLER_FILES" ]; then
  echo "PgBouncer may open $hard files and needs $POOLER_FILES: $POOLER_FILES_SUM. Raise the container runtime's limit of open files" \
    "(LimitNOFILE), lower the pooler's maxClients, or ask for more instances." >&2
  exit 1
fi
ulimit -Sn "$hard"

# With job control a child in the background takes signals as usual; without, bash has it ignore SIGINT and SIGQUIT.
set -m
pgbouncer "$POOLER_CONFIG" &
pooler=$!
set +m

fingerprint() {
  local content='' file
  for file in $POOLER_WATCH; do content+="$file:$(<"$file")"$'\n'; done
  printf '%s' "$content"
}

alive() { kill -0 "$pooler" 2>/dev/null; }

leave() {
  trap '' TERM INT
  sleep "$POOLER_LEAVE_SECONDS"
  kill -INT "$pooler" 2>/dev/null
  for ((second = 0; second < POOLER_DRAIN_SECONDS; second++)); do
    alive || break
    sleep 1
  done
  kill -QUIT "$pooler" 2>/dev/null
}
trap leave TERM INT

known=$(fingerprint)
while alive; do
  sleep "$POOLER_WATCH_SECONDS" &
  timer=$!
  wait -n "$pooler" "$timer"
  kill "$timer" 2>/dev/null
  alive || break
  now=$(fingerprint)
  if [ "$now" != "$known" ]; then
    known=$now
    echo "mounted certificates or users have changed: reloading"
    kill -HUP "$pooler"
  fi
done
wait "$pooler"
