#!/bin/bash
# A pooler's container, as the runtime makes it: the image's file system, read-only, with the pod's files mounted, and process 1 in a network of its own.
# Arguments: the image's files, the pod's folder, and the command. The environment is the container's.
set -eu
image=$1 pod=$2
shift 2
mount --make-rprivate /
mount --bind "$image" "$image"
for mounted in etc/pgbouncer etc/pgbouncer-tls etc/pgbouncer-ca etc/pgbouncer-users run/pgbouncer etc/hosts; do
  mount --bind "$pod/$mounted" "$image/$mounted"
done
mount --rbind /dev "$image/dev"
mount -t proc proc "$image/proc"
mount -o remount,bind,ro "$image"
until ip addr show eth0 2>/dev/null | grep -q inet; do sleep 0.05; done
exec chroot --userspec=998:996 "$image" "$@"
