import type { Settings } from "../../../settings/schema";
import type { Receiver } from "../../../settings/schema/monitoringInstall";
import { lookupFlows } from "../../flows";
import { anyAddress, apiServerFlows, tcp, type Flow, type Peer } from "../../network";
import { metricsPort } from "../../backup/names";
import { poolerPorts } from "../../names";
import { monitor } from "../names";
import { installationOf, podsOf, ports, type Installation } from "./names";

/** What may pass to and from what is installed. */

/** Where nothing but Prometheus needs the metrics, its pods alone may read them, and not all of its namespace. */
export function readByPrometheus(settings: Settings, flows: readonly Flow[]): Flow[] {
  const installation = installationOf(settings);
  if (installation === undefined) return [...flows];
  const { namespace } = installation;
  const narrowed = (peer: Peer): Peer =>
    peer.kind === "namespace" && peer.namespace === namespace ? podsOf("prometheus", namespace) : peer;
  return flows.map((flow) => ({ ...flow, from: narrowed(flow.from) }));
}

const portOf = (address: string, otherwise: number): number =>
  Number(/^(?:https?:\/\/)?[^/:]+:(\d+)/.exec(address)?.[1] ?? otherwise);

function receiverFlow(receiver: Receiver, alertmanager: Peer): Flow {
  const anywhere: Peer = { kind: "addresses", cidr: anyAddress.v4 };
  const to = (peer: Peer, port: number) =>
    tcp(
      `receiver-${receiver.name}`,
      alertmanager,
      peer,
      port,
      `alerts are sent to the receiver ${receiver.name}`,
    );
  if (receiver.kind === "email") return to(anywhere, portOf(receiver.smtp, 587));
  if (receiver.kind !== "webhook") return to(anywhere, 443);
  const { pods, url } = receiver;
  return pods
    ? to(
        {
          kind: "pods",
          name: `receiver-${receiver.name}`,
          namespace: pods.namespace,
          labels: pods.labels,
        },
        pods.port,
      )
    : to(anywhere, portOf(url, url.startsWith("https:") ? 443 : 80));
}

/** Of the installed pods, beside what they read in the cluster's namespace. `engineOperator`: namespace of the engine's operator, if it has one. */
export function installFlows(
  settings: Settings,
  { namespace, install }: Installation,
  engineOperator: string | undefined,
): Flow[] {
  const prometheus = podsOf("prometheus", namespace);
  const operator = podsOf("operator", namespace);
  const alertmanager = podsOf("alertmanager", namespace);
  const kubeStateMetrics = podsOf("kubeStateMetrics", namespace);
  const api = (peer: Peer, who: string, why: string) => apiServerFlows(settings, peer, why, who);
  const reads = (name: string, to: Peer, port: number, why: string) =>
    tcp(`prometheus-${name}`, prometheus, to, port, why);
  return [
    ...api(operator, "operator", "the Prometheus Operator watches monitors and rules, and makes Prometheus"),
    ...api(prometheus, "prometheus", "Prometheus looks for the pods that it reads"),
    ...api(kubeStateMetrics, "state", "kube-state-metrics watches pods, claims and nodes"),
    reads("operator", operator, ports.operator, "Prometheus reads the Prometheus Operator's metrics"),
    reads("self", prometheus, ports.prometheus, "Prometheus reads its own metrics"),
    reads("state", kubeStateMetrics, ports.kubeStateMetrics, "Prometheus reads kube-state-metrics"),
    reads(
      "alerts",
      alertmanager,
      ports.alertmanager,
      "Prometheus hands alerts to Alertmanager, and reads its metrics",
    ),
    ...(install.kubelet === "none"
      ? []
      : [
          reads(
            "kubelet",
            { kind: "addresses", cidr: anyAddress.v4 },
            ports.kubelet,
            "Prometheus reads the pods' resources at the nodes",
          ),
        ]),
    ...(engineOperator === undefined
      ? []
      : [
          reads(
            "engine-operator",
            { kind: "namespace", namespace: engineOperator },
            ports.engineOperator,
            "Prometheus reads the metrics of the engine's operator",
          ),
        ]),
    ...install.namespaces.flatMap((other) =>
      [ports.instances, poolerPorts.metrics, metricsPort, monitor.port, ports.engineOperator].map((port) =>
        reads(
          `${other}-${port}`,
          { kind: "namespace", namespace: other },
          port,
          "Prometheus reads the metrics of another stack's cluster, or of its operator",
        ),
      ),
    ),
    ...(install.grafana === undefined
      ? []
      : [
          tcp(
            "grafana-prometheus",
            podsOf("grafana", namespace),
            prometheus,
            ports.prometheus,
            "Grafana asks Prometheus for what its dashboards show",
          ),
        ]),
    ...install.receivers.map((receiver) => receiverFlow(receiver, alertmanager)),
    ...lookupFlows(settings, namespace),
  ];
}
