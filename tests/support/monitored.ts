import { metrics } from "../../plan/monitoring/catalogue/index";
import type { Metric } from "../../plan/monitoring/catalogue/index";
import { kubeletMetrics, stateMetrics } from "../../plan/monitoring/foreignMetrics";
import { poolerMetrics, poolerTargetLabels } from "../../plan/monitoring/poolerMetrics";

/**
 * Series as a Prometheus that scrapes a cluster has them, made up: what names and labels there are is the catalogue's and, for
 * other programs' metrics, the list below; the values mean nothing.
 */

export interface Foreign {
  readonly name: string;
  /** Where the name and its labels are defined. */
  readonly source: string;
  readonly labels: readonly string[];
}

const of = (source: string, labels: readonly string[], names: readonly string[]): Foreign[] =>
  names.map((name) => ({ name, source, labels }));

const target = ["namespace", "cluster", "target", "archive_id"];

/** Metrics of other programs, and of the platform's own outside of PostgreSQL. */
export const foreign: readonly Foreign[] = [
  ...of("Prometheus itself", ["alertname", "alertstate", "severity", "namespace", "cluster"], ["ALERTS"]),
  ...of("plan/backup/scripts/watch.sh", target, [
    "pgplatform_backup_target_up",
    "pgplatform_backup_base_timestamp_seconds",
    "pgplatform_backup_segment_timestamp_seconds",
    "pgplatform_backup_restorable",
    "pgplatform_backup_verified_timestamp_seconds",
    "pgplatform_backup_verification_timestamp_seconds",
    "pgplatform_backup_verification_passed",
    "pgplatform_backup_verification_rpo_seconds",
    "pgplatform_backup_verification_rto_seconds",
    "pgplatform_backup_verification_bytes",
    "pgplatform_backup_dump_timestamp_seconds",
    "pgplatform_backup_dump_bytes",
  ]),
  ...of(
    "plan/backup/scripts/watch.sh",
    ["namespace", "cluster"],
    ["pgplatform_backup_unarchived_seconds", "pgplatform_backup_rpo_seconds"],
  ),
  ...of(
    "plan/monitoring/scripts/certificates.sh",
    ["namespace", "cluster", "certificate"],
    ["pgplatform_certificate_expiry_timestamp_seconds"],
  ),
  ...poolerMetrics.map(({ name, labels }) => ({
    name,
    source: "plan/monitoring/poolerMetrics.ts",
    labels: [...poolerTargetLabels, ...labels],
  })),
  ...[...kubeletMetrics, ...stateMetrics],
];

/** What a cluster is made of. */
export interface Made {
  readonly instances: readonly string[];
  /** What there is beside a single idle server. */
  readonly with: ReadonlySet<Extra>;
}

export type Extra =
  | "standby"
  | "slot"
  | "backups"
  | "poolers"
  | "tables"
  | "statements"
  | "io"
  | "alerts"
  | "limits"
  | "events"
  | "userQueries";

export const everything: Made = {
  instances: ["main-1", "main-2"],
  with: new Set([
    "standby",
    "slot",
    "backups",
    "poolers",
    "tables",
    "statements",
    "io",
    "alerts",
    "limits",
    "events",
    "userQueries",
  ]),
};

/** The least that can be: a server of the oldest version, alone, with nothing in it and nobody at it. */
export const idle: Made = { instances: ["main-0"], with: new Set() };

const groupNeeds: Readonly<Record<string, Extra>> = {
  replication: "standby",
  standby: "standby",
  slot: "slot",
  table: "tables",
  index: "tables",
  bloat: "tables",
  statements: "statements",
  io: "io",
  queries: "userQueries",
};

const foreignNeeds = ({ name }: Foreign): Extra | undefined =>
  name === "ALERTS"
    ? "alerts"
    : name.startsWith("pgbouncer_")
      ? "poolers"
      : name.startsWith("pgplatform_backup_")
        ? "backups"
        : name.includes("_cfs_")
          ? "limits"
          : undefined;

const values: Readonly<Record<string, string>> = {
  namespace: "postgres",
  cluster: "main",
  database: "app",
  state: "idle",
  alertstate: "firing",
  condition: "true",
  pooler: "app",
};

export const minutes = 420;

/** A value that grows in a busy cluster, as counters do, and the last of which is another one. */
function numbers(name: string, counter: boolean, busy: boolean): string {
  if (name === "pgplatform_server_up" || name === "kube_pod_status_ready") return `1x${minutes}`;
  if (busy && /_server_(timeline|start_time_seconds)$/.test(name)) return `1x${minutes - 1} 2`;
  if (busy && name === "kubelet_volume_stats_used_bytes") return `1000+1000000x${minutes}`;
  return busy && counter ? `5+7x${minutes}` : `5x${minutes}`;
}

const written = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(",")}}`;

/** A series in the form of promtool's tests. */
export interface MadeSeries {
  readonly series: string;
  readonly values: string;
}

function ofCatalogue({ name, group, column, labels }: Metric, made: Made): MadeSeries[] {
  const need = groupNeeds[group.name];
  if (need !== undefined && !made.with.has(need)) return [];
  return made.instances.flatMap((instance, index) => {
    const role = index === 0 ? "primary" : "standby";
    if (group.on !== "all" && group.on !== role) return [];
    const own = Object.fromEntries(labels.map((label) => [label, values[label] ?? `a-${label}`]));
    const { namespace = "", cluster = "" } = values;
    const value =
      name === "pgplatform_server_in_recovery"
        ? `${index === 0 ? 0 : 1}x${minutes}`
        : numbers(name, column.type === "counter", made.with.has("events"));
    return [{ series: written(name, { namespace, cluster, instance, role, ...own }), values: value }];
  });
}

function ofForeign(one: Foreign, made: Made): MadeSeries[] {
  const need = foreignNeeds(one);
  if (need !== undefined && !made.with.has(need)) return [];
  const busy = made.with.has("events");
  const limits = made.with.has("limits");
  const instance = made.instances[0] ?? "";
  const byPod = (pod: string, container: string): Record<string, string> => ({
    pod,
    container,
    persistentvolumeclaim: `${instance}-wal`,
    instance: `main-pooler-app-x`,
  });
  const pods = one.name.startsWith("container_") || one.name.startsWith("kube_pod_");
  const owners = [
    byPod(instance, "postgres"),
    ...(pods && limits ? [byPod(instance, "exporter"), byPod("main-pooler-app-x", "pgbouncer")] : []),
  ];
  const resources = one.labels.includes("resource") ? ["memory", ...(limits ? ["cpu"] : [])] : [""];
  return owners.flatMap((owner) =>
    resources.map((resource) => {
      const all: Record<string, string> = { ...values, ...owner, resource };
      const labels = Object.fromEntries(one.labels.map((label) => [label, all[label] ?? `a-${label}`]));
      // One volume for one claim: the name of the engine standalone where the instance is its.
      if ("persistentvolumeclaim" in labels && instance === "main-0")
        labels.persistentvolumeclaim = "main-data";
      return {
        series: written(one.name, labels),
        values: numbers(one.name, one.name.endsWith("_total"), busy),
      };
    }),
  );
}

/** Every series of such a cluster. */
export const madeSeries = (made: Made): MadeSeries[] => [
  ...metrics.flatMap((metric) => ofCatalogue(metric, made)),
  ...foreign.flatMap((one) => ofForeign(one, made)),
  ...(made.with.has("userQueries")
    ? [
        {
          series:
            'pgplatform_user_sales_orders{namespace="postgres",cluster="main",instance="main-1",role="primary",database="app",tenant="one"}',
          values: `3x${minutes}`,
        },
      ]
    : []),
];
