import { always, of, type Engine, type Series } from "./case";

/** What Prometheus reads of a healthy cluster that nothing is asked of, as one group of samples each. */

const day = 86_400;
const all = (groups: readonly Series[]): Series => groups.reduce((sum, one) => ({ ...sum, ...one }), {});
/** Once an hour one more. */
const seldom = "0x59 1x59 2x59 3x60";

function server(name: string, role: "primary" | "standby", standbys: number): Series {
  const at = `instance="${name}",role="${role}"`;
  const one = (metric: string, values: number | string, more = "") => ({
    [of(`pgplatform_${metric}`, `${at}${more}`)]: typeof values === "number" ? always(values) : values,
  });
  const app = ',database="app"';
  const main = role === "primary";
  return {
    [of("up", at)]: always(1),
    ...one("info", 1, ',engine="any"'),
    ...one("exporter_last_error", 0),
    ...one("server_up", 1),
    ...one("server_in_recovery", main ? 0 : 1),
    ...one("server_timeline", 1),
    ...one("server_max_connections", 100),
    ...one("server_reserved_connections", 3),
    ...one("server_connections", 6),
    ...one("server_pending_restart", 0),
    ...one("database_connections", 2, app),
    ...one("database_connection_limit", -1, app),
    ...one("database_size_bytes", 8e6, app),
    // Nothing is read or written: every share of it is 0 / 0.
    ...one("database_blocks_hit_total", 7, app),
    ...one("database_blocks_read_total", 3, app),
    ...one("database_deadlocks_total", 0, app),
    ...one("database_checksum_failures_total", 0, app),
    ...one("io_writes_total", 5, ',backend="client backend",object="relation",context="normal"'),
    ...one("io_writes_total", 5, ',backend="checkpointer",object="relation",context="normal"'),
    ...one("activity_longest_query_seconds", 0, app),
    ...one("activity_longest_transaction_seconds", 0, app),
    ...one("activity_longest_idle_in_transaction_seconds", 0, app),
    ...one("blocked_longest_seconds", 0, app),
    ...one("prepared_oldest_seconds", 0),
    ...one("wraparound_transaction_age", 2e8, app),
    ...one("wraparound_multixact_age", 1, app),
    ...one("tables_dead_rows", 0, app),
    ...one("tables_live_rows", 0, app),
    // Vacuumed a year ago, and nothing has changed since; never vacuumed, and empty.
    ...one("table_vacuum_age_seconds", 365 * day, `${app},schema="public",table="old"`),
    ...one("table_dead_rows", 0, `${app},schema="public",table="old"`),
    ...one("table_rows", 1000, `${app},schema="public",table="old"`),
    ...one("table_vacuum_age_seconds", -1, `${app},schema="public",table="new"`),
    ...one("table_dead_rows", 0, `${app},schema="public",table="new"`),
    ...one("table_rows", 0, `${app},schema="public",table="new"`),
    ...one("vacuum_longest_seconds", 0),
    ...one("vacuum_workers", 0),
    ...one("vacuum_max_workers", 3),
    ...one("checkpoints_requested_total", seldom),
    ...one("wal_directory_bytes", 64 * 2 ** 20),
    // Never archived and never failed, since nothing was written.
    ...one("archiver_failing", 0),
    ...one("archiver_archived_age_seconds", -1),
    ...one("archiver_ready_files", 0),
    ...one("standbys_streaming", main ? standbys : 0),
    ...one("standbys_synchronous", main ? Math.min(1, standbys) : 0),
    ...(main && standbys > 0
      ? {
          ...one("slot_active", 1, ',slot="two",type="physical"'),
          ...one("slot_kept_bytes", 0, ',slot="two",type="physical"'),
          ...one("slot_lost", 0, ',slot="two",type="physical"'),
        }
      : {}),
    ...(main
      ? {}
      : {
          // Nothing was written for a day: all that was received is replayed.
          ...one("standby_lag_seconds", 0),
          ...one("standby_receiving", 1),
          ...one("conflicts_total", 0, `${app},reason="snapshot"`),
          ...one("slot_active", 0, ',slot="two",type="physical"'),
        }),
    ...one("rotation_logins_of_two", 0),
  };
}

const store = (target: string): Series => {
  const one = (metric: string, values: string) => ({
    [of(`pgplatform_backup_${metric}`, `target="${target}",archive_id="3f2a90b1c4"`)]: values,
  });
  return {
    ...one("target_up", always(1)),
    ...one("base_timestamp_seconds", always(-day / 2)),
    // Nothing has been written since.
    ...one("segment_timestamp_seconds", always(target === "far" ? -day / 2 : -day / 2 + 600)),
    ...one("restorable", always(1)),
    ...one("verified_timestamp_seconds", always(-3 * day)),
    ...one("verification_passed", always(1)),
    ...one("verification_rto_seconds", always(90)),
    ...(target === "copy" ? one("dump_timestamp_seconds", always(-3 * day)) : {}),
  };
};

const pooler = (pod: string): Series => {
  const at = `pooler="app",instance="${pod}"`;
  const pools = (gauge: string) => ({
    [of(`pgbouncer_pools_${gauge}`, `${at},database="app",user="app"`)]: always(0),
  });
  return {
    [of("up", at)]: always(1),
    [of("pgbouncer_up", at)]: always(1),
    [of("pgbouncer_used_clients", at)]: always(1),
    [of("pgbouncer_config_max_client_connections", at)]: always(250),
    [of("pgbouncer_databases_max_connections", `${at},database="app"`)]: always(20),
    [of("pgbouncer_databases_max_connections", `${at},database="pgbouncer"`)]: always(0),
    ...pools("client_waiting_connections"),
    ...pools("client_maxwait_seconds"),
    ...pools("server_active_connections"),
    ...pools("server_idle_connections"),
    ...pools("server_used_connections"),
    ...pools("server_testing_connections"),
  };
};

const claims: Readonly<Record<Engine, (index: number) => readonly string[]>> = {
  cnpg: (index) => [`main-${index + 1}`, `main-${index + 1}-wal`],
  zalando: (index) => [`pgdata-main-${index}`],
  standalone: () => ["main-data", "main-wal", "main-archive"],
};

const operators: Readonly<Record<Engine, Series>> = {
  cnpg: {
    'kube_deployment_status_replicas_available{namespace="cnpg-system",deployment="cnpg-controller-manager"}':
      always(2),
    'controller_runtime_reconcile_errors_total{namespace="cnpg-system",controller="cluster",instance="a"}':
      seldom,
  },
  zalando: {
    'kube_deployment_status_replicas_available{namespace="postgres-operator",deployment="postgres-operator"}':
      always(1),
  },
  standalone: {},
};

/** What Kubernetes says of one instance. */
const pod = (name: string, engine: Engine, index: number): Series => ({
  [`kube_pod_status_ready{namespace="postgres",pod="${name}",condition="true"}`]: always(1),
  [`kube_pod_info{namespace="postgres",pod="${name}",node="n${index}"}`]: always(1),
  [`kube_node_status_condition{node="n${index}",condition="Ready",status="true"}`]: always(1),
  [`kube_pod_container_status_restarts_total{namespace="postgres",pod="${name}",container="postgres"}`]:
    always(2),
  [`container_oom_events_total{namespace="postgres",pod="${name}",container="postgres"}`]: always(0),
  ...Object.fromEntries(
    claims[engine](index).flatMap((claim) => [
      [
        `kubelet_volume_stats_capacity_bytes{namespace="postgres",persistentvolumeclaim="${claim}"}`,
        always(20e9),
      ],
      // A little is written all the time, and the oldest is removed each hour.
      [
        `kubelet_volume_stats_available_bytes{namespace="postgres",persistentvolumeclaim="${claim}"}`,
        "19e9-16e6x59 19e9-16e6x59 19e9-16e6x59 19e9-16e6x60",
      ],
    ]),
  ),
});

const poolerPods: Series = {
  ...pooler("main-pooler-app-a"),
  ...pooler("main-pooler-app-b"),
};

/** All of it. `without`: groups that aren't read. */
export function healthy(
  engine: Engine,
  without: readonly ("kubernetes" | "backups" | "poolers")[] = [],
): Series {
  const names = engine === "standalone" ? ["main-0"] : ["main-1", "main-2", "main-3"];
  return {
    ...all(names.map((name, index) => server(name, index === 0 ? "primary" : "standby", names.length - 1))),
    [of("pgplatform_certificate_expiry_timestamp_seconds", 'certificate="server"')]: always(60 * day),
    [of("pgplatform_certificate_expiry_timestamp_seconds", 'certificate="ca"')]: always(60 * day),
    [of("pgplatform_certificate_readable", 'certificate="server"')]: always(1),
    [of("pgplatform_certificate_readable", 'certificate="ca"')]: always(1),
    ...(without.includes("backups")
      ? {}
      : {
          ...store("far"),
          ...store("copy"),
          [of("pgplatform_backup_unarchived_seconds")]: always(0),
          [of("pgplatform_backup_rpo_seconds")]: always(120),
        }),
    ...(without.includes("poolers") ? {} : poolerPods),
    ...(without.includes("kubernetes")
      ? {}
      : {
          ...all(names.map((name, index) => pod(name, engine, index))),
          'kube_deployment_status_replicas_available{namespace="postgres",deployment="main-pooler-app"}':
            always(2),
          ...operators[engine],
        }),
  };
}
