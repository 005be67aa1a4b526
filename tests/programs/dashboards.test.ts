import { parser } from "@prometheus-io/lezer-promql";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDashboards } from "../../local/dashboards";
import { promtool } from "../../local/toolchain/prometheusTools";
import { metrics } from "../../plan/monitoring/catalogue/index";
import {
  dashboardObjects,
  dashboardsOf,
  importable,
  interpolate,
  panelQueries,
  type PanelQuery,
} from "../../plan/monitoring/dashboards/index";
import { dashboardsPage } from "../../docs/writeDashboards";
import { projectDir } from "../../shell/paths";
import { limitsOf, usual } from "../../plan/monitoring/dashboards/limits";
import { run } from "../../shell/process";
import { everything, foreign, idle, type Made, madeSeries, minutes } from "../support/monitored";
import { checked, smallest } from "../support/settings";

const dashboards = dashboardsOf();
const panels = dashboards.flatMap(({ id, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ id, row, panel, where: `${id}: ${panel.title}` }))),
);
const queries = panelQueries();
const nameOf = ({ dashboard, panel, expr }: PanelQuery): string => `${dashboard}: ${panel}: ${expr}`;

const known = new Map<string, readonly string[]>([
  ...metrics.map(
    ({ name, labels }) => [name, ["namespace", "cluster", "instance", "role", ...labels]] as const,
  ),
  ...foreign.map(({ name, labels }) => [name, labels] as const),
]);

/** What an expression names, by Prometheus' own grammar. */
function namedIn(expr: string): {
  metrics: string[];
  labels: string[];
  grouping: string[];
  errors: string[];
} {
  const found = {
    metrics: [] as string[],
    labels: [] as string[],
    grouping: [] as string[],
    errors: [] as string[],
  };
  parser.parse(expr).iterate({
    enter: (node) => {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) found.errors.push(`at ${node.from}: ${text}`);
      if (node.name === "Identifier" && node.matchContext(["VectorSelector"])) found.metrics.push(text);
      if (node.name === "LabelName")
        (node.matchContext(["GroupingLabels"]) ? found.grouping : found.labels).push(text);
    },
  });
  return found;
}

describe("dashboards", () => {
  it("are nine, with more than fifty panels, each with title, text, query and unit", () => {
    assert.deepEqual(
      dashboards.map(({ id }) => id),
      [
        "fleet",
        "overview",
        "performance",
        "replication",
        "resources",
        "sizes",
        "tenants",
        "pooler",
        "backups",
      ],
    );
    assert.ok(panels.length >= 50, `${panels.length}`);
    for (const { where, panel } of panels) {
      assert.notEqual(panel.title, "", where);
      assert.match(panel.description, /^[A-Z].*\.$/, where);
      assert.notEqual(panel.unit, "", where);
      assert.ok(panel.queries.length > 0, where);
      for (const { legend } of panel.queries) assert.notEqual(legend, "", where);
    }
  });

  it("have no title twice", () => {
    for (const { id, rows } of dashboards) {
      const titles = rows.flatMap((row) => row.panels.map(({ title }) => `${row.title}: ${title}`));
      assert.equal(new Set(titles).size, titles.length, id);
    }
  });

  it("fill their lines", () => {
    for (const { id, rows } of dashboards)
      for (const { title, panels: inRow } of rows) {
        const sum = inRow.reduce((before, { width }) => {
          const now = (before % 24) + width;
          assert.ok(now <= 24, `${id}: ${title}: a panel would stand in two lines`);
          return now;
        }, 0);
        assert.equal(sum % 12, 0, `${id}: ${title} ends with a gap`);
      }
  });

  it("have titles that fit their panels", () => {
    for (const { where, panel } of panels) assert.ok(panel.title.length <= 7 * panel.width, where);
  });

  it("have the variables that they use, and use those that they have", () => {
    for (const { id, variables } of dashboards) {
      const own = queries.filter(({ dashboard }) => dashboard === id);
      const used = new Set(
        own.flatMap(({ expr }) => [...expr.matchAll(/\$([a-z]+)/g)].map(([, name]) => name)),
      );
      assert.deepEqual([...used].sort(), variables.map(({ name }) => name as string).sort(), id);
    }
    const all = new Set(dashboards.flatMap(({ variables }) => variables.map(({ name }) => name)));
    for (const name of ["namespace", "cluster", "instance", "database"] as const)
      assert.ok(all.has(name), name);
  });

  it("ask for metrics and labels that there are", () => {
    for (const query of queries) {
      const { metrics: names, labels, grouping, errors } = namedIn(interpolate(query.expr));
      assert.deepEqual(errors, [], nameOf(query));
      const theirs = new Set(names.flatMap((name) => known.get(name) ?? []));
      for (const name of names) assert.ok(known.has(name), `${nameOf(query)} names ${name}`);
      if (names.length === 0) continue;
      for (const label of [...labels, ...grouping])
        assert.ok(theirs.has(label), `${nameOf(query)} names the label ${label}`);
    }
  });

  it("ask for no metric that one engine alone has", () => {
    for (const query of queries)
      assert.doesNotMatch(query.expr, /\b(cnpg|pg|patroni|spilo|zalando|controller)_/, nameOf(query));
  });

  it("name series and columns by labels that the answer has", () => {
    for (const { where, panel } of panels)
      for (const { expr, legend } of panel.queries) {
        const { metrics: names, grouping } = namedIn(interpolate(expr));
        const theirs = /\b(by|without)\b/.test(expr)
          ? grouping
          : names.flatMap((name) => known.get(name) ?? []);
        const asked =
          panel.kind === "table"
            ? Object.keys(panel.labels ?? {})
            : [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ""]) => name);
        for (const label of asked) assert.ok(theirs.includes(label), `${where} names ${label}: ${expr}`);
      }
  });

  it("tell the series of a panel apart", () => {
    for (const { where, panel } of panels) {
      const legends = panel.queries.map(({ legend }) => legend);
      assert.equal(new Set(legends).size, legends.length, where);
    }
  });
});

describe("Grafana's library", () => {
  it("is loaded only where there are dashboards", async () => {
    const script = `
      const { planPlatform } = require("./plan/platform");
      const loaded = () => Object.keys(require.cache).some((path) => path.includes("grafana-foundation-sdk"));
      const before = loaded();
      require("./plan/monitoring/dashboards").importable();
      console.log(before, loaded(), typeof planPlatform);`;
    const { stdout } = await run(process.execPath, ["--import", "tsx", "-e", script], { cwd: projectDir });
    assert.equal(stdout.trim(), "false true function");
  });
});

describe("what dashboards ask", function () {
  // The first run fetches promtool.
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pgp-dashboards-"))));
  after(() => rmSync(folder, { recursive: true }));

  /** The queries to which Prometheus' own engine has no answer, or none but NaN, over made-up series. */
  async function unanswered(made: Made, asked: readonly PanelQuery[]): Promise<string[]> {
    const file = join(folder, "test.json");
    const found = asked.map((query) => {
      const expr = interpolate(query.expr, { namespace: "postgres", cluster: "main" });
      return { query, expr: `count((${expr}) == (${expr})) > bool 0` };
    });
    const test = {
      interval: "1m",
      input_series: madeSeries(made),
      promql_expr_test: found.map(({ expr }) => ({
        expr,
        eval_time: `${minutes}m`,
        exp_samples: [{ labels: "{}", value: 1 }],
      })),
    };
    writeFileSync(file, JSON.stringify({ evaluation_interval: "1m", tests: [test] }));
    const { exitCode, stdout, stderr } = await run(await promtool(), ["test", "rules", file], {
      allowFailure: true,
    });
    const output = stdout + stderr;
    const failed = found.filter(({ expr }) => output.includes(`expr: ${JSON.stringify(expr)}`));
    assert.equal(exitCode === 0, failed.length === 0, output);
    return failed.map(({ query }) => nameOf(query));
  }

  it("has answers where there is everything, by Prometheus' own engine", async () => {
    assert.deepEqual(await unanswered(everything, queries), []);
  });

  it("has answers on an idle server alone, but for what is said to need more", async () => {
    const asked = queries.filter(({ needsEvent }) => needsEvent === undefined);
    assert.deepEqual(await unanswered(idle, asked), []);
  });

  it("is said to need more only where it does", async () => {
    const asked = queries.filter(({ needsEvent }) => needsEvent !== undefined);
    assert.deepEqual((await unanswered(idle, asked)).sort(), asked.map(nameOf).sort());
  });
});

describe("colours of panels", () => {
  /** Values from which on a panel is orange and red. */
  const steps = (input: object, dashboard: string, title: string): (number | null)[] | undefined =>
    dashboardsOf(checked({ ...smallest(), ...input }))
      .find(({ id }) => id === dashboard)
      ?.rows.flatMap((row) => row.panels)
      .find((panel) => panel.title === title)
      ?.steps?.map(([value]) => value)
      .slice(1);

  it("change where alerts fire", () => {
    const thresholds = {
      connectionsHigh: "60%",
      connectionsFull: "70%",
      replicationLag: "20s",
      poolerWait: "10s",
    };
    const given = {
      poolers: [{ name: "app", database: "app" }],
      monitoring: { prometheus: "operator", namespace: "watching", thresholds },
    };
    assert.deepEqual(steps({}, "overview", "Connections used"), [0.8, 0.95]);
    assert.deepEqual(steps(given, "overview", "Connections used"), [0.6, 0.7]);
    assert.deepEqual(steps({}, "overview", "Replication lag"), [54, 60]);
    assert.deepEqual(steps(given, "overview", "Replication lag"), [18, 20]);
    assert.deepEqual(steps(given, "pooler", "Longest wait"), [9, 10]);
  });

  it("follow what the settings ask of backups", () => {
    const backup = (rpoMinutes: number) => ({
      backup: { targets: [{ name: "near", kind: "local" }], schedule: "0 */6 * * *", rpoMinutes },
    });
    assert.deepEqual(steps(backup(10), "backups", "Writes that aren't archived"), [540, 600]);
    assert.deepEqual(steps(backup(10), "overview", "Base backup"), [32_400, 36_000]);
  });

  it("are, where no settings say it, those of settings that name none", () => {
    const { verificationAge, archiveBacklog, slotWal, ...rest } = usual;
    assert.ok(verificationAge > 0 && archiveBacklog > 0 && slotWal > 0);
    const limits = limitsOf(
      checked({ ...smallest(), backup: { targets: [{ name: "near", kind: "local" }] } }),
    );
    for (const [name, value] of Object.entries(rest))
      assert.equal(limits[name as keyof typeof rest], value, name);
  });
});

describe("the dashboard of tenants", () => {
  const value = (name: string, more: object = {}) => ({ name, help: `What ${name} is.`, ...more });
  const settings = checked({
    ...smallest(),
    monitoring: {
      queries: [
        {
          name: "sales",
          sql: "SELECT tenant, count(*) AS orders, sum(size) AS stored_bytes, sum(back) AS returns_total FROM sales GROUP BY tenant",
          labels: ["tenant"],
          values: [
            value("orders"),
            value("stored_bytes", { unit: "bytes" }),
            value("returns_total", { type: "counter" }),
          ],
        },
        { name: "stock", sql: "SELECT 0.5 AS free_ratio", values: [value("free_ratio", { unit: "ratio" })] },
      ],
    },
  });
  const shown =
    dashboardsOf(settings)
      .find(({ id }) => id === "tenants")
      ?.rows.at(-1)?.panels ?? [];

  it("has a panel for each value of the settings' queries, by their labels", () => {
    assert.deepEqual(
      shown.slice(1).map(({ title, unit, queries: [one] }) => [title, unit, one?.expr, one?.legend]),
      [
        ["Sales orders", "short", "sales_orders", "{{database}} {{tenant}}"],
        ["Sales stored bytes", "bytes", "sales_stored_bytes", "{{database}} {{tenant}}"],
        ["Sales returns", "short", "sales_returns_total", "{{database}} {{tenant}}"],
        ["Stock free ratio", "percentunit", "stock_free_ratio", "{{database}}"],
      ].map(([title, unit, metric = "", legend]) => {
        const selector = `pgplatform_user_${metric}{namespace="$namespace", cluster="$cluster", role="primary", database=~"$database"}`;
        const by = legend?.includes("tenant") ? "database, tenant" : "database";
        const of = metric.endsWith("_total") ? `increase(${selector}[5m])` : selector;
        return [title, unit, `max by (${by}) (${of})`, legend];
      }),
    );
  });

  it("is what the list of queries has, too", () => {
    const asked = panelQueries(settings).filter(({ expr }) => expr.includes("pgplatform_user_"));
    assert.deepEqual(
      asked.map(({ panel }) => panel),
      shown.slice(1).map(({ title }) => title),
    );
  });

  it("fills its lines with any number of them", () => {
    for (let count = 0; count < 6; count++) {
      const one = settings.monitoring.queries[1];
      assert.ok(one);
      const many = Array.from({ length: count }, (_, index) => ({ ...one, name: `q${index}` }));
      const row =
        dashboardsOf({ ...settings, monitoring: { ...settings.monitoring, queries: many } })
          .find(({ id }) => id === "tenants")
          ?.rows.at(-1)?.panels ?? [];
      assert.equal(row.reduce((sum, { width }) => sum + width, 0) % 24, 0, `${count}`);
    }
  });
});

describe("dashboards as objects", () => {
  const of = (name: string) =>
    checked({
      ...smallest(),
      cluster: { ...smallest().cluster, name },
      monitoring: { prometheus: "operator", namespace: "watching", labels: { team: "data" } },
    });
  const settings = of("main");
  const objects = dashboardObjects(settings);

  it("are ConfigMaps that a Grafana's sidecar finds, a dashboard each", () => {
    assert.equal(objects.length, dashboards.length);
    for (const { kind, metadata } of objects) {
      assert.equal(kind, "ConfigMap");
      assert.equal(metadata.namespace, "postgres");
      assert.equal(metadata.labels?.grafana_dashboard, "1");
      assert.equal(metadata.labels.team, "data");
      assert.equal(metadata.annotations?.grafana_folder, "PostgreSQL postgres main");
    }
  });

  it("are far smaller than a ConfigMap may be", () => {
    for (const object of objects) assert.ok(JSON.stringify(object).length < 256 * 1024, object.metadata.name);
  });

  it("differ in names, files and UIDs from those of another cluster in the same Grafana", () => {
    const other = dashboardObjects(of("second"));
    const identities = [...objects, ...other].flatMap((object) => [
      object.metadata.name,
      ...Object.entries(object.data as Record<string, string>).flatMap(([file, text]) => [
        file,
        (JSON.parse(text) as { uid: string }).uid,
      ]),
    ]);
    assert.equal(new Set(identities).size, identities.length);
    for (const identity of identities) assert.ok(identity.length <= 253, identity);
  });

  it("have UIDs that Grafana takes", () => {
    for (const object of objects)
      for (const text of Object.values(object.data as Record<string, string>))
        assert.match((JSON.parse(text) as { uid: string }).uid, /^[a-zA-Z0-9_-]{1,40}$/);
  });

  it("choose their own cluster at first", () => {
    const text = JSON.stringify(
      objects.find(({ metadata }) => metadata.name === "main-dashboard-overview")?.data,
    );
    assert.ok(text.includes(String.raw`{\"text\":\"main\",\"value\":\"main\"}`));
  });
});

describe("the page of dashboards", () => {
  it("is what they are", () => {
    const path = join(projectDir, "docs", "dashboards.md");
    assert.equal(readFileSync(path, "utf8"), dashboardsPage(), "npm run docs:dashboards writes it");
  });

  it("is told of with their number and names", () => {
    const section =
      readFileSync(join(projectDir, "docs", "monitoring.md"), "utf8").split("\n## Dashboards\n")[1] ?? "";
    const names = dashboards.map(({ title }) => title.replace("PostgreSQL: ", ""));
    assert.ok(section.replaceAll("\n", " ").includes(`${names.slice(0, -1).join(", ")}, ${names.at(-1)}.`));
  });
});

describe("dashboards to be imported by hand", () => {
  it("have all panels, and a data source that the reader chooses", () => {
    const rendered = importable();
    assert.deepEqual(
      [...rendered.keys()],
      dashboards.map(({ id }) => id),
    );
    for (const [id, dashboard] of rendered) {
      const text = JSON.stringify(dashboard);
      assert.ok(!text.includes("__inputs"), id);
      const sources = [...text.matchAll(/"datasource":\{"type":"prometheus","uid":"([^"]*)"\}/g)];
      assert.ok(sources.length > 0, id);
      for (const [, uid] of sources) assert.equal(uid, "${datasource}", id);
      const titles = (dashboard.panels ?? []).flatMap((panel) => (panel.type === "row" ? [] : [panel.title]));
      assert.deepEqual(
        titles,
        panels.filter((one) => one.id === id).map(({ panel }) => panel.title),
      );
    }
  });

  it("are written as files, one a dashboard", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgp-dashboards-"));
    try {
      const paths = await writeDashboards(join(folder, "new"));
      assert.equal(paths.length, dashboards.length);
      for (const path of paths) {
        const { uid } = JSON.parse(readFileSync(path, "utf8")) as { uid: string };
        assert.equal(path, join(folder, "new", `${uid.replace("pgplatform-", "")}.json`));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("give every panel what Grafana needs to draw it", () => {
    const types = new Set(["timeseries", "stat", "bargauge", "table", "state-timeline"]);
    for (const [id, dashboard] of importable()) {
      const ids = (dashboard.panels ?? []).map((panel) => panel.id);
      assert.equal(new Set(ids).size, ids.length, id);
      for (const panel of dashboard.panels ?? []) {
        if (panel.type === "row") continue;
        assert.ok(types.has(panel.type), panel.type);
        const { fieldConfig, targets, gridPos } = panel as {
          fieldConfig?: { defaults?: { unit?: string } };
          targets?: { expr?: string; refId?: string }[];
          gridPos?: { w: number };
        };
        assert.ok(fieldConfig?.defaults?.unit, `${id}: ${panel.title}`);
        assert.ok(gridPos && gridPos.w > 0, `${id}: ${panel.title}`);
        for (const target of targets ?? []) assert.ok(target.expr && target.refId, `${id}: ${panel.title}`);
      }
    }
  });
});
