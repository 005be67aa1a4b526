import { join } from "node:path";
import { builtInApi } from "../../settings/builtIn";
import { stateDir } from "../../shell/paths";

/**
 * Where the built-in cluster lives on the machine and on its network.
 *
 * All addresses are of 198.18.0.0/15, the range for tests between machines: it collides with no private network, and no
 * router forwards it.
 */
export const settings = {
  /** Names the cluster in the kubeconfig, and begins the name of whatever is made on the host. */
  name: "pgplatform",
  folder: join(stateDir, "cluster"),
  /** The host's end of the cable to the switch that connects the nodes. */
  hostLink: "pgplatform0",
  apiAddress: builtInApi.address,
  apiPort: builtInApi.port,
  nodeNetworkBits: 24,
  podRange: "198.18.0.0/17",
  serviceRange: "198.19.0.0/16",
  kubernetesServiceAddress: "198.19.0.1",
  dnsAddress: "198.19.0.10",
  etcdClientUrl: "https://127.0.0.1:12379",
  etcdPeerUrl: "https://127.0.0.1:12380",
} as const;

export interface ClusterNode {
  name: string;
  zone: string;
  address: string;
  podRange: string;
}

export const nodes: readonly ClusterNode[] = [1, 2, 3].map((number) => ({
  name: `n${number}`,
  zone: `z${number}`,
  address: `198.18.250.${10 + number}`,
  podRange: `198.18.${number}.0/24`,
}));

/** The node that the host sends traffic for services to. */
export const gatewayNode = nodes[0] as ClusterNode;

/** Folders and files of the cluster's state. */
export const paths = {
  kubeconfig: join(settings.folder, "kubeconfig"),
  pki: join(settings.folder, "pki"),
  pids: join(settings.folder, "pids"),
  logs: join(settings.folder, "logs"),
  etcd: join(settings.folder, "etcd"),
  lock: join(settings.folder, "lock"),
  node: (name: string) => join(settings.folder, "nodes", name),
};
