#!/bin/bash
# Lets no cancel wait that PgBouncer hands on to another pod. It opens one connection to a pod at a time, for the cancel that has waited longest; for those that
# came meanwhile it opens none until one more cancel for that pod comes (seen with 1.24, and read in 1.25). So one more comes from here, which names
# the pod and no client of it.
#
# Each line on standard input says that a cancel went to another pod. Environment: POOLER_RUN, POOLER_PORT.
set -u

# Pods for which cancels wait, each as often as there are cancels.
waiting() {
  psql -XAtq -F ' ' -h "$POOLER_RUN" -p "$POOLER_PORT" -U pgbouncer -d pgbouncer -c 'SHOW PEER_POOLS' |
    awk '{ for (; $3 > 0; $3--) print $1 }'
}

byte() { printf '%b' "\\x$(printf %02x "$1")"; }

another() {
  exec 9<>"/dev/tcp/localhost/$POOLER_PORT" || return
  # Length, the number of a cancel, and a key: the pod's number is in its second and third byte, and how often it may be handed on in its last.
  {
    printf '\x00\x00\x00\x10\x04\xd2\x16\x2e\x00'
    byte $(($1 & 255))
    byte $(($1 >> 8))
    printf '\x00\x00\x00\x00\x03'
  } >&9
  # Time for PgBouncer to open the connection; with this one's end nothing of it waits.
  read -r -t 0.01 -u 9
  exec 9>&-
}

send() {
  local peers peer tries
  for ((tries = 0; tries < 50; tries++)); do
    peers=$(waiting)
    [ -z "$peers" ] && break
    for peer in $peers; do another "$peer"; done
  done
}

# It reads on while it asks: PgBouncer waits where its log isn't read, and what it is asked waits for PgBouncer. Where its log ends, PgBouncer is gone.
while read -r _; do
  again=1
  while [ "$again" = 1 ]; do
    again=0
    send &
    sender=$!
    while kill -0 "$sender" 2>/dev/null; do
      read -r -t 0.05 _
      case $? in
      0) again=1 ;;
      1)
        kill "$sender"
        exit
        ;;
      esac
    done
  done
done
