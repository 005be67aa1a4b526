import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import {
  alerts,
  alertsOf,
  inhibitRules,
  inhibitions,
  prometheusRule,
  ruleConfigMap,
  ruleFile,
  ruleGroups,
  thresholdsOf,
} from "../../plan/monitoring/alerts";
import { entries } from "../../settings/schema/reference";
import { shareOf, secondsOfDuration } from "../../settings/duration";
import { pairs } from "../alerts";
import { always, of, type Engine, type Series } from "../alerts/case";
import { onVolume } from "../alerts/cases/backups";
import { healthy } from "../alerts/healthy";
import { filesOf, judge, settingsOf, silence } from "../alerts/promtool";
import { checked, smallest } from "../support/settings";

const engines = Object.keys(planners) as Engine[];
const bare = { backup: undefined, poolers: [], "cluster.storage.walSize": undefined };
/** The standalone server of the seeds: base backups on a volume, and no store. */
const onItsVolume = {
  "cluster.storage.archiveSize": "50Gi",
  backup: { volume: { baseBackupDays: 30, walRetentionDays: 7 } },
};

describe("alerts", function () {
  // The first run fetches promtool.
  this.timeout(300_000);

  it("are rules for Prometheus, on every engine, with backups and without", async () => {
    const all = engines.flatMap((engine) =>
      [{}, bare].map((change, index) => ({
        name: `${engine}-${index}`,
        groups: ruleGroups(settingsOf(engine, change)),
      })),
    );
    assert.equal(await judge("check", all), "");
    const broken = [{ name: "broken", groups: [{ name: "a", rules: [{ alert: "A", expr: "up ==" }] }] }];
    assert.match(await judge("check", broken), /unexpected/);
  });

  it("have each a case that fires and one that doesn't", () => {
    assert.deepEqual(Object.keys(pairs).sort(), alerts.map(({ name }) => name).sort());
    assert.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length);
    const somewhere = new Set(
      engines.flatMap((engine) => alertsOf(settingsOf(engine)).map(({ name }) => name)),
    );
    assert.deepEqual(
      alerts.filter(({ name }) => !somewhere.has(name)),
      [],
    );
  });

  it("fire where they should, when they should, and not before", async () => {
    const files = engines.flatMap((engine) =>
      alertsOf(settingsOf(engine)).flatMap((alert) => {
        const pair = pairs[alert.name];
        return pair === undefined ? [] : filesOf(alert, pair, engine);
      }),
    );
    files.push(
      ...Object.entries(onVolume).flatMap(([name, pair]) =>
        filesOf(
          alerts.find((one) => one.name === name) ?? assert.fail(name),
          pair,
          "standalone",
          onItsVolume,
        ).map((file) => ({
          ...file,
          name: `${file.name}-volume`,
        })),
      ),
    );
    // What is the same on another engine has one answer.
    const different = new Map(files.map((file) => [JSON.stringify({ ...file, name: "" }), file]));
    assert.equal(await judge("test", [...different.values()]), "");
  });

  it("are silent on a healthy cluster that nothing is asked of", async () => {
    const files = engines.flatMap((engine) => [
      silence(`${engine}-all`, settingsOf(engine), healthy(engine), [5, 60, 150]),
      silence(`${engine}-bare`, settingsOf(engine, bare), healthy(engine, ["backups", "poolers"]), [150]),
    ]);
    assert.equal(await judge("test", files), "");
  });

  it("are silent but for one to see where Kubernetes' own metrics aren't read", async () => {
    const files = engines.map((engine) =>
      silence(
        `${engine}-alone`,
        settingsOf(engine),
        healthy(engine, ["kubernetes"]),
        [150],
        ["KubernetesMetricsAbsent"],
      ),
    );
    assert.equal(await judge("test", files), "");
  });

  it("say no more of a failover in time than that it happened", async () => {
    const moved: Series = {
      ...healthy("cnpg"),
      // The primary's pod is gone for some minutes; its samples end at once. The second one has taken over within a minute.
      [of("pgplatform_server_in_recovery", 'instance="main-1",role="primary"')]: "0x19 stale",
      [of("pgplatform_server_in_recovery", 'instance="main-1",role="standby"')]: "_x23 1x140",
      [of("pgplatform_server_in_recovery", 'instance="main-2",role="standby"')]: "1x19 stale",
      [of("pgplatform_server_in_recovery", 'instance="main-2",role="primary"')]: "_x20 0x140",
      [of("pgplatform_server_timeline", 'instance="main-1",role="primary"')]: "1x19 stale",
      [of("pgplatform_server_timeline", 'instance="main-1",role="standby"')]: "_x23 2x140",
      [of("pgplatform_server_timeline", 'instance="main-2",role="standby"')]: "1x19 stale",
      [of("pgplatform_server_timeline", 'instance="main-2",role="primary"')]: "_x20 2x140",
      'kube_pod_status_ready{namespace="postgres",pod="main-1",condition="true"}': "1x19 0x3 1x140",
    };
    const files = [
      silence("failover", settingsOf("cnpg"), moved, [19, 21, 22, 24, 30], ["FailoverHappened"], "1m"),
      silence("failover-over", settingsOf("cnpg"), moved, [40, 150]),
    ];
    assert.equal(await judge("test", files), "");
  });

  it("take the sizes of databases where the kubelet says nothing of a volume", async () => {
    const size = (gibibytes: number): Series => ({
      ...healthy("standalone", ["kubernetes"]),
      [of("pgplatform_database_size_bytes", 'instance="main-0",role="primary",database="app"')]: always(
        gibibytes * 2 ** 30,
      ),
    });
    const quiet = silence("small", settingsOf("standalone"), size(17), [60], ["KubernetesMetricsAbsent"]);
    assert.equal(await judge("test", [quiet]), "");
    const loud = silence("large", settingsOf("standalone"), size(17.1), [60], ["KubernetesMetricsAbsent"]);
    assert.match(await judge("test", [loud]), /the data volume of main-0 is in use/);
  });

  it("carry what a receiver needs", () => {
    for (const engine of engines)
      for (const { rules } of ruleGroups(settingsOf(engine)))
        for (const { alert, labels, annotations } of rules) {
          assert.deepEqual(Object.keys(annotations), ["summary", "description", "runbook_url"], alert);
          assert.match(annotations.runbook_url ?? "", /^docs\/runbooks\/[a-z0-9-]+\.md$/);
          assert.equal(labels.namespace, "postgres");
          assert.equal(labels.cluster, "main");
          assert.match(annotations.summary ?? "", /^postgres\/main: /);
        }
    const published = settingsOf("cnpg", { "monitoring.runbooks": "https://wiki.example.com/r" });
    const [first] = ruleGroups(published).flatMap(({ rules }) => rules);
    assert.equal(first?.annotations.runbook_url, "https://wiki.example.com/r/postgresql-down.md");
  });

  it("are at least the 13 of the seed and 36 in all, on each engine", () => {
    const seed = [
      "PostgreSQLDown",
      "TooManyConnections",
      "ReplicationLag",
      "TxidExhaustionRisk",
      "HighConnections",
      "SlowQueries",
      "CacheHitRatioLow",
      "DeadTuplesHigh",
      "VacuumOld",
      "HighCheckpointRate",
      "HighBufferBackendWrites",
      "WALArchivingFailed",
      "BackupOld",
    ];
    for (const engine of engines) {
      const names = alertsOf(settingsOf(engine)).map(({ name }) => name);
      assert.ok(names.length >= 36, `${engine}: ${names.length}`);
      // One server has nothing to lag behind.
      const expected = seed.filter((name) => engine !== "standalone" || name !== "ReplicationLag");
      assert.deepEqual(
        expected.filter((name) => !names.includes(name)),
        [],
        engine,
      );
    }
  });

  it("are about what is there alone", () => {
    const names = (engine: Engine, change: Readonly<Record<string, unknown>> = {}) =>
      alertsOf(settingsOf(engine, change)).map(({ name }) => name);
    const about = (pattern: RegExp, all: readonly string[]) => all.filter((name) => pattern.test(name));
    const backup = /Backup|Backed|Archiv|Target|Verif|Recovery|Restor/;
    assert.deepEqual(about(backup, names("cnpg", { backup: undefined })), []);
    assert.deepEqual(about(/Pooler/, names("cnpg", { poolers: [] })), []);
    assert.deepEqual(about(/WALVolume/, names("cnpg", { "cluster.storage.walSize": undefined })), []);
    assert.deepEqual(about(/Operator|Standby|Failover|TwoPrimaries|ReplicationLag/, names("standalone")), []);
    assert.deepEqual(about(/NoSynchronous/, names("cnpg", { "cluster.durability": "async" })), []);
    assert.deepEqual(about(backup, names("standalone", onItsVolume)), [
      "WALArchivingFailed",
      "ArchiveBacklog",
      "BackupOld",
      "NeverBackedUp",
    ]);
    assert.ok(!names("zalando").includes("OperatorReconcileErrors"));
  });

  it("are the same for a Prometheus Operator and as a file", () => {
    const settings = settingsOf("cnpg", { "monitoring.labels": { release: "prometheus" } });
    const rule = prometheusRule(settings);
    const { data, metadata } = ruleConfigMap(settings) as ReturnType<typeof ruleConfigMap> & {
      data: Record<string, string>;
    };
    assert.deepEqual(JSON.parse(data[ruleFile] ?? ""), rule.spec);
    assert.equal(rule.metadata.labels?.release, "prometheus");
    assert.equal(metadata.namespace, "postgres");
  });
});

describe("inhibitions", () => {
  it("name alerts that there are, none that inhibits itself, and never one that is worse", () => {
    const rank = Object.fromEntries(
      alerts.map(({ name, severity }) => [name, ["info", "warning", "critical"].indexOf(severity)]),
    );
    for (const { source, targets } of inhibitions) {
      assert.ok(rank[source] !== undefined, source);
      for (const target of targets) {
        assert.ok(rank[target] !== undefined, target);
        assert.notEqual(source, target);
        assert.ok((rank[target] ?? 9) <= (rank[source] ?? 0), `${source} hides ${target}`);
      }
    }
    const pairsOf = inhibitions.flatMap(({ source, targets }) =>
      targets.map((target) => `${source} ${target}`),
    );
    for (const one of pairsOf) assert.ok(!pairsOf.includes(one.split(" ").reverse().join(" ")), one);
  });

  it("hold within one cluster", () => {
    for (const { equal } of inhibitRules()) assert.deepEqual(equal.slice(0, 2), ["namespace", "cluster"]);
  });
});

describe("thresholds of alerts", () => {
  it("have the defaults that the settings say", () => {
    const values = thresholdsOf(
      checked({ ...smallest(), cluster: { ...smallest().cluster, storage: { size: "20Gi" } } }),
    );
    for (const { path, byDefault = "" } of entries().filter((one) =>
      one.path.startsWith("monitoring.thresholds."),
    )) {
      const name = path.split(".").at(-1) as keyof typeof values;
      const [said = ""] = /^\d+[smhd%]?(?=$|[,;. ])/.exec(byDefault) ?? [];
      // Others follow from settings, and the next test has them.
      if (said === "") continue;
      const expected = secondsOfDuration(said) ?? shareOf(said) ?? Number(said);
      const own = name.startsWith("certificate") ? thresholdsOf(settingsOf("zalando"))[name] : values[name];
      assert.equal(own, expected, `${path}: ${byDefault}`);
    }
  });

  it("say for how long an event counts", () => {
    const rules = ruleGroups(settingsOf("cnpg", { "monitoring.thresholds.eventWindow": "2m" }));
    const windows = rules
      .flatMap((group) => group.rules)
      .flatMap(({ alert, expr }) => (/\[120s[:\]]/.test(expr) ? [alert] : []));
    assert.deepEqual(windows.sort(), [
      "Deadlocks",
      "FailoverHappened",
      "OperatorReconcileErrors",
      "OutOfMemory",
      "ReplicationConflicts",
    ]);
  });

  it("follow other settings", () => {
    const of = (change: Readonly<Record<string, unknown>>, engine: Engine = "cnpg") =>
      thresholdsOf(settingsOf(engine, change));
    assert.equal(of({}).slotWal, 2 ** 30);
    // Without a volume of its own a slot may keep a quarter of the volume.
    assert.equal(of({}, "zalando").slotWal, 2.5 * 2 ** 30);
    const limited = (size: string) => of({ "cluster.parameters": { max_slot_wal_keep_size: size } }).slotWal;
    assert.equal(limited("512MB"), 2 ** 28);
    assert.equal(limited("3GB"), 2 ** 30);
    assert.equal(limited("-1"), 2 ** 30);
    assert.equal(of({ "cluster.storage.walSize": "400Gi" }).archiveBacklog, 256);
    const multixacts = of({ "cluster.parameters": { autovacuum_multixact_freeze_max_age: 1_000_000_000 } });
    assert.deepEqual([multixacts.wraparoundHigh, multixacts.wraparoundRisk], [0.5657, 0.6657]);
    assert.equal(of({ "cluster.parameters": { checkpoint_timeout: "15min" } }).checkpoints, 4);
    assert.equal(
      of({ "cluster.parameters": { autovacuum_freeze_max_age: 1_000_000_000 } }).wraparoundHigh,
      0.5657,
    );
    assert.equal(
      of({ "cluster.parameters": { autovacuum_freeze_max_age: 1_000_000_000 } }).wraparoundRisk,
      0.6657,
    );
    assert.equal(of({ "rotation.overlapMinutes": 60 }).rotation, 5400);
    assert.equal(of(onItsVolume, "standalone").firstBackup, 2 * 3600 + 86_400);
    assert.equal(of({ "backup.schedule": "0 */6 * * *" }).backupAge, 6 * 3600 + 4 * 3600 + 900);
    assert.equal(of({ "backup.copy.schedule": "0 * * * *" }).copyAge, 8100);
    assert.equal(of({ "backup.verify.schedule": "0 5 * * *" }).verificationAge, 172_800);
    assert.equal(of({}).certificate, 5 * 86_400);
    assert.equal(of({}, "standalone").certificate, 30 * 86_400);
  });
});
