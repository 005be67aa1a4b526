import type { Kubectl, KubeObject } from "./kubectl";

/** How pods of a live cluster reach the API server and DNS. */
export interface NetworkFacts {
  /** Where the API server listens behind its Service. */
  readonly apiServer: readonly { readonly address: string; readonly port: number }[];
  /** Addresses of the nodes themselves. */
  readonly nodes: readonly string[];
  /** What the kubelet of a node has pods ask for names; empty where it doesn't say. */
  readonly resolvers: readonly string[];
  /** Addresses of the Services in front of the DNS pods. */
  readonly dnsServices: readonly string[];
  /** Whether NodeLocal DNSCache runs. */
  readonly nodeLocalDns: boolean;
}

interface Slice extends KubeObject {
  endpoints?: { addresses?: string[] }[];
  ports?: { name?: string; port?: number }[];
}

/** Every place of the Service `kubernetes`, each once. */
export function apiServerOf(slices: readonly KubeObject[]): NetworkFacts["apiServer"] {
  const all = (slices as readonly Slice[]).flatMap(({ endpoints, ports }) =>
    (endpoints ?? []).flatMap(({ addresses }) =>
      (addresses ?? []).flatMap((address) =>
        (ports ?? []).flatMap(({ port }) => (port === undefined ? [] : [{ address, port }])),
      ),
    ),
  );
  return [...new Map(all.map((one) => [`${one.address} ${one.port}`, one])).values()];
}

export const nodeAddressesOf = (nodes: readonly KubeObject[]): string[] =>
  nodes.flatMap(({ status }) =>
    ((status?.addresses ?? []) as { type: string; address: string }[])
      .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
      .map(({ address }) => address),
  );

/** Reads them; what this user may not read counts as not there. Undefined where not even the API server's place can be read. */
export async function readNetwork(kubectl: Kubectl): Promise<NetworkFacts | undefined> {
  const asked = async (args: readonly string[]): Promise<unknown> => {
    const { stdout, exitCode } = await kubectl
      .run(args, { allowFailure: true, timeoutMs: 10_000 })
      // A node that doesn't answer keeps its configuration for itself.
      .catch(() => ({ stdout: "", exitCode: 1 }));
    return exitCode === 0 && stdout.trim() !== "" ? (JSON.parse(stdout) as unknown) : undefined;
  };
  const items = async (...args: string[]): Promise<KubeObject[] | undefined> =>
    ((await asked(["get", ...args, "-o", "json"])) as { items: KubeObject[] } | undefined)?.items;
  const [slices, nodes = [], services = [], openshift = [], caches = []] = await Promise.all([
    items("-n", "default", "endpointslices.discovery.k8s.io", "-l", "kubernetes.io/service-name=kubernetes"),
    items("nodes"),
    items("-n", "kube-system", "services", "-l", "k8s-app=kube-dns"),
    items("-n", "openshift-dns", "services"),
    items("-n", "kube-system", "daemonsets.apps", "-l", "k8s-app=node-local-dns"),
  ]);
  if (slices === undefined) return undefined;
  const [node] = nodes;
  const kubelet = (await (node &&
    asked(["get", "--raw", `/api/v1/nodes/${node.metadata.name}/proxy/configz`]))) as
    { kubeletconfig?: { clusterDNS?: string[] } } | undefined;
  return {
    apiServer: apiServerOf(slices),
    nodes: nodeAddressesOf(nodes),
    resolvers: kubelet?.kubeletconfig?.clusterDNS ?? [],
    dnsServices: [...services, ...openshift].flatMap(
      ({ spec }) => (spec?.clusterIPs as string[] | undefined) ?? [],
    ),
    nodeLocalDns: caches.length > 0,
  };
}
