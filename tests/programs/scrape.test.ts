import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promtool } from "../../local/toolchain/prometheusTools";
import { planners } from "../../plan/engines/select";
import { poolerPlan } from "../../plan/pooler/plan";
import { operatorMetrics, operatorTargetLabels } from "../../plan/monitoring/foreignMetrics";
import type { Monitored } from "../../plan/monitoring/monitored";
import { jobs, type Job } from "../../plan/monitoring/names";
import { planMetrics } from "../../plan/monitoring/plan";
import { poolerMetrics, poolerTargetLabels } from "../../plan/monitoring/poolerMetrics";
import { podLabel } from "../../plan/monitoring/relabel";
import { podMonitor, scrapesOf, scrapeConfig, targetSteps, type Scrape } from "../../plan/monitoring/scrape";
import type { SettingsInput } from "../../settings/schema";
import { run } from "../../shell/process";
import { type LabelSet, scraped } from "../support/relabel";
import { collectedInput, type Engine, engines } from "../support/collected";
import { changed, checked } from "../support/settings";

/**
 * What becomes of a target and of its samples. The steps are done by a stand-in of Prometheus' relabeling (tests/support/relabel.ts); the suite
 * `monitoring` asks a real Prometheus.
 */

function monitoredOf(engine: Engine, monitoring: SettingsInput["monitoring"] = {}): Monitored {
  const settings = checked(
    collectedInput(engine, { prometheus: "operator", namespace: "monitoring", ...monitoring }),
  );
  const planner = planners[engine];
  const cluster = planner.plan(settings);
  return {
    settings,
    engine: planner,
    cluster,
    poolers: settings.poolers.map((pooler) => poolerPlan(settings, pooler, cluster)),
  };
}

const scrapeOf = (monitored: Monitored, job: Job): Scrape => {
  const found = scrapesOf(monitored).find((one) => one.job === job);
  assert.ok(found, job);
  return found;
};

const expositions = join(__dirname, "expositions");
const exposition = (name: string): string => readFileSync(join(expositions, `${name}.txt`), "utf8");

/** What the Prometheus Operator gives a target before the steps of a monitor. */
const byOperator = (pod: string, container: string): LabelSet => ({
  container,
  endpoint: "metrics",
  pod,
  job: "postgres/main-x",
  namespace: "postgres",
});

const podOf = (pod: string, labels: Readonly<Record<string, string>>): LabelSet => ({
  __meta_kubernetes_namespace: "postgres",
  __meta_kubernetes_pod_name: pod,
  __meta_kubernetes_pod_container_port_name: "metrics",
  ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [podLabel(key), value])),
});

/** The pod that has an instance's metrics, as the engine labels it. */
const instance: Readonly<Record<Engine, LabelSet>> = {
  cnpg: podOf("main-1", { "cnpg.io/instanceRole": "primary" }),
  zalando: podOf("main-1-exporter-6d-x", { "pgplatform.io/instance": "main-1" }),
  standalone: podOf("main-1", {}),
};

/** The catalogue's samples, as PostgreSQL answers, which says its role. */
const catalogue = (prefix: string, more: string) => `
# TYPE ${prefix}pgplatform_server_up gauge
${prefix}pgplatform_server_up{role="ROLE"${more}} 1
${prefix}pgplatform_database_size_bytes{role="ROLE",database="app"${more}} 7.5e+06
${prefix}pgplatform_connections_count{role="ROLE",database="app",state="idle in \\"x\\""${more}} 3`;

/** What an instance of each engine shows, shortly. */
const shown: Readonly<Record<Engine, string>> = {
  cnpg: `${catalogue("cnpg_", "")}
cnpg_collector_up{cluster="main"} 1
cnpg_collector_last_collection_error 0
cnpg_last_error 0
cnpg_errors_total{errorUserQueries="x on db app: some text"} 3
cnpg_collector_first_recoverability_point 0
go_goroutines 20`,
  zalando: `${catalogue("", ',server="main-1-server.postgres.svc:5432"')}
pg_up 1
pg_exporter_last_scrape_error 0
pg_exporter_scrapes_total 12
pg_static{server="127.0.0.1:5432",short_version="17.5.0"} 1
go_goroutines 9`,
  standalone: `${catalogue("", ',server="/run/postgresql:5432"')}
pg_up 1
pg_exporter_last_scrape_error 0
process_cpu_seconds_total 4`,
};

/** Names of labels as `sortedKeys` has them of a sample. */
const named = (labels: readonly string[]): string => [...labels, "__name__"].sort().join();
const sortedKeys = (set: LabelSet): string => Object.keys(set).sort().join();

/** Samples after scraping, by name, each with the names of its labels. */
const shapes = (samples: readonly LabelSet[]): string[] =>
  samples.map((one) => `${one.__name__}: ${sortedKeys(one)}`).sort();

describe("what is scraped", () => {
  const read = (engine: Engine, role = "primary"): LabelSet[] => {
    const monitored = monitoredOf(engine);
    const scrape = scrapeOf(monitored, "instances");
    const target = { ...instance[engine], ...byOperator("main-1", "postgres") };
    const exposition = shown[engine].replaceAll("ROLE", role);
    return scraped(target, targetSteps(scrape, monitored.settings), exposition, scrape.samples);
  };

  it("has the same names and the same labels on every engine", () => {
    const [first, ...others] = engines.map((engine) => shapes(read(engine)));
    assert.deepEqual(
      new Set(first?.map((line) => line.split(":")[0])),
      new Set([
        "pgplatform_server_up",
        "pgplatform_database_size_bytes",
        "pgplatform_connections_count",
        "pgplatform_exporter_connected",
        "pgplatform_exporter_last_error",
      ]),
    );
    others.forEach((other) => assert.deepEqual(other, first));
  });

  it("has the cluster, the instance and its role as the server says it, and no address", () => {
    for (const engine of engines)
      for (const role of ["primary", "standby"]) {
        const samples = read(engine, role);
        const target = {
          namespace: "postgres",
          cluster: "main",
          instance: "main-1",
          job: jobs.instances,
        };
        assert.deepEqual(
          samples.find(({ __name__ }) => __name__ === "pgplatform_server_up"),
          { __name__: "pgplatform_server_up", ...target, role },
        );
        assert.deepEqual(
          samples.find(({ __name__ }) => __name__ === "pgplatform_exporter_connected"),
          { __name__: "pgplatform_exporter_connected", ...target },
        );
      }
  });

  it("reads the pods that have an instance's metrics: itself, or its exporter", () => {
    const podsOf = (engine: Engine) => scrapeOf(monitoredOf(engine), "instances").pods;
    assert.deepEqual(podsOf("cnpg"), planners.cnpg.instancePods.labels("main"));
    assert.deepEqual(podsOf("standalone"), planners.standalone.instancePods.labels("main"));
    assert.deepEqual(podsOf("zalando"), { "pgplatform.io/cluster": "main", "pgplatform.io/role": "metrics" });
  });

  it("keeps the names of a pooler that can be relied on, whichever exporter counts", () => {
    const monitored = monitoredOf("cnpg");
    const scrape = scrapeOf(monitored, "poolers");
    const target = podOf("main-pooler-app-5d-x", { "app.kubernetes.io/instance": "main-pooler-app" });
    const seen = ["pgbouncer-exporter-0.12.1", "pgbouncer-exporter-0.10.2"].map((name) =>
      scraped(target, targetSteps(scrape, monitored.settings), exposition(name), scrape.samples),
    );
    assert.deepEqual(shapes(seen[0] ?? []), shapes(seen[1] ?? []));
    for (const samples of seen)
      for (const metric of poolerMetrics) {
        const own = samples.filter(({ __name__ }) => __name__ === metric.name);
        assert.ok(own.length > 0, metric.name);
        for (const labels of own) {
          assert.equal(sortedKeys(labels), named([...poolerTargetLabels, ...metric.labels]));
          assert.equal(labels.pooler, "app");
          assert.equal(labels.instance, "main-pooler-app-5d-x");
        }
      }
    assert.equal(
      new Set((seen[0] ?? []).map(({ __name__ }) => __name__)).size,
      poolerMetrics.length,
      "no other name is kept, such as one with each client's application_name",
    );
  });

  it("tells the types of a pooler's metrics as the exporters do", () => {
    for (const { name, type } of poolerMetrics)
      assert.equal(name.endsWith("_total"), type === "counter", name);
  });

  it("keeps of what serves files its own metrics, as of one thing that goes on when its pod changes", () => {
    const monitored = monitoredOf("zalando");
    const cases: [Job, string, string, object][] = [
      [
        "backups",
        'pgplatform_backup_target_up{target="near",archive_id="a1"} 1\nother 1\npgplatform_certificate_readable 1',
        "pgplatform_backup_target_up",
        { instance: "main-backups", target: "near", archive_id: "a1", job: jobs.backups },
      ],
      [
        "monitor",
        'pgplatform_certificate_expiry_timestamp_seconds{certificate="ca"} 1\npgplatform_backup_target_up 1',
        "pgplatform_certificate_expiry_timestamp_seconds",
        { instance: "main-monitor", certificate: "ca", job: jobs.monitor },
      ],
    ];
    for (const [job, text, name, labels] of cases) {
      const scrape = scrapeOf(monitored, job);
      assert.equal(scrape.path, "/metrics.txt");
      assert.deepEqual(
        scraped(podOf("x-5d-x", {}), targetSteps(scrape, monitored.settings), text, scrape.samples),
        [{ __name__: name, namespace: "postgres", cluster: "main", ...labels }],
      );
    }
  });

  it("reads the operator where it has metrics and this stack installs it, as of no cluster", () => {
    const monitored = monitoredOf("cnpg");
    const scrape = scrapeOf(monitored, "operator");
    assert.equal(scrape.namespace, "cnpg-system");
    const names = operatorMetrics.map(({ name }) => name);
    const samples = scraped(
      { ...podOf("cnpg-1", {}), __meta_kubernetes_namespace: "cnpg-system" },
      targetSteps(scrape, monitored.settings),
      [...names, "go_goroutines", "controller_runtime_reconcile_time_seconds_sum"]
        .map((name) => `${name} 1`)
        .join("\n"),
      scrape.samples,
    );
    assert.deepEqual(
      samples.map(({ __name__ }) => __name__),
      names,
    );
    for (const labels of samples) assert.equal(sortedKeys(labels), named(operatorTargetLabels));
    const { settings } = monitored;
    const elsewhere = {
      ...monitored,
      settings: { ...settings, operator: { ...settings.operator, install: false } },
    };
    for (const other of [elsewhere, monitoredOf("zalando"), monitoredOf("standalone")])
      assert.ok(!scrapesOf(other).some(({ job }) => job === "operator"));
  });

  it("is nothing that isn't there: no pooler, no backups", () => {
    const monitored = monitoredOf("cnpg");
    const settings = changed({ ...monitored.settings, poolers: [] }, "backup", undefined);
    assert.deepEqual(
      scrapesOf({ ...monitored, settings }).map(({ job }) => job),
      ["instances", "monitor", "operator"],
    );
  });

  it("selects the pods of this cluster alone, whatever others are called", () => {
    const monitored = monitoredOf("cnpg");
    const dotted = { ...monitored.settings, cluster: { ...monitored.settings.cluster, name: "a-b" } };
    const scrape = scrapeOf({ ...monitored, settings: dotted }, "poolers");
    const target = (name: string) =>
      scraped(
        podOf("p", { "app.kubernetes.io/instance": name }),
        targetSteps(scrape, dotted),
        "pgbouncer_up 1",
        scrape.samples,
      )[0]?.pooler;
    assert.equal(target("a-b-pooler-x-pooler-y"), "x-pooler-y");
    assert.equal(target("axb-pooler-x"), undefined);
  });

  for (const engine of engines)
    it(`is told in the same steps to an operator and to a Prometheus of its own: ${engine}`, () => {
      const monitored = monitoredOf(engine);
      const { settings } = monitored;
      for (const scrape of scrapesOf(monitored)) {
        const monitor = podMonitor(scrape, settings, { release: "prometheus" });
        const [endpoint] = (monitor.spec as { podMetricsEndpoints: Record<string, unknown>[] })
          .podMetricsEndpoints;
        const config = scrapeConfig(scrape, settings);
        const snake = (steps: unknown): unknown =>
          JSON.parse(
            JSON.stringify(steps)
              .replaceAll('"sourceLabels"', '"source_labels"')
              .replaceAll('"targetLabel"', '"target_label"'),
          );
        assert.deepEqual(snake(endpoint?.relabelings), config.relabel_configs.slice(2));
        assert.deepEqual(snake(endpoint?.metricRelabelings), config.metric_relabel_configs);
        assert.equal(endpoint?.path, config.metrics_path);
        assert.deepEqual(monitor.metadata.labels, { release: "prometheus", "pgplatform.io/cluster": "main" });
      }
    });
});

describe("the scrape configuration", function () {
  // The first run fetches promtool.
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pgp-scrape-"))));
  after(() => rmSync(folder, { recursive: true }));

  const files = (engine: Engine, monitoring: SettingsInput["monitoring"] = {}) => {
    const { objects } = planMetrics(monitoredOf(engine, { prometheus: "annotations", ...monitoring }));
    const map = objects.find(({ id }) => id === "scrape-configuration")?.object;
    return map?.data as Record<string, string>;
  };

  async function verdict(parts: Readonly<Record<string, string>>): Promise<string> {
    for (const [name, text] of Object.entries(parts)) writeFileSync(join(folder, name), text);
    const config = {
      scrape_config_files: ["scrape.yaml"],
      ...("rules.yaml" in parts && { rule_files: ["rules.yaml"] }),
    };
    writeFileSync(join(folder, "prometheus.yaml"), JSON.stringify(config));
    const { exitCode, stdout, stderr } = await run(await promtool(), ["check", "config", "prometheus.yaml"], {
      cwd: folder,
      allowFailure: true,
    });
    return exitCode === 0 ? "" : `${stdout}${stderr}`;
  }

  for (const engine of engines)
    it(`is one that Prometheus takes: ${engine}`, async () => assert.equal(await verdict(files(engine)), ""));

  it("would be refused if it weren't", async () => {
    const good = files("cnpg");
    const bad = (good["scrape.yaml"] ?? "").replace('"action": "keep"', '"action": "kept"');
    assert.match(await verdict({ ...good, "scrape.yaml": bad }), /unknown relabel action "?kept/);
    const open = (good["scrape.yaml"] ?? "").replace("cnpg_(pgplatform", "cnpg_((pgplatform");
    assert.match(await verdict({ ...good, "scrape.yaml": open }), /error parsing regexp/);
  });
});
