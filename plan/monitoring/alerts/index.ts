import type { Settings } from "../../../settings/schema";
import { clusterLabel } from "../../names";
import type { KubernetesObject } from "../../objects";
import { selectedBy } from "../monitored";
import { severities, type Alert, type Severity } from "./alert";
import { availability, metrics } from "./availability";
import { archive, backups } from "./backups";
import { maintenance } from "./maintenance";
import { operator, security } from "./operator";
import { poolers } from "./poolers";
import { replication } from "./replication";
import { sessions } from "./sessions";
import { thresholdsOf, type Thresholds } from "./thresholds";
import { volumes } from "./volumes";

export { inhibitions, inhibitRules, type Inhibition, type InhibitRule } from "./inhibitions";
export { thresholdsOf, type Thresholds } from "./thresholds";
export { severities, type Alert, type Severity };

/** All alerts that there are, by what they are about. */
export const families: Readonly<Record<string, readonly Alert[]>> = {
  availability,
  replication,
  sessions,
  maintenance,
  volumes,
  archive,
  backups,
  poolers,
  operator,
  metrics,
  security,
};

export const alerts: readonly Alert[] = Object.values(families).flat();

const applies = (settings: Settings) => (alert: Alert) => alert.applies?.(settings) ?? true;

/** Those that a platform has. */
export const alertsOf = (settings: Settings): Alert[] => alerts.filter(applies(settings));

/** Words of a name: `WALVolumeFullSoon` is wal-volume-full-soon. */
const kebab = (name: string): string =>
  name
    .replace("PostgreSQL", "Postgresql")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replace(/([a-z\d])([A-Z])/g, "$1-$2")
    .toLowerCase();

/** File of its page in docs/runbooks. */
export const pageOf = ({ name }: Pick<Alert, "name">): string => `${kebab(name)}.md`;

/** A rule of Prometheus. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function ruleOf(
  alert: Alert,
  settings: Settings,
  thresholds: Thresholds = thresholdsOf(settings),
): Rule {
  const { cluster, monitoring } = settings;
  const text = <T>(part: T | ((t: typeof thresholds, s: Settings) => T)): T =>
    part instanceof Function ? part(thresholds, settings) : part;
  const seconds = text(alert.for);
  return {
    alert: alert.name,
    expr: alert.expr(thresholds, settings),
    ...(seconds > 0 && { for: `${seconds}s` }),
    labels: { severity: alert.severity, namespace: cluster.namespace, cluster: cluster.name },
    annotations: {
      summary: `${cluster.namespace}/${cluster.name}: ${text(alert.summary)}`,
      description: alert.description,
      runbook_url: `${monitoring.runbooks}/${pageOf(alert)}`,
    },
  };
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** The rules of a platform; groups are named by the cluster, so that a Prometheus can have those of several. */
export function ruleGroups(settings: Settings): RuleGroup[] {
  const thresholds = thresholdsOf(settings);
  return Object.entries(families)
    .map(([family, all]) => ({
      name: `${settings.cluster.namespace}-${settings.cluster.name}-${family}`,
      rules: all.filter(applies(settings)).map((alert) => ruleOf(alert, settings, thresholds)),
    }))
    .filter(({ rules }) => rules.length > 0);
}

const metadata = ({ cluster }: Settings, labels: Readonly<Record<string, string>>) => ({
  name: rulesName(cluster.name),
  namespace: cluster.namespace,
  labels: { ...labels, [clusterLabel]: cluster.name },
});

export const rulesName = (cluster: string): string => `${cluster}-alerts`;

/** The rules for a Prometheus Operator. */
export const prometheusRule = (settings: Settings): KubernetesObject => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: metadata(settings, selectedBy(settings)),
  spec: { groups: ruleGroups(settings) },
});

/** The key of the ConfigMap below. */
export const ruleFile = "alerts.yaml";

/** The same as a file for the `rule_files` of any Prometheus. JSON is YAML. */
export const ruleConfigMap = (settings: Settings): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadata(settings, selectedBy(settings)),
  data: { [ruleFile]: `${JSON.stringify({ groups: ruleGroups(settings) }, undefined, 1)}\n` },
});
