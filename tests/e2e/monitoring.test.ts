import assert from "node:assert/strict";
import { check } from "../../checks/index";
import { alertsOf, ruleGroups, ruleOf } from "../../plan/monitoring/alerts";
import { metrics } from "../../plan/monitoring/catalogue";
import { interpolate, panelQueries } from "../../plan/monitoring/dashboards";
import { storeNamespace } from "../../plan/backup/storeNames";
import type { Settings, SettingsInput } from "../../settings/schema";
import { needs } from "./kit/ability";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";
import { Prometheus, receiver, type Told } from "./kit/prometheus";
import { ChangedStack } from "./kit/settings";
import { say, until } from "./kit/wait";
import { Bench } from "./monitoring/bench";
import { alertCases } from "./monitoring/cases";

/**
 * A Prometheus that the stack installs reads the cluster: it is asked each query of each dashboard and each alert, and alerts are made to fire and
 * to resolve, through Alertmanager into a receiver of the tests.
 *
 * The expressions are the product's. Thresholds are lowered by settings, and how long an expression must hold is cut to HOLD_SECONDS by
 * `transform`, so that nothing takes hours. Not shown: volumes that are full (the built-in cluster's volumes are folders of one disk).
 */
const suite = process.env.MONITORING === "1" ? describe : describe.skip;

const HOLD_SECONDS = 10;
const FIRES_SECONDS = 300;
/** What the kubelet tells of volumes that have a driver, and of no folder. */
const VOLUMES = "kubelet_volume_stats_";
const OVER_SECONDS = 180;

/** Changes the settings, and says what they then are on this engine. */
function monitor(settings: SettingsInput, engine: Settings["cluster"]["engine"]): Settings {
  settings.backup = { rpoMinutes: 1, targets: [{ name: "near", kind: "local", size: "5Gi" }] };
  settings.cluster.parameters = { ...settings.cluster.parameters, max_prepared_transactions: 5 };
  settings.monitoring = {
    prometheus: "install",
    thresholds: {
      slowQuery: "10s",
      longTransaction: "10s",
      idleInTransaction: "10s",
      blocked: "5s",
      preparedTransaction: "5s",
      connectionsHigh: "25%",
      connectionsFull: "45%",
      replicationLag: "5s",
      slotWal: "16Mi",
      deadRows: "20%",
      deadlocks: 0,
      archiveBacklog: 3,
    },
    queries: [
      {
        name: "e2e",
        sql: "select count(wanted) as rows from e2e_counted",
        tables: ["e2e_counted"],
        values: [{ name: "rows", help: "Rows that are counted." }],
      },
    ],
    install: {
      scrapeSeconds: 5,
      groupWaitSeconds: 1,
      groupIntervalSeconds: 5,
      receivers: [
        {
          name: "tests",
          kind: "webhook",
          url: `http://${receiver.name}.${receiver.namespace}.svc/alerts`,
          severities: ["critical", "warning", "info"],
          pods: { namespace: receiver.namespace, labels: receiver.labels, port: receiver.port },
        },
      ],
    },
  };
  const alone = engine === "standalone" && ({ instances: 1, durability: "async" } as const);
  const result = check({ ...settings, cluster: { ...settings.cluster, engine, ...alone } });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  const groups = ruleGroups(result.settings).map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ({ ...rule, ...(rule.for !== undefined && { for: `${HOLD_SECONDS}s` }) })),
  }));
  settings.transform = { monitoring: { alerts: { spec: { groups } } } };
  return result.settings;
}

suite("monitoring (Prometheus and Alertmanager of Debian's packages, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let prometheus: Prometheus;
  let bench: Bench;

  before(async () => {
    env = await environment();
    clients = await startClients(env);
    stack = await ChangedStack.open();
    await receiver.start(env);
    let settings = env.settings;
    await stack.write([
      (given) => {
        settings = monitor(given, env.engine.name);
      },
    ]);
    const { exitCode, seconds } = await stack.make("up");
    assert.equal(exitCode, 0, "`make up` ends well");
    say(`make up took ${seconds.toFixed(0)} s`);
    env = { ...env, settings };
    prometheus = await Prometheus.open(env);
    bench = new Bench(env, clients);
    await bench.sql(
      "create table if not exists e2e_counted (wanted int); grant select on e2e_counted to pg_monitor;",
    );
  });

  after(async () => {
    prometheus?.close();
    if (clients === undefined) return;
    await stack.giveBack(() =>
      deleteNamespaces(env, [
        ...clients.namespaces,
        receiver.namespace,
        storeNamespace(env.settings.cluster),
      ]),
    );
  });

  const ofCluster = (): string => {
    const { namespace, name } = env.settings.cluster;
    return `namespace="${namespace}",cluster="${name}"`;
  };

  it("reads each instance, each pooler, the backups and the monitor", async () => {
    const { instances } = env.settings.cluster;
    const pods = env.settings.poolers.reduce((sum, pooler) => sum + pooler.instances, 0);
    const expected = { instances, poolers: pods, backups: 1, monitor: 1 };
    await until("all are read", 180, async () => {
      const seen: Record<string, number> = {};
      for (const { job = "" } of await prometheus.query(`up{${ofCluster()}} == 1`)) {
        const short = job.replace("pgplatform-", "");
        seen[short] = (seen[short] ?? 0) + 1;
      }
      const same = Object.entries(expected).every(([job, count]) => seen[job] === count);
      return same ? { done: undefined } : { why: JSON.stringify(seen) };
    });
  });

  it("has the catalogue's labels on each of its samples, and its names alone", async () => {
    const target = ["__name__", "namespace", "cluster", "instance", "role", "job"];
    const found = await prometheus.series(
      `{job="pgplatform-instances",${ofCluster()},__name__=~"pgplatform_.+"}`,
    );
    const known = new Map(metrics.map((metric) => [metric.name, metric.labels]));
    const wrong = new Set<string>();
    for (const labels of found) {
      const name = labels.__name__ ?? "";
      // Those of users, and the exporters' own, which PostgreSQL doesn't answer.
      if (/^pgplatform_(user|exporter)_/.test(name)) continue;
      const own = known.get(name);
      const names = Object.keys(labels).sort().join();
      if (own === undefined) wrong.add(`${name} isn't in the catalogue`);
      else if (names !== [...target, ...own].sort().join()) wrong.add(`${name}: ${names}`);
    }
    assert.deepEqual([...wrong].sort(), []);
    const seen = new Set(found.map(({ __name__ }) => __name__));
    const missing = metrics.filter(({ name }) => !seen.has(name)).map(({ name }) => name);
    say(`${seen.size} of ${metrics.length} names; without rows now: ${missing.join(", ") || "none"}`);
    assert.ok(seen.size > metrics.length / 2, "most of the catalogue has rows on a healthy idle cluster");
  });

  it("answers each query of each dashboard, with data but where an event must come first", async () => {
    const { namespace, name } = env.settings.cluster;
    const folders =
      env.settings.platform === "local" &&
      (await prometheus.series(`{__name__=~"${VOLUMES}.+"}`)).length === 0;
    if (folders) say("volumes are folders of a node here, of whose use the kubelet tells nothing: not asked");
    const ask = async (): Promise<string[]> => {
      const problems: string[] = [];
      for (const { dashboard, panel, expr, needsEvent } of panelQueries())
        try {
          const rows = await prometheus.query(interpolate(expr, { namespace, cluster: name }));
          if (rows.length === 0 && needsEvent === undefined && !(folders && expr.includes(VOLUMES)))
            problems.push(`${dashboard}: ${panel}: no data: ${expr}`);
        } catch (error) {
          problems.push(`${dashboard}: ${panel}: ${(error as Error).message}`);
        }
      return problems;
    };
    // Rates need two scrapes, and some statistics a minute.
    await until("each query has an answer", 300, async () => {
      const problems = await ask();
      return problems.length === 0 ? { done: undefined } : { why: problems.join("\n") };
    });
  });

  it("evaluates each alert without an error, and none of them fires on a healthy idle cluster", async () => {
    for (const alert of alertsOf(env.settings)) await prometheus.query(ruleOf(alert, env.settings).expr);
    await until("no alert fires", 600, async () => {
      const firing = (await prometheus.alerts())
        .map(({ labels }) => labels.alertname)
        .filter((one) => one !== "Watchdog");
      return firing.length === 0 ? { done: undefined } : { why: firing.join(", ") };
    });
  });

  const told = async (since: number, alert: string, status: Told["status"]): Promise<boolean> =>
    (await receiver.told(env))
      .slice(since)
      .some((one) => one.status === status && one.labels.alertname === alert);

  for (const one of alertCases)
    it(`tells of ${one.title}, and when it is over: ${one.alerts.join(", ")}`, async function () {
      needs(this, env, ...(one.needs ?? []));
      if (one.engines !== undefined && !one.engines.includes(env.engine.name)) return this.skip();
      this.timeout((FIRES_SECONDS + (one.over ?? OVER_SECONDS) + 120) * 1000);
      const since = (await receiver.told(env)).length;
      try {
        await one.cause(bench);
        for (const alert of one.alerts)
          await until(
            `${alert} is told`,
            FIRES_SECONDS,
            async () => {
              if (await told(since, alert, "firing")) return { done: undefined };
              if (one.heals === true) await one.cause(bench);
              return { why: "not yet" };
            },
            3000,
          );
        const firing = (await prometheus.alerts()).filter(({ state }) => state === "firing");
        for (const alert of one.inhibited ?? []) {
          assert.ok(
            firing.some(({ labels }) => labels.alertname === alert),
            `${alert} fires at Prometheus`,
          );
          assert.ok(!(await told(since, alert, "firing")), `${alert} isn't told`);
        }
      } finally {
        await one.undo(bench);
      }
      for (const alert of one.alerts)
        await until(
          `${alert} is over`,
          one.over ?? OVER_SECONDS,
          async () => ((await told(since, alert, "resolved")) ? { done: undefined } : { why: "not yet" }),
          3000,
        );
    });
});
