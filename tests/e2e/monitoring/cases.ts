import type { Capability } from "../../../plan/engines/planner";
import type { Settings } from "../../../settings/schema";
import { loginOf } from "../../../plan/postgres/rotation";
import type { Bench } from "./bench";

/** How alerts are made to fire, and how their cause is taken away again. */
export interface AlertCase {
  readonly title: string;
  /** Of which the receiver must be told, that they fire and that they are over. */
  readonly alerts: readonly string[];
  /** That fire at Prometheus too, and of which no message says anything: the first one's are enough. */
  readonly inhibited?: readonly string[];
  readonly needs?: readonly Capability[];
  /** @default - all */
  readonly engines?: readonly Settings["cluster"]["engine"][];
  readonly cause: (bench: Bench) => Promise<void>;
  /** That fire at Prometheus too, and are told or not: it depends on whether one of `alerts` is there before. */
  readonly beside?: readonly string[];
  /** The cause heals by itself, and is repeated until the alerts fire. */
  readonly heals?: true;
  /** It comes of time alone, and may be told before its turn. */
  readonly ages?: true;
  readonly undo: (bench: Bench) => Promise<void>;
  /** Seconds until it is over at the latest, when its turn comes behind all causes. @default 180 */
  readonly over?: number;
}

/** Of the settings under test. */
export const eventWindow = "2m";
const WINDOW = 120;
/** Seconds from which on a base backup is old. */
export const BACKUP_AGE = 900;

const operators: Readonly<Record<string, { namespace: string; name: string; replicas: number }>> = {
  cnpg: { namespace: "cnpg-system", name: "cnpg-controller-manager", replicas: 2 },
  zalando: { namespace: "postgres-operator", name: "postgres-operator", replicas: 1 },
};

const scaleOperator = async (bench: Bench, running: boolean): Promise<void> => {
  const operator = operators[bench.env.engine.name];
  if (operator === undefined) throw new Error("the engine has no operator");
  const { namespace, name, replicas } = operator;
  await bench.scale("deployment", namespace, name, running ? replicas : 0);
};

const scalePooler = ({ env }: Bench, replicas: number): Promise<void> =>
  new Promise<void>((resolve, reject) => {
    const { namespace } = env.settings.cluster;
    env.kubectl
      .run(["-n", namespace, "scale", "deployment", env.pooler.name, `--replicas=${replicas}`])
      .then(() => resolve(), reject);
  });

const alterFormerLogin = async (bench: Bench, what: "login" | "nologin"): Promise<void> => {
  const { cluster, rotation } = bench.env.settings;
  const [first] = cluster.databases;
  if (first === undefined) throw new Error("there is no database");
  await bench.sql(`alter role "${loginOf(first.owner, rotation.credentialVersion - 1)}" ${what}`);
};

/**
 * In this order: what looks back longest comes first and is over when all others have had their turn; what needs a base backup's age comes last.
 * No alert is in two of them.
 */
export const alertCases: readonly AlertCase[] = [
  {
    title: "a primary that is killed (with Zalando a switchover: its pod comes back as the primary)",
    alerts: ["FailoverHappened"],
    needs: ["standbys"],
    cause: async ({ env: { cluster, engine } }) => {
      const primary = await cluster.primary();
      if (engine.name === "zalando") await cluster.exec(primary, ["patronictl", "switchover", "--force"]);
      else await cluster.deletePod(primary);
    },
    undo: (bench) => bench.env.cluster.waitHealthy(),
    over: WINDOW + 120,
  },
  {
    title: "deadlocks",
    alerts: ["Deadlocks"],
    cause: async (bench) => {
      // Three at once: one suffices. A session counts its own when its transaction is over.
      for (const lock of [1, 3, 5])
        for (const [first, second] of [
          [lock, lock + 1],
          [lock + 1, lock],
        ])
          await bench.hold(
            `begin; select pg_advisory_xact_lock(${first}); select pg_sleep(6); select pg_advisory_xact_lock(${second}); rollback;`,
          );
    },
    undo: (bench) => bench.release(),
    over: WINDOW + 120,
  },
  {
    title: "a statement that doesn't end",
    alerts: ["LongTransaction"],
    inhibited: ["SlowQueries"],
    cause: (bench) => bench.hold("select pg_sleep(1800);"),
    undo: (bench) => bench.release(),
  },
  {
    title: "a transaction that is held",
    alerts: ["IdleInTransaction"],
    cause: (bench) => bench.hold("begin; select pg_current_xact_id();"),
    undo: (bench) => bench.release(),
  },
  {
    title: "a lock that another session waits for",
    alerts: ["BlockedSessions"],
    cause: async (bench) => {
      await bench.sql("create table if not exists e2e_locked ()");
      await bench.hold("begin; lock table e2e_locked in access exclusive mode;");
      await bench.hold("select count(*) from e2e_locked;");
    },
    undo: async (bench) => {
      await bench.release();
      await bench.sql("drop table e2e_locked");
    },
  },
  {
    title: "connections above the first threshold",
    alerts: ["HighConnections"],
    cause: (bench) => bench.hold("select 1;", 28),
    undo: (bench) => bench.release(),
  },
  {
    title: "connections above the second threshold",
    alerts: ["TooManyConnections"],
    inhibited: ["HighConnections"],
    cause: (bench) => bench.hold("select 1;", 46),
    undo: (bench) => bench.release(),
  },
  {
    title: "a database at its own limit",
    alerts: ["DatabaseConnectionsHigh"],
    cause: async (bench) => {
      await bench.sql("create database e2e_limited connection limit 2");
      await bench.hold("\\connect e2e_limited");
    },
    undo: async (bench) => {
      await bench.release();
      await bench.sql("drop database e2e_limited with (force)");
    },
  },
  {
    title: "a prepared transaction that nobody commits",
    alerts: ["PreparedTransactionOld"],
    cause: (bench) => bench.sql("begin; select pg_current_xact_id(); prepare transaction 'e2e';"),
    undo: (bench) => bench.sql("rollback prepared 'e2e'"),
  },
  {
    title: "rows that are dead and that nothing removes",
    alerts: ["DeadTuplesHigh"],
    cause: (bench) =>
      bench.sql(
        "create table e2e_dead with (autovacuum_enabled = off) as select generate_series(1, 200000) as x; delete from e2e_dead;",
      ),
    undo: (bench) => bench.sql("drop table e2e_dead"),
  },
  {
    title: "a replication slot that nothing reads",
    alerts: ["SlotInactive", "SlotKeepsWAL"],
    // Patroni drops slots that it doesn't know.
    engines: ["cnpg", "standalone"],
    cause: (bench) =>
      bench.sql(
        "select pg_create_physical_replication_slot('e2e', true); create table e2e_wal as select repeat(md5(x::text), 20) from generate_series(1, 60000) x;",
      ),
    undo: (bench) => bench.sql("select pg_drop_replication_slot('e2e'); drop table e2e_wal;"),
  },
  {
    title: "a standby that replays nothing",
    alerts: ["ReplicationLag"],
    needs: ["standbys"],
    cause: async (bench) => {
      const [standby = ""] = await bench.standbys();
      await bench.signalReplay(standby, "STOP");
      await bench.sql("select pg_logical_emit_message(true, 'e2e', 'x')");
    },
    heals: true,
    undo: async (bench) => {
      for (const standby of await bench.standbys()) await bench.signalReplay(standby, "CONT");
    },
  },
  {
    title: "standbys that are deleted again and again",
    alerts: ["NoSynchronousStandby", "InstancesMissing"],
    needs: ["standbys"],
    cause: (bench) => bench.deleteStandbys(),
    heals: true,
    undo: (bench) => bench.env.cluster.waitHealthy(),
    over: 400,
  },
  {
    title: "a store that is away",
    alerts: ["TargetDown", "RecoveryPointMissed"],
    beside: ["WALArchivingFailed", "ArchiveBacklog"],
    cause: async (bench) => {
      await bench.scaleStore(0);
      await bench.sql("select pg_logical_emit_message(true, 'e2e', 'x'); select pg_switch_wal();");
    },
    heals: true,
    undo: (bench) => bench.scaleStore(1),
    over: 300,
  },
  {
    title: "a pooler without pods",
    alerts: ["PoolerDown"],
    inhibited: ["PoolerPodsMissing"],
    cause: (bench) => scalePooler(bench, 0),
    undo: (bench) => scalePooler(bench, bench.env.settings.poolers[0]?.instances ?? 2),
  },
  {
    title: "a pooler that can't log in",
    alerts: ["PoolerLoginFailing"],
    cause: async (bench) => {
      const { clients, env } = bench;
      const { database } = clients.login;
      const primary = await bench.primary();
      await env.cluster.sql(primary, `alter database "${database}" allow_connections false`);
      await env.cluster.sql(
        primary,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
      );
      await clients.pooled.exec([
        "bash",
        "-c",
        `for _ in 1 2 3; do PGHOST=${env.pooler.host} setsid timeout 60 psql -XAtqc 'select 1' >/dev/null 2>&1 </dev/null & done`,
      ]);
    },
    heals: true,
    undo: async ({ clients, env }) => {
      const primary = await env.cluster.primary();
      await env.cluster.sql(primary, `alter database "${clients.login.database}" allow_connections true`);
    },
  },
  {
    title: "an operator that is stopped",
    alerts: ["OperatorDown"],
    needs: ["operator"],
    cause: (bench) => scaleOperator(bench, false),
    undo: (bench) => scaleOperator(bench, true),
  },
  {
    title: "metrics that can't be read: it pages once, as if no primary were there",
    alerts: ["PostgreSQLDown"],
    inhibited: ["ExporterDown", "MetricsAbsent"],
    cause: (bench) => bench.closeMetrics(),
    undo: (bench) => bench.openMetrics(),
  },
  {
    title: "a query of a user that is wrong",
    alerts: ["QueryFailing"],
    // Its table was right when the settings were checked.
    cause: (bench) => bench.sql("alter table e2e_counted rename column wanted to gone"),
    undo: (bench) => bench.sql("alter table e2e_counted rename column gone to wanted"),
    over: 300,
  },
  {
    title: "databases that grow, where the kubelet tells nothing of volumes",
    alerts: ["DataVolumeFullSoon"],
    inhibited: ["VolumeNearlyFull"],
    cause: (bench) => bench.fill(0.65),
    undo: (bench) => bench.empty(),
  },
  {
    title: "a certificate that ends tomorrow (the monitor's alone: the servers keep theirs)",
    alerts: ["CertificateEndsSoon"],
    inhibited: ["CertificateEnds"],
    cause: (bench) => bench.giveMonitorCertificate(),
    undo: (bench) => bench.returnMonitorCertificate(),
  },
  {
    title: "a former login that works again, as after a rotation that was interrupted",
    alerts: ["RotationStuck"],
    cause: (bench) => alterFormerLogin(bench, "login"),
    // An operator that looks after roles takes it back.
    heals: true,
    undo: (bench) => alterFormerLogin(bench, "nologin"),
  },
  {
    title: "a base backup that is old",
    alerts: ["BackupOld"],
    ages: true,
    cause: () => Promise.resolve(),
    undo: (bench) => bench.make("backup"),
  },
  {
    title: "a verification that fails: what is restored lacks what the settings ask for",
    alerts: ["VerificationFailed"],
    cause: async (bench) => {
      await bench.sql("delete from e2e_verified");
      await bench.make("verify", false);
    },
    undo: async (bench) => {
      await bench.sql("insert into e2e_verified values (1)");
      await bench.make("verify");
    },
  },
];
