import assert from "node:assert/strict";
import { alertsOf, inhibitions, ruleOf } from "../../plan/monitoring/alerts";
import { metrics } from "../../plan/monitoring/catalogue";
import { interpolate, panelQueries } from "../../plan/monitoring/dashboards";
import { storeNamespace } from "../../plan/backup/storeNames";
import { plannerOf } from "../../plan/engines/select";
import { clusterPlan } from "../../plan/platform";
import { needs } from "./kit/ability";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";
import { Prometheus, receiver, type Told } from "./kit/prometheus";
import { ChangedStack } from "./kit/settings";
import { say, until } from "./kit/wait";
import { Bench } from "./monitoring/bench";
import { type AlertCase, alertCases } from "./monitoring/cases";
import { monitored } from "./monitoring/settings";

/**
 * A Prometheus that the stack installs reads the cluster: it is asked each query of each dashboard and each alert, and alerts are made to fire and
 * to resolve, through Alertmanager into a receiver of the tests.
 *
 * The expressions are the product's. Thresholds are lowered by settings, and how long an expression must hold is cut to 10 s by
 * `transform`, so that nothing takes hours. One cause comes after the other, and is taken away when its alerts were told; that they are over is asked
 * when all have had their turn. Not shown: what kubelets tell of volumes (the built-in cluster's are folders of one disk), NodeNotReady.
 */
const suite = process.env.MONITORING === "1" ? describe : describe.skip;

const FIRES_SECONDS = 300;
/** What the kubelet tells of volumes that have a driver, and of no folder. */
const VOLUMES = "kubelet_volume_stats_";
const OVER_SECONDS = 180;
const MEMORY_MIB = 700;
/** A base backup must grow old meanwhile. */
const AGES_SECONDS = 900;

suite("monitoring (Prometheus and Alertmanager of Debian's packages, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let prometheus: Prometheus;
  let bench: Bench;

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    await receiver.start(env);
    let settings = env.settings;
    await stack.write([
      (given) => {
        settings = monitored(given, env.engine.name);
      },
    ]);
    const { exitCode, seconds } = await stack.make("up");
    assert.equal(exitCode, 0, "`make up` ends well");
    say(`make up took ${seconds.toFixed(0)} s`);
    env = { ...env, settings, plan: clusterPlan(settings, plannerOf(settings)) };
    clients = await startClients(env);
    prometheus = await Prometheus.open(env);
    bench = new Bench(env, clients, stack);
    await bench.sql(
      "create table if not exists e2e_counted (wanted int); grant select on e2e_counted to pg_monitor; " +
        "create table if not exists e2e_verified (one int); insert into e2e_verified values (1);",
    );
  });

  after(async () => {
    prometheus?.close();
    if (stack === undefined) return;
    await stack.giveBack(() =>
      deleteNamespaces(env, [
        ...new Set(env.settings.clients.map(({ namespace }) => namespace)),
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

  it(`takes at most ${MEMORY_MIB} MiB, all of its pods together`, async () => {
    const { kubectl, settings } = env;
    const namespace = settings.monitoring.namespace ?? assert.fail("monitoring has no namespace");
    const { stdout } = await kubectl.run(["get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"]);
    const used = new Map<string, number>();
    for (const node of stdout.trim().split(" ")) {
      const { stdout: summary } = await kubectl.run([
        "get",
        "--raw",
        `/api/v1/nodes/${node}/proxy/stats/summary`,
      ]);
      const { pods } = JSON.parse(summary) as {
        pods: { podRef: { namespace: string; name: string }; memory?: { workingSetBytes?: number } }[];
      };
      for (const { podRef, memory } of pods)
        if (podRef.namespace === namespace) used.set(podRef.name, memory?.workingSetBytes ?? Number.NaN);
    }
    const all = [...used].map(([pod, bytes]) => `${pod} ${Math.round(bytes / 2 ** 20)} MiB`);
    say(all.join(", "));
    const { stdout: running } = await kubectl.run(["-n", namespace, "get", "pods", "-o", "name"]);
    assert.equal(used.size, running.trim().split("\n").length, "each pod is counted");
    const sum = [...used.values()].reduce((one, other) => one + other, 0) / 2 ** 20;
    assert.ok(sum <= MEMORY_MIB, `${sum.toFixed(0)} MiB`);
  });

  const told = async (since: number, alert: string, status: Told["status"]): Promise<boolean> =>
    (await receiver.told(env))
      .slice(since)
      .some((one) => one.status === status && one.labels.alertname === alert);

  const fires = async (alert: string): Promise<boolean> =>
    (await prometheus.alerts()).some(({ state, labels }) => state === "firing" && labels.alertname === alert);

  /** Alerts that were told and not yet seen to be over, with the number of messages before them. */
  const open = new Map<string, number>();
  const caused = new Set<AlertCase>();

  async function seeOver(alert: string, seconds: number): Promise<void> {
    const since = open.get(alert);
    if (since === undefined) return;
    await until(
      `${alert} is over`,
      seconds,
      async () => {
        if (await fires(alert)) return { why: "it fires at Prometheus" };
        return (await told(since, alert, "resolved")) ? { done: undefined } : { why: "that isn't told" };
      },
      3000,
    );
    open.delete(alert);
  }

  /** Waits for those that the case's alerts would keep Alertmanager from saying that they are over. */
  async function settle({ alerts, inhibited = [] }: AlertCase): Promise<void> {
    const sources = new Set([...alerts, ...inhibited]);
    for (const { source, targets } of inhibitions)
      if (sources.has(source))
        for (const target of targets) if (!alerts.includes(target)) await seeOver(target, OVER_SECONDS);
  }

  for (const one of alertCases)
    it(`tells of ${one.title}: ${one.alerts.join(", ")}`, async function () {
      needs(this, env, ...(one.needs ?? []));
      if (one.engines !== undefined && !one.engines.includes(env.engine.name)) return this.skip();
      const patience = one.ages === true ? AGES_SECONDS : FIRES_SECONDS;
      this.timeout((patience + 3 * OVER_SECONDS + 600) * 1000);
      await settle(one);
      if (one.ages !== true)
        for (const alert of [...one.alerts, ...(one.inhibited ?? []), ...(one.beside ?? [])])
          await until(
            `${alert} doesn't fire before`,
            OVER_SECONDS,
            async () => ((await fires(alert)) ? { why: "it does" } : { done: undefined }),
            3000,
          );
      const since = one.ages === true ? 0 : (await receiver.told(env)).length;
      const started = Date.now();
      try {
        await one.cause(bench);
        const seen = async (what: string, alert: string, look: () => Promise<boolean>): Promise<void> =>
          until(
            `${alert} ${what}`,
            patience,
            async () => {
              if (await look()) return { done: undefined };
              if (one.heals === true) await one.cause(bench);
              return { why: "not yet" };
            },
            3000,
          );
        for (const alert of one.alerts) {
          await seen("is told", alert, () => told(since, alert, "firing"));
          open.set(alert, since);
        }
        for (const alert of [...(one.inhibited ?? []), ...(one.beside ?? [])])
          await seen("fires at Prometheus", alert, () => fires(alert));
        for (const alert of one.inhibited ?? [])
          assert.ok(!(await told(since, alert, "firing")), `${alert} isn't told`);
        caused.add(one);
      } finally {
        await one.undo(bench);
      }
      say(`${((Date.now() - started) / 1000).toFixed(0)} s`);
    });

  for (const one of alertCases)
    it(`tells that it is over: ${one.title}`, async function () {
      if (!caused.has(one)) return this.skip();
      const seconds = one.over ?? OVER_SECONDS;
      this.timeout((seconds * (one.alerts.length + 1) + 60) * 1000);
      for (const alert of one.alerts) await seeOver(alert, seconds);
      for (const alert of [...(one.inhibited ?? []), ...(one.beside ?? [])])
        await until(
          `${alert} is over at Prometheus`,
          seconds,
          async () => ((await fires(alert)) ? { why: "it fires" } : { done: undefined }),
          3000,
        );
    });
});
