import { pins } from "../../releases/pins";
import { settings, type ClusterNode } from "./settings";

/** Folders as processes inside a node see them; `node-init.sh` makes them. */
export const inNode = {
  state: "/run/pgplatform",
  containerdSocket: "/run/containerd/containerd.sock",
  volumes: "/var/lib/local-path",
} as const;

/** What one node may promise to pods, of a machine that all nodes share. */
export interface Share {
  milliCpus: number;
  memoryMiB: number;
}

/** The part of the machine's memory that pods can't have: control plane, kubelets, containerd, and the host itself. */
const hostMemoryMiB = 2048;

/**
 * Splits the machine evenly, so that the nodes together promise about what it has.
 *
 * Processors are split whole: the control plane competes for them but needs few. Memory is split after the host's part.
 */
export function nodeShare(cpus: number, memoryMiB: number, nodes: number): Share {
  const memory = Math.floor((memoryMiB - hostMemoryMiB) / nodes);
  if (memory < 1024) {
    throw new Error(
      `The machine has ${memoryMiB} MiB of memory; the built-in cluster needs ${hostMemoryMiB + nodes * 1024} MiB.`,
    );
  }
  return { milliCpus: Math.floor((cpus * 1000) / nodes), memoryMiB: memory };
}

/** Memory below which the kubelet evicts pods; it counts against what a node may promise. */
const evictionMiB = 100;

export function kubeletConfig(node: ClusterNode, cpus: number, memoryMiB: number, share: Share): object {
  const { state } = inNode;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: node.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${state}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${state}/node.crt`,
    tlsPrivateKeyFile: `${state}/node.key`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${settings.name}/${node.name}`,
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${inNode.containerdSocket}`,
    clusterDNS: [settings.dnsAddress],
    clusterDomain: "cluster.local",
    resolvConf: `${state}/resolv.conf`,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    makeIPTablesUtilChains: false,
    // Images come from files: one that was removed for want of space could not be pulled again.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "memory.available": `${evictionMiB}Mi`,
      "nodefs.available": "1Gi",
      "imagefs.available": "1Gi",
    },
    systemReserved: {
      cpu: `${Math.max(0, cpus * 1000 - share.milliCpus)}m`,
      memory: `${Math.max(0, memoryMiB - share.memoryMiB - evictionMiB)}Mi`,
    },
    nodeStatusUpdateFrequency: "5s",
    nodeLeaseDurationSeconds: 15,
    serializeImagePulls: false,
    healthzBindAddress: "127.0.0.1",
  };
}

export function containerdConfig(): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "${inNode.containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pins.images.pause}"
  # Where the machine withholds CAP_SYS_RESOURCE, a container that asked for less than its parent's value would fail.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${inNode.state}/cni"
`;
}

/** The container network: one bridge per node, addresses of the node's own range, no translation of addresses. */
export function cniConfig(node: ClusterNode): object {
  return {
    cniVersion: "1.0.0",
    name: settings.name,
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        isDefaultGateway: true,
        hairpinMode: true,
        ipMasq: false,
        mtu: 1500,
        ipam: { type: "host-local", dataDir: "/run/cni", ranges: [[{ subnet: node.podRange }]] },
      },
    ],
  };
}
