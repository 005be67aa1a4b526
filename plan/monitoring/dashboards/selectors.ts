import type { Variable } from "./model";

/** Labels that panels select by, and the choices that set them. */

const clusters = 'namespace=~"$namespace", cluster=~"$cluster"';
const one = 'namespace="$namespace", cluster="$cluster"';
/** All instances stand for every pod there is: the cluster's own are those with a number behind its name. */
const pods = 'namespace="$namespace", pod=~"$cluster-[0-9]+", pod=~"$instance"';
export const labels = {
  /** Every chosen cluster. */
  clusters,
  /** The chosen cluster. */
  cluster: one,
  primary: `${one}, role="primary"`,
  instances: `${one}, instance=~"$instance"`,
  databases: `${one}, instance=~"$instance", database=~"$database"`,
  /** Each database once: on the primary. */
  primaryDatabases: `${one}, role="primary", database=~"$database"`,
  poolers: `${one}, pooler=~"$pooler"`,
  poolerDatabases: `${one}, pooler=~"$pooler", database=~"$database"`,
  targets: `${one}, target=~"$target"`,
  /** Pods of PostgreSQL, where Kubernetes names them. */
  pods,
  servers: `${pods}, container="postgres"`,
  poolerPods: 'namespace="$namespace", pod=~"$cluster-pooler-($pooler)-.+"',
  /** Volumes, whichever way an engine names their claims: by pod, with `pgdata-` before or `-wal` behind it, or by use. */
  volumes:
    'namespace="$namespace", persistentvolumeclaim=~"(pgdata-)?$cluster-([0-9]+(-wal)?|data|wal|archive)"',
} as const;

/** The greatest value since the point before: what is short isn't lost between two points of a long time. */
export const peak = (selector: string): string => `max_over_time(${selector}[$__rate_interval])`;

/** A total for each of a count: zero where nothing was counted, though a wait may have been. */
export const mean = (sum: string, count: string): string => `${sum} / (${count} > 0) or ${count} * 0`;

/** Why panels may be empty. */
export const needs = {
  standby: "a standby: the engine standalone has none, and a single instance neither",
  slot: "a replication slot",
  backups: "a target of backups, and a first base backup there",
  dump: "backup.verify.dump, and a verification that has passed",
  verification: "a verification that has run",
  verified: "a verification that has passed",
  poolers: "a pooler",
  statements: "the extension pg_stat_statements in a database",
  userQueries: "queries in monitoring.queries",
  alerts: "an alert that fires, of monitoring.rules",
  failover: "a failover",
  restart: "a server that starts",
  io: "PostgreSQL 16 or newer",
  forecast: "a volume that gets fuller",
  tables: "tables of users",
  limits: "limits of CPU",
} as const;

const every: Pick<Variable, "multi"> = { multi: true };

export const variables = {
  namespaces: { name: "namespace", title: "Namespace", series: "pgplatform_server_up", ...every },
  clusters: {
    name: "cluster",
    title: "Cluster",
    series: 'pgplatform_server_up{namespace=~"$namespace"}',
    ...every,
  },
  namespace: { name: "namespace", title: "Namespace", series: "pgplatform_server_up" },
  cluster: { name: "cluster", title: "Cluster", series: 'pgplatform_server_up{namespace="$namespace"}' },
  instance: { name: "instance", title: "Instance", series: `pgplatform_server_up{${one}}`, ...every },
  database: {
    name: "database",
    title: "Database",
    series: `pgplatform_database_size_bytes{${one}}`,
    ...every,
  },
  pooler: {
    name: "pooler",
    title: "Pooler",
    series: `pgbouncer_up{${one}}`,
    needsEvent: needs.poolers,
    ...every,
  },
  target: {
    name: "target",
    title: "Target",
    series: `pgplatform_backup_target_up{${one}}`,
    needsEvent: needs.backups,
    ...every,
  },
} as const satisfies Record<string, Variable>;

export const ofCluster: readonly Variable[] = [variables.namespace, variables.cluster];
