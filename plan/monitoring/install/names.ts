import type { Images, Settings } from "../../../settings/schema";
import type { InstallSettings } from "../../../settings/schema/monitoringInstall";
import type { Labels, Pods } from "../../network";

/** Names of what is installed to collect metrics, and by which it is found. */

/** Labels of the platform's monitors and rules, by which the installed Prometheus takes those of every stack. */
export const selectedLabels: Labels = { "pgplatform.io/monitoring": "enabled" };

export const apiVersion = "monitoring.coreos.com/v1";
export const apiGroup = "monitoring.coreos.com";

/** Namespace of what is installed, where no setting names one. */
export const defaultNamespace = "monitoring";

/** Name of the Prometheus and of the Alertmanager. */
export const instance = "pgplatform";

export const names = {
  operator: "prometheus-operator",
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  kubeStateMetrics: "kube-state-metrics",
  /** Secret with Alertmanager's configuration, and the one with what is secret of its receivers. */
  configuration: "alertmanager-configuration",
  receivers: "alertmanager-receivers",
  scrapes: "prometheus-scrapes",
  grafana: "grafana",
  /** Secret with the password of Grafana's user admin, and the key that Grafana encrypts with. */
  grafanaSecret: "grafana-admin",
  /** ConfigMap that says where Grafana finds Prometheus and the dashboards. */
  provisioning: "grafana-provisioning",
  /** Secret with the certificate of both, and with its CA's. */
  tls: "monitoring-tls",
} as const;

/** Keys of Grafana's Secret. */
export const grafanaKeys = { password: "password", secretKey: "secret-key" } as const;

/** Services that the Prometheus Operator makes for its pods. */
export const services = { prometheus: "prometheus-operated", alertmanager: "alertmanager-operated" } as const;

export const ports = {
  operator: 8080,
  prometheus: 9090,
  alertmanager: 9093,
  /** Beside Prometheus and Alertmanager. */
  reloader: 8080,
  kubeStateMetrics: 8080,
  kubelet: 10250,
  grafana: 3000,
  /** Of the instances of every engine, and of both engines' operators. */
  instances: 9187,
  engineOperator: 8080,
} as const;

export const podLabels = {
  operator: { "app.kubernetes.io/name": names.operator },
  prometheus: { "app.kubernetes.io/name": "prometheus", "app.kubernetes.io/instance": instance },
  alertmanager: { "app.kubernetes.io/name": "alertmanager", "app.kubernetes.io/instance": instance },
  kubeStateMetrics: { "app.kubernetes.io/name": names.kubeStateMetrics },
  grafana: { "app.kubernetes.io/name": names.grafana },
} as const satisfies Record<string, Labels>;

/** What is installed, and where. */
export interface Installation {
  readonly namespace: string;
  readonly install: InstallSettings;
}

/** Undefined where the stack installs nothing. */
export function installationOf({ monitoring }: Pick<Settings, "monitoring">): Installation | undefined {
  const { prometheus, namespace, install } = monitoring;
  return prometheus === "install" && install !== undefined
    ? { namespace: namespace ?? defaultNamespace, install }
    : undefined;
}

/** The pods of one part, as flows name them. */
export const podsOf = (part: keyof typeof podLabels, namespace: string): Pods => ({
  kind: "pods",
  name: names[part],
  namespace,
  labels: podLabels[part],
});

/** Namespaces whose monitors and rules count: its own, the cluster's, and further ones. */
export const watchedNamespaces = (
  { cluster }: Pick<Settings, "cluster">,
  { namespace, install }: Installation,
): string[] => [...new Set([namespace, cluster.namespace, ...install.namespaces])];

/** The settings' images that its pods run. */
export const installedImages = [
  "prometheusOperator",
  "prometheusConfigReloader",
  "prometheus",
  "alertmanager",
  "kubeStateMetrics",
] as const satisfies readonly (keyof Images)[];
