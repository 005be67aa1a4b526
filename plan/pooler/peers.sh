#!/bin/bash
# Prints the part of PgBouncer's configuration by which cancels arrive: this pod's number, and every pod's number with its address. It continues the section
# [pgbouncer], which it must not open again: that would reset what stands there.
#
# A cancel comes over a connection of its own, which the Service leads to any pod. PgBouncer hands it on to the pod whose number is in its key,
# in clear: the key is all that it carries. Numbers are made of addresses, so that each pod knows the others' by their addresses alone.
#
# Environment: POOLER_ADDRESS (of this pod), POOLER_PEERS (name that all pods' addresses have), POOLER_PORT.
set -u

# From 1 to 16383, as PgBouncer allows; addresses of IPv4 that lie less than 16383 apart never share one.
number() {
  local checksum
  if [[ $1 =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$ ]]; then
    checksum=$(((BASH_REMATCH[1] << 24) + (BASH_REMATCH[2] << 16) + (BASH_REMATCH[3] << 8) + BASH_REMATCH[4]))
  else
    checksum=$(printf '%s' "$1" | cksum)
  fi
  echo $((${checksum%% *} % 16383 + 1))
}

own=$(number "$POOLER_ADDRESS")
# A name server that doesn't answer must not hold up what waits for this.
addresses=$(timeout 2 getent ahosts "$POOLER_PEERS" | awk '$2 == "STREAM" { print $1 }' | sort -u)
printf 'peer_id = %s\n\n[peers]\n' "$own"
for address in $addresses; do
  [ "$address" = "$POOLER_ADDRESS" ] && continue
  peer=$(number "$address")
  if [ "$peer" = "$own" ]; then
    echo "$address and this pod have the same number, $own: some of their cancels get lost" >&2
  else
    echo "$peer = host=$address port=$POOLER_PORT pool_size=32"
  fi
done
# Names that can't be looked up say nothing of the pods: what was known before stays.
[ -n "$addresses" ]
