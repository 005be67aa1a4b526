#!/bin/bash
# Runs PgBouncer and keeps it current.
#
# - Certificates and the user list are mounted Secrets that change under a running pod (the operator renews certificates,
#   passwords are rotated), other pods come and go, and PgBouncer reads all that only when told: SIGHUP when it has changed.
# - PgBouncer logs why each connection ended: hold.sh reads there that the server is away, and cancels.sh that a cancel went to another pod. These lines
#   are kept out of the container's log unless the settings ask for them.
# - A pod that is to stop leaves its Service at the same moment as it gets SIGTERM. It runs for as long as the Service needs to forget it. Then
#   clients are sent away while they are idle, which a pool notices before it gives such a connection out; then all others at their next statement, or
#   when their transaction ends (SIGINT). PgBouncer ends with the last transaction, or after the time for draining (SIGQUIT). Its own answer to
#   SIGTERM waits for clients to leave, which pooled applications never do.
# - Runtimes start containers with a soft limit of 1024 open files or so: it is raised to the hard one, and a hard one that is too low
#   ends the container with the sum, before clients would hang in connections that are never accepted.
#
# Environment: POOLER_FILES and POOLER_FILES_SUM (how many open files, and what for), POOLER_CONFIG, POOLER_RUN (folder for sockets and what is written
# here), POOLER_WATCH (files, by spaces), POOLER_WATCH_SECONDS, POOLER_LEAVE_SECONDS, POOLER_IDLE_SECONDS (for sending idle
# clients away), POOLER_DRAIN_SECONDS, POOLER_LOG_ENDS (whether ends of connections are
# logged), and that of peers.sh and hold.sh.
set -u

hard=$(ulimit -Hn)
if [ "$hard" != unlimited ] && [ "$hard" -lt "$POOLER_FILES" ]; then
  echo "PgBouncer may open $hard files and needs $POOLER_FILES: $POOLER_FILES_SUM. Raise the container runtime's limit of open files" \
    "(LimitNOFILE), lower the pooler's maxClients, or ask for more instances." >&2
  exit 1
fi
ulimit -Sn "$hard"

scripts=${BASH_SOURCE[0]%/*}

# Writes who the peers are; false where that is as before, or unknown.
peers() {
  local new
  new=$(bash "$scripts/peers.sh") || [ ! -e "$POOLER_RUN/peers.ini" ] || return
  [ "$new" != "$(cat "$POOLER_RUN/peers.ini" 2>/dev/null)" ] && printf '%s\n' "$new" >"$POOLER_RUN/peers.ini"
}

fingerprint() {
  local content='' file
  for file in $POOLER_WATCH; do content+="$file:$(<"$file")"$'\n'; done
  printf '%s' "$content"
}

# A connection to a server that ended before it could be used.
away=' S-0x[^ ]+ [^ ]+ closing because: (connect failed|connect timeout|server DNS lookup failed|the database system |server conn crashed\? \(age=0s\))|error while executing exec_on_query'
# A cancel that went to another pod.
handed=' C-0x[^ ]+ peer-[0-9]+@[^ ]+ closing because: successfully sent cancel request'
ends='closing because: '
[ "$POOLER_LOG_ENDS" = true ] && ends='^$'

rm -f "$POOLER_RUN/away"
mkfifo "$POOLER_RUN/away"
exec 3<>"$POOLER_RUN/away"
# The others are looked up once it runs: a new pod's first question to the name server may get lost, and clients wait for it.
POOLER_PEERS='' peers
# With job control a child in the background takes signals as usual; without, bash has it ignore SIGINT and SIGQUIT.
set -m
pgbouncer "$POOLER_CONFIG" 2> >(
  tee >(exec grep --line-buffered -E "$away" >&3) \
    >(grep --line-buffered -E "$handed" | exec bash "$scripts/cancels.sh") |
    exec grep --line-buffered -v "$ends" >&2
) &
pooler=$!
set +m
POOLER_PID=$pooler bash "$scripts/hold.sh" <&3 &
hold=$!

alive() { kill -0 "$pooler" 2>/dev/null; }

leave() {
  trap '' TERM INT
  sleep "$POOLER_LEAVE_SECONDS"
  psql -Xq -h "$POOLER_RUN" -p "$POOLER_PORT" -U pgbouncer -d pgbouncer -c "SET client_idle_timeout = '0.1'"
  sleep "$POOLER_IDLE_SECONDS"
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
  if peers; then
    echo "pods have come or gone: reloading"
    kill -HUP "$pooler"
  fi
done
kill "$hold" 2>/dev/null
wait "$pooler"
