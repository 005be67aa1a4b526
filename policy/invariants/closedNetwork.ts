import { joined } from "../../plan/lists";
import type { Facts, PoolerFacts } from "../../plan/engines/reader";
import { namespaceOf } from "../../plan/objects";
import { isWide } from "../../settings/cidr";
import type { Problem } from "../../settings/problem";
import { storePorts } from "../backups";
import { isEmpty } from "../kubernetes";
import {
  closesAll,
  isNetworkPolicy,
  type NetworkPolicy,
  type Opening,
  opens,
  type Peer,
  type Pod,
  reaches,
  portsIn,
  reachesSome,
  takesUnnamed,
} from "../networkPolicies";
import { allOf, anyOf, each, together } from "../notKnown";
import { displayName, type StackFacts, type StackInvariant } from "./invariant";

interface Options {
  readonly metricsNamespace: string;
  readonly anyAddressPorts: readonly number[];
}

/** A flow that must pass: an opening for one of the ports, of which one peer is right. */
interface Flow {
  readonly what: string;
  readonly direction: "ingress" | "egress";
  readonly pod: Pod;
  readonly ports: readonly number[];
  /** @default TCP */
  readonly protocol?: "TCP" | "UDP";
  readonly isRight: (peer: Peer) => boolean;
}

/** Where names are looked up: at pods of one of these namespaces, or at an address, such as NodeLocal DNSCache's. */
const dnsNamespaces = ["kube-system", "openshift-dns"];
const dns = (what: string, pod: Pod): Flow => ({
  what,
  direction: "egress",
  pod,
  ports: [53, 5353],
  protocol: "UDP",
  isRight: (peer) =>
    peer.ipBlock !== undefined || dnsNamespaces.some((namespace) => reachesSome(peer, namespace)),
});

const instancesOf = ({ namespace, network }: Facts): Pod => ({ namespace, labels: network.pods });

/** Connections to a cluster's instances, as one of the two ends sees them. */
const between = (
  { network }: Facts,
  what: string,
  direction: Flow["direction"],
  pod: Pod,
  other: Pod,
): Flow => ({
  what,
  direction,
  pod,
  ports: [network.ports.postgres],
  isRight: (peer) => reaches(peer, other, pod.namespace),
});

/** Flows that the instances need by themselves, each way. */
function needed(cluster: Facts, { metricsNamespace }: Options): Flow[] {
  const { namespace, network } = cluster;
  const { operator, ports } = network;
  const instances = instancesOf(cluster);
  const flows: Flow[] = [dns("DNS", instances)];
  // Without an operator nothing ever adds an instance to the one that is there.
  if (operator)
    flows.unshift(
      {
        what: "the operator's status reads",
        direction: "ingress",
        pod: instances,
        ports: [operator.statusPort],
        // It may be installed anywhere, under labels of its own.
        isRight: (peer) => peer.namespaceSelector !== undefined || reaches(peer, operator, namespace),
      },
      between(cluster, "replication", "ingress", instances, instances),
      between(cluster, "replication", "egress", instances, instances),
    );
  if (metricsNamespace !== "")
    flows.push({
      what: "metrics",
      direction: "ingress",
      pod: instances,
      ports: [ports.metrics],
      // Which of its pods reads them is told by labels that aren't known here.
      isRight: (peer) => reachesSome(peer, metricsNamespace),
    });
  return flows;
}

/** Flows that a pooler needs to a cluster that is behind it, wherever it is itself: what leaves it is its own namespace's matter. */
function throughPooler(cluster: Facts, pooler: PoolerFacts): Flow[] {
  const { namespace, services } = cluster;
  const isBehind = pooler.pools.some((pool) =>
    allOf(
      () => (pool.namespace ?? pooler.namespace) === namespace,
      () => Object.values(services).includes(pool.service),
    ),
  );
  if (!isBehind) return [];
  const instances = instancesOf(cluster);
  const pods: Pod = { namespace: pooler.namespace, labels: pooler.podLabels };
  const ingress = between(cluster, `the pooler ${pooler.name}`, "ingress", instances, pods);
  return pooler.namespace !== namespace
    ? [ingress]
    : [
        ingress,
        between(cluster, `the pooler ${pooler.name}`, "egress", pods, instances),
        dns(`DNS of the pooler ${pooler.name}`, pods),
      ];
}

const HALF = 2 ** 31;

/** Whether a range, or all of an opening's together, is wider than any private one. */
function isAnywhere({ cidr }: NonNullable<Peer["ipBlock"]>, peers: readonly Peer[]): boolean {
  if (isWide(cidr)) return true;
  const all = peers
    .flatMap(({ ipBlock }) => ipBlock?.cidr ?? [])
    .filter((one) => !one.includes(":"))
    .reduce((sum, one) => sum + 2 ** (32 - Number(one.split("/")[1] ?? 32)), 0);
  return !cidr.includes(":") && all >= HALF;
}

/** Why a peer is too wide, or undefined. */
function wide(
  peer: Peer,
  peers: readonly Peer[],
  direction: "ingress" | "egress",
  opening: Opening,
  options: Options,
): string | undefined {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock) {
    if (!isAnywhere(ipBlock, peers)) return undefined;
    const listed = (opening.ports ?? []).every(
      ({ port, endPort }) =>
        endPort === undefined &&
        anyOf(joined(options.anyAddressPorts, [53]), (allowed) => allowed === Number(port)),
    );
    return direction === "egress" && listed ? undefined : `every address (${ipBlock.cidr})`;
  }
  const [selector, everything] = namespaceSelector
    ? [namespaceSelector, "every namespace"]
    : [podSelector ?? {}, "every pod of the namespace"];
  if (!takesUnnamed(selector)) return undefined;
  return isEmpty(selector) ? everything : `${everything} that it doesn't exclude`;
}

/** Who opens more ports than the well-known ones lists none. */
const MOST_PORTS = 1024;

function tooManyPorts(opening: Opening, path: string): Problem[] {
  const { ports = [] } = opening;
  const fix = "list them";
  if (ports.length === 0 || ports.some(({ port }) => port === undefined))
    return [{ path, value: "all", allowed: "listed ports", fix }];
  const count = portsIn(opening);
  return count <= MOST_PORTS
    ? []
    : [
        {
          path,
          value: `${count} ports`,
          allowed: `listed ports, or ranges of at most ${MOST_PORTS} together`,
          fix,
        },
      ];
}

function tooOpen(policy: NetworkPolicy, options: Options): Problem[] {
  const at = displayName("NetworkPolicy", {
    namespace: policy.metadata.namespace ?? "default",
    name: policy.metadata.name,
  });
  return each(["ingress", "egress"] as const, (direction) =>
    each(policy.spec?.[direction] ?? [], (opening, index) => {
      const path = `${at}: ${direction}[${index}]`;
      const peers = () => opening[direction === "ingress" ? "from" : "to"] ?? [];
      return together(
        () =>
          peers().length === 0
            ? [{ path: `${path} peers`, value: "any peer", allowed: "listed peers", fix: "list them" }]
            : [],
        () => tooManyPorts(opening, `${path} ports`),
        () =>
          each(peers(), (peer) => {
            const who = wide(peer, peers(), direction, opening, options);
            return who === undefined
              ? []
              : [
                  {
                    path: `${path} peers`,
                    value: who,
                    allowed: "only the pods that need it",
                    fix: "select by labels, or narrow the range",
                  },
                ];
          }),
      );
    }),
  );
}

/** A flow that a cluster needs and that no policy opens. */
const closed = (cluster: Facts, policies: readonly NetworkPolicy[], flow: Flow): Problem[] =>
  opens(policies, flow)
    ? []
    : [
        {
          path: `${displayName("Cluster", cluster)}: network for ${flow.what}`,
          value: "closed",
          allowed: `open, ${flow.direction} on ${flow.protocol ?? "TCP"} port ${flow.ports[0]}`,
          fix: "add a NetworkPolicy for it",
        },
      ];

function problemsIn(
  namespace: string,
  { objects, clusters, poolers }: StackFacts,
  options: Options,
): Problem[] {
  const policies = objects.filter(isNetworkPolicy);
  const isOpen = () =>
    anyOf(["Ingress", "Egress"] as const, (direction) => !closesAll(policies, namespace, direction));
  const missing = () =>
    each(clusters, (cluster) =>
      cluster.namespace !== namespace
        ? []
        : together(
            () => each(needed(cluster, options), (flow) => closed(cluster, policies, flow)),
            () =>
              each(poolers, (pooler) =>
                each(throughPooler(cluster, pooler), (flow) => closed(cluster, policies, flow)),
              ),
          ),
    );
  return together(
    () =>
      isOpen()
        ? [
            {
              path: `Namespace ${namespace}: network`,
              value: "open",
              allowed: `a NetworkPolicy that denies everything, and others that open listed flows`,
              fix: "add them to the stack",
            },
          ]
        : missing(),
    () => each(policies, (policy) => (namespaceOf(policy) === namespace ? tooOpen(policy, options) : [])),
  );
}

export const closedNetworkInvariant: StackInvariant = {
  number: "28",
  name: "closed-network",
  description:
    "A cluster's namespace denies all traffic but listed flows, which include the operator, replication, poolers, metrics and DNS.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Add a NetworkPolicy with `podSelector: {}` and both policy types that opens nothing (or one for each type), then one for each group of pods with exactly " +
    "its peers and ports. The platform's components make them from `pgplatform:clients` and their own needs.",
  options: {
    metricsNamespace: {
      type: "string",
      default: "",
      description: "Namespace that must be able to read the metrics port; empty where no pod reads metrics.",
    },
    anyAddressPorts: {
      type: "array",
      items: { type: "integer" },
      default: [443, 6443],
      description:
        "Ports on which pods may reach any address, beside those of the stack's stores: the API server's, where its addresses aren't fixed.",
    },
  },
  on: "stack",
  check(stack, values): Problem[] {
    const { clusters } = stack;
    const given = values as unknown as Options;
    const options = { ...given, anyAddressPorts: joined(given.anyAddressPorts, storePorts(stack)) };
    const judged = new Set<string>();
    return each(clusters, ({ namespace }) => {
      if (judged.has(namespace)) return [];
      judged.add(namespace);
      return problemsIn(namespace, stack, options);
    });
  },
};
