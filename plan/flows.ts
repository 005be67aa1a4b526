import type { ClientSettings, Settings } from "../settings/schema";
import type { Plan } from "./plan";
import type { Flow, Peer } from "./network";
import { healthCheckLabels, poolerPorts } from "./names";
import type { PoolerPlan } from "./pooler/plan";
import { tcp } from "./network";

/** Pods that answer lookups, and their own port. */
const dnsPods = ({ platform }: Settings): { pods: Peer; port: number } =>
  platform === "openshift"
    ? {
        pods: {
          kind: "pods",
          name: "dns",
          namespace: "openshift-dns",
          labels: { "dns.operator.openshift.io/daemonset-dns": "default" },
        },
        port: 5353,
      }
    : {
        pods: { kind: "pods", name: "dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
        port: 53,
      };

/** Names are looked up by every pod of a namespace, at the DNS pods and where the settings say. */
export function lookupFlows(settings: Settings, namespace: string = settings.cluster.namespace): Flow[] {
  const everyone: Peer = { kind: "pods", name: "everyone", namespace, labels: {} };
  const { pods, port } = dnsPods(settings);
  const places = [
    { name: "dns", to: pods, port },
    ...settings.network.dns.map(({ cidr, port }, index) => ({
      name: `dns-${index}`,
      to: { kind: "addresses" as const, cidr },
      port,
    })),
  ];
  return places.flatMap(({ name, to, port }) =>
    (["UDP", "TCP"] as const).map((protocol): Flow => ({
      name: `${name}-${protocol.toLowerCase()}`,
      from: everyone,
      to,
      port,
      protocol,
      why: "every pod of the namespace finds the Services by name",
    })),
  );
}

const peerOf = (client: ClientSettings): Peer => ({
  kind: "pods",
  name: `client-${client.name}`,
  namespace: client.namespace,
  labels: client.labels,
});

/** Everything that may talk to anything in the cluster's namespace: what the parts need, and what the settings allow. */
export function allFlows(
  settings: Settings,
  plan: Plan,
  poolers: readonly PoolerPlan[],
  backups: readonly Flow[] = [],
): Flow[] {
  const { namespace } = settings.cluster;
  const instances = plan.pods;
  const healthCheck: Peer = { kind: "pods", name: "health-check", namespace, labels: healthCheckLabels };

  const clients = settings.clients.flatMap((client) => {
    const pooler = poolers.find(({ name }) => name === client.pooler);
    return [
      ...(pooler
        ? [
            tcp(
              `client-${client.name}-pooler`,
              peerOf(client),
              pooler.pods,
              poolerPorts.postgres,
              `the client ${client.name} uses the pooler ${pooler.name}`,
            ),
          ]
        : []),
      ...(client.direct
        ? [
            tcp(
              `client-${client.name}-direct`,
              peerOf(client),
              instances,
              plan.ports.postgres,
              `the client ${client.name} may connect to the instances themselves`,
            ),
          ]
        : []),
    ];
  });

  const health = [
    tcp(
      "health-check-instances",
      healthCheck,
      instances,
      plan.ports.postgres,
      "the last step of set-up reads its row on a standby",
    ),
    ...poolers.map(({ name, pods }) =>
      tcp(
        `health-check-pooler-${name}`,
        healthCheck,
        pods,
        poolerPorts.postgres,
        "the last step of set-up writes a row through the pooler",
      ),
    ),
  ];

  const reader = settings.monitoring.namespace;
  const monitoring =
    reader === undefined
      ? []
      : [
          tcp(
            "metrics-instances",
            { kind: "namespace", namespace: reader },
            plan.metricsPods ?? instances,
            plan.ports.metrics,
            "monitoring reads the instances' metrics",
          ),
          ...poolers.map(({ name, pods }) =>
            tcp(
              `metrics-pooler-${name}`,
              { kind: "namespace", namespace: reader },
              pods,
              poolerPorts.metrics,
              "monitoring reads the pooler's metrics",
            ),
          ),
        ];

  return [
    ...plan.flows,
    ...poolers.flatMap(({ flows }) => flows),
    ...backups,
    ...clients,
    ...health,
    ...monitoring,
    ...lookupFlows(settings),
  ];
}
