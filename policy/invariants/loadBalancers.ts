import { joined } from "../../plan/lists";
import { Deferred, type LoadBalancer } from "../../plan/engines/reader";
import { type KubernetesObject, namespaceOf } from "../../plan/objects";
import { openingOf } from "../../plan/opening";
import { isWide } from "../../settings/cidr";
import type { Problem } from "../../settings/problem";
import { isService, type Service } from "../kubernetes";
import { allOf, anyOf, each, mapped, together } from "../notKnown";
import { poolerFacts, stackFacts } from "../stackFacts";
import { selectsPods } from "../statefulSets";
import type { ObjectInvariant } from "./invariant";

/** Annotations by which a provider keeps a load balancer inside its own network, and their values. */
const inside: readonly [key: RegExp, value: RegExp][] = [
  [/aws-load-balancer-internal$/, /^(true|0\.0\.0\.0\/0)$/],
  [/aws-load-balancer-scheme$/, /^internal$/],
  [/azure-load-balancer-internal$/, /^true$/],
  [/(networking\.gke\.io|cloud\.google\.com)\/load-balancer-type$/, /^internal$/i],
  [/(openstack|oci)-?internal-load-balancer$|oci-load-balancer-internal$/, /^true$/],
  [/alibaba-cloud-loadbalancer-address-type$/, /^intranet$/],
  [/load-balancer\.hetzner\.cloud\/disable-public-network$/, /^true$/],
  [/ibm-load-balancer-cloud-provider-ip-type$/, /^private$/],
  [/qcloud-loadbalancer-internal-subnetid$/, /./],
  [/(scw-loadbalancer-private|do-loadbalancer-network)$/, /^(true|internal)$/i],
  [/^loadBalancerClass$/, /tailscale|internal/],
];
const ranges = /load-balancer-source-ranges$/;

const isInside = ({ annotations = {} }: LoadBalancer): boolean =>
  Object.entries(annotations).some(([key, value]) =>
    inside.some(([name, form]) => name.test(key) && form.test(value)),
  );

const HALF = 2 ** 31;

/** Ranges that let in what isn't one's own: one that is wider than any private one, or all of them together. */
function wideOf(sourceRanges: readonly string[]): readonly string[] {
  const wide = sourceRanges.filter((range) => isWide(range));
  if (wide.length > 0) return wide;
  const addresses = sourceRanges
    .filter((range) => !range.includes(":"))
    .reduce((sum, range) => sum + 2 ** (32 - Number(range.split("/")[1] ?? 32)), 0);
  return addresses >= HALF ? sourceRanges : [];
}

/** Ports and labels of a Service that leads to PostgreSQL or PgBouncer. */
const databasePorts = ["5432", "6432", "postgres", "postgresql", "pg", "pgbouncer"];
const databaseLabels = [
  "cnpg.io/cluster",
  "cnpg.io/poolerName",
  "connection-pooler",
  "pgplatform.io/cluster",
];

const looksLikeDatabase = ({ spec }: Service): boolean =>
  (spec?.ports ?? []).some((one) =>
    [one.port, one.targetPort, one.name].some((port) => databasePorts.includes(String(port))),
  ) ||
  Object.entries(spec?.selector ?? {}).some(
    ([key, value]) => databaseLabels.includes(key) || (key === "application" && value === "spilo"),
  );

/** Whether a Service leads to a database or a pooler; what its own words don't say, the pods of the stack do. */
function leadsToDatabase(service: Service, all: readonly KubernetesObject[] | undefined): boolean {
  if (looksLikeDatabase(service)) return true;
  if (all === undefined) throw new Deferred("what it selects");
  const { clusters, poolers } = stackFacts(all);
  const pods = joined(
    mapped(clusters, (one) => ({ namespace: one.namespace, labels: one.network.pods })),
    mapped(poolers, (one) => ({ namespace: one.namespace, labels: one.podLabels })),
  );
  return anyOf(pods, ({ namespace, labels }) =>
    allOf(
      () => namespace === namespaceOf(service),
      () => selectsPods(service.spec?.selector, labels),
    ),
  );
}

function rangesOf(opening: LoadBalancer): Problem[] {
  const { service, type, sourceRanges, annotations = {} } = opening;
  if (type === "ClusterIP") return [];
  if (type === "NodePort")
    return [
      {
        path: `type of the Service ${service}`,
        value: "NodePort",
        allowed:
          "ClusterIP, or a load balancer with source ranges: a port of every node is open to all that reach one",
        fix: "make it a ClusterIP",
      },
    ];
  if (isInside(opening)) return [];
  const annotated = Object.entries(annotations).find(([key]) => ranges.test(key))?.[1];
  const listed = [...sourceRanges, ...(annotated?.split(",").map((range) => range.trim()) ?? [])];
  const wide = wideOf(listed);
  if (listed.length > 0 && wide.length === 0) return [];
  return [
    {
      path: `loadBalancerSourceRanges of the Service ${service}`,
      value: listed.length === 0 ? undefined : wide,
      allowed: "ranges of the clients' addresses",
      fix: "list them, or use a ClusterIP",
    },
  ];
}

const outside = ({ service, externalIPs = [] }: LoadBalancer): Problem[] =>
  externalIPs.length === 0
    ? []
    : [
        {
          path: `externalIPs of the Service ${service}`,
          value: externalIPs,
          allowed: "none: they take no source ranges",
          fix: "remove them",
        },
      ];

const problemsOf = (opening: LoadBalancer): Problem[] => [...rangesOf(opening), ...outside(opening)];

export const loadBalancersInvariant: ObjectInvariant = {
  number: "29",
  name: "load-balancer-ranges",
  description:
    "A Service that leads to a database or a pooler lets in listed ranges of addresses only, or stays in the provider's network.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Set `spec.loadBalancerSourceRanges` to the clients' addresses (Zalando: `allowedSourceRanges`), make the Service a ClusterIP, or keep it in the provider's " +
    "network by the provider's annotation.",
  on: "object",
  check(object, _options, facts, all): Problem[] {
    if (isService(object)) {
      const { metadata, spec } = object;
      const opening = openingOf(metadata.name, spec, metadata.annotations);
      return opening !== undefined && leadsToDatabase(object, all) ? problemsOf(opening) : [];
    }
    return together(
      () => each(facts?.loadBalancers ?? [], problemsOf),
      () => each(poolerFacts(object, all), ({ loadBalancers = [] }) => each(loadBalancers, problemsOf)),
    );
  },
};
