#!/bin/bash
# Process 1 of a node. It runs in mount, PID, network, UTS and IPC namespaces of its own, so that killing it is a power
# failure: every process of the node ends with it, and every mount, link and address goes.
#
# Usage: node-init.sh NAME ADDRESS ZONE POD_RANGE STATE_FOLDER NODE_PROGRAM NETPOL_PROGRAM
set -eu
name=$1 address=$2 zone=$3 pod_range=$4 state_folder=$5 node_program=$6 netpol_program=$7

mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
echo "$name" > /proc/sys/kernel/hostname

# Folders that Kubernetes expects at fixed places hide the host's, so that nothing is written there. What must survive
# the node lies in its state folder.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/pgplatform /run/lock
mount --bind "$state_folder" /run/pgplatform
for program in node netpol; do : > "/run/$program"; done
mount --bind "$node_program" /run/node
mount --bind "$netpol_program" /run/netpol
mount -t tmpfs -o mode=755 tmpfs /var/log
mount -t tmpfs -o mode=755 tmpfs /var/lib
for folder in kubelet containerd local-path; do
  mkdir -p "/run/pgplatform/$folder" "/var/lib/$folder"
  mount --bind "/run/pgplatform/$folder" "/var/lib/$folder"
done
mkdir -p /run/pgplatform/pods /var/log/pods
mount --bind /run/pgplatform/pods /var/log/pods

# The host plugs the cable in and gives the address.
until ip -4 -oneline address show dev eth0 2> /dev/null | grep -qF " $address/"; do sleep 0.05; done
echo 1 > /proc/sys/net/ipv4/ip_forward
# Traffic between two pods of this node passes the packet filter too.
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
# The cluster has IPv4 alone, and so have the network policies; but the kernel gives each pod an IPv6 address for its own link,
# by which pods of one node would reach each other past them. What the node itself sends isn't forwarded.
nft -f - << 'END' || echo "$(date +%T) IPv6 between pods of this node is not stopped" >> /run/pgplatform/netpol.log
table bridge pgplatform_ipv4 {
  chain forward {
    type filter hook forward priority filter; policy accept;
    meta protocol ip6 drop
  }
}
END

# keep LABEL COMMAND…: runs a command again whenever it ends, a second later.
keep() {
  local label=$1
  shift
  (
    while :; do
      code=0
      "$@" >> "/run/pgplatform/$label.log" 2>&1 < /dev/null || code=$?
      echo "$(date +%T) $label ended with $code" >> "/run/pgplatform/$label.log"
      sleep 1
    done
  ) &
}

keep containerd containerd --config /run/pgplatform/containerd.toml
keep kubelet /run/node kubelet --config=/run/pgplatform/kubelet.json --kubeconfig=/run/pgplatform/node.kubeconfig \
  --hostname-override="$name" --node-ip="$address" \
  --node-labels="topology.kubernetes.io/zone=$zone,topology.kubernetes.io/region=local"
keep kube-proxy /run/node kube-proxy --kubeconfig=/run/pgplatform/proxy.kubeconfig --hostname-override="$name" \
  --proxy-mode=nftables --cluster-cidr="$pod_range" --conntrack-max-per-core=0 --bind-address="$address" \
  --metrics-bind-address=127.0.0.1:10249
keep netpol /run/netpol --kubeconfig=/run/pgplatform/netpol.kubeconfig --node="$name"

# As process 1 it also collects the orphans that containers leave.
while :; do
  wait || true
  sleep 1
done
