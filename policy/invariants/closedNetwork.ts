import type { Facts, PoolerFacts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { storePorts } from "../backups";
import { isEmpty } from "../kubernetes";
import {
  deniesAll,
  type NetworkPolicy,
  networkPoliciesOf,
  type Opening,
  passes,
  type Peer,
  type Pod,
} from "../networkPolicies";
import { displayName, type StackInvariant } from "./invariant";

/** Where a flow may lead: one of several places must be open. */
type Places = readonly { readonly pod: Pod; readonly port: number }[];

/** Where names are looked up. */
const dns: Places = [
  { pod: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } }, port: 53 },
  {
    pod: { namespace: "openshift-dns", labels: { "dns.operator.openshift.io/daemonset-dns": "default" } },
    port: 5353,
  },
];

interface Options {
  readonly metricsNamespace: string;
  readonly anyAddressPorts: readonly number[];
}

/** Flows that the instances need, each way: [what, direction, pod, others]. */
function needed(cluster: Facts, poolers: readonly PoolerFacts[], { metricsNamespace }: Options) {
  const { namespace, network, services } = cluster;
  const { pods: labels, operator, ports } = network;
  const instances: Pod = { namespace, labels };
  const at = (pod: Pod, port: number): Places => [{ pod, port }];
  const flows: [what: string, direction: "ingress" | "egress", pod: Pod, others: Places][] = [
    ["DNS", "egress", instances, dns],
  ];
  // Without an operator nothing ever adds an instance to the one that is there.
  if (operator)
    flows.unshift(
      ["the operator's status reads", "ingress", instances, at(operator, operator.statusPort)],
      ["replication", "ingress", instances, at(instances, ports.postgres)],
      ["replication", "egress", instances, at(instances, ports.postgres)],
    );
  for (const pooler of poolers) {
    const behind = Object.values(services);
    if (pooler.namespace !== namespace || !pooler.pools.some(({ service }) => behind.includes(service)))
      continue;
    const pods: Pod = { namespace, labels: pooler.podLabels };
    flows.push([`the pooler ${pooler.name}`, "ingress", instances, at(pods, ports.postgres)]);
    flows.push([`the pooler ${pooler.name}`, "egress", pods, at(instances, ports.postgres)]);
    flows.push([`DNS of the pooler ${pooler.name}`, "egress", pods, dns]);
  }
  if (metricsNamespace !== "")
    flows.push([
      "metrics",
      "ingress",
      instances,
      at({ namespace: metricsNamespace, labels: {} }, ports.metrics),
    ]);
  return flows;
}

const anyAddress = ["0.0.0.0/0", "::/0"];

/** Why a peer is too wide, or undefined. */
function wide(
  peer: Peer,
  direction: "ingress" | "egress",
  opening: Opening,
  options: Options,
): string | undefined {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock) {
    if (!anyAddress.includes(ipBlock.cidr)) return undefined;
    const listed = (opening.ports ?? []).every(
      ({ port, endPort }) =>
        typeof port === "number" && endPort === undefined && options.anyAddressPorts.includes(port),
    );
    return direction === "egress" && listed ? undefined : `every address (${ipBlock.cidr})`;
  }
  if (namespaceSelector && isEmpty(namespaceSelector)) return "every namespace";
  if (!namespaceSelector && isEmpty(podSelector ?? {})) return "every pod of the namespace";
  return undefined;
}

function tooOpen(policy: NetworkPolicy, options: Options): Problem[] {
  const at = displayName("NetworkPolicy", {
    namespace: policy.metadata.namespace ?? "default",
    name: policy.metadata.name,
  });
  return (["ingress", "egress"] as const).flatMap((direction) =>
    (policy.spec?.[direction] ?? []).flatMap((opening, index): Problem[] => {
      const path = `${at}: ${direction}[${index}]`;
      const peers = opening[direction === "ingress" ? "from" : "to"] ?? [];
      const problems: Problem[] = [];
      if (peers.length === 0)
        problems.push({
          path: `${path} peers`,
          value: "any peer",
          allowed: "listed peers",
          fix: "list them",
        });
      if ((opening.ports ?? []).length === 0 || (opening.ports ?? []).some(({ port }) => port === undefined))
        problems.push({ path: `${path} ports`, value: "all", allowed: "listed ports", fix: "list them" });
      for (const peer of peers) {
        const who = wide(peer, direction, opening, options);
        if (who !== undefined)
          problems.push({
            path: `${path} peers`,
            value: who,
            allowed: "only the pods that need it",
            fix: "select by labels, or narrow the range",
          });
      }
      return problems;
    }),
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
    "Add a NetworkPolicy with `podSelector: {}` and both policy types that opens nothing, then one for each group of pods with exactly " +
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
    const { objects, clusters, poolers } = stack;
    const given = values as unknown as Options;
    const options = { ...given, anyAddressPorts: [...given.anyAddressPorts, ...storePorts(stack)] };
    const namespaces = [...new Set(clusters.map(({ namespace }) => namespace))];
    return namespaces.flatMap((namespace): Problem[] => {
      const policies = networkPoliciesOf(objects, namespace);
      const opened = policies.flatMap((policy) => tooOpen(policy, options));
      if (!policies.some(deniesAll))
        return [
          {
            path: `Namespace ${namespace}: network`,
            value: "open",
            allowed: `a NetworkPolicy that denies everything, and others that open listed flows`,
            fix: "add them to the stack",
          },
          ...opened,
        ];
      const closed = clusters
        .filter((cluster) => cluster.namespace === namespace)
        .flatMap((cluster) =>
          needed(cluster, poolers, options)
            .filter(
              ([, direction, pod, others]) =>
                !others.some((other) => passes(policies, direction, pod, other.pod, other.port)),
            )
            .map(([what, direction, , [other]]) => ({
              path: `${displayName("Cluster", cluster)}: network for ${what}`,
              value: "closed",
              allowed: `open, ${direction} on port ${other?.port}`,
              fix: "add a NetworkPolicy for it",
            })),
        );
      return [...closed, ...opened];
    });
  },
};
