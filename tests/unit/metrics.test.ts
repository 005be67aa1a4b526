import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { version } from "../../package.json";
import { preflight } from "../../operations/preflight";
import { queryProblems, queryWarnings, triedIn, trials } from "../../operations/queries";
import { planPlatform } from "../../plan/platform";
import { groups, metricName, metrics } from "../../plan/monitoring/catalogue";
import { cnpgQueries } from "../../plan/monitoring/cnpgQueries";
import { exporterArguments, exporterQueries } from "../../plan/monitoring/exporterQueries";
import { factsOf } from "../../plan/monitoring/facts";
import { limits } from "../../plan/monitoring/render";
import { metricsReference } from "../../plan/monitoring/reference";
import { platformVersion } from "../../plan/version";
import { sentence } from "../../settings/problem";
import type { SettingsInput } from "../../settings/schema";
import { entries } from "../../settings/schema/reference";
import { sentences } from "../support/rich";
import { checked, smallest } from "../support/settings";

type QueryInput = NonNullable<NonNullable<SettingsInput["monitoring"]>["queries"]>[number];

const sales: QueryInput = {
  name: "sales",
  sql: "SELECT tenant, count(*) AS orders FROM sales GROUP BY tenant",
  tables: ["sales"],
  labels: ["tenant"],
  values: [{ name: "orders", help: "orders of a tenant" }],
};
const withQueries = (...queries: readonly QueryInput[]): SettingsInput => ({
  ...smallest(),
  monitoring: { queries: [...queries] },
});

interface CustomQuery {
  readonly query: string;
  readonly name?: string;
  readonly target_databases?: readonly string[];
  readonly metrics: readonly Record<string, { usage: string; description: string }>[];
}
const parsed = (text: string) => Object.entries(parse(text) as Record<string, CustomQuery>);

describe("the catalogue of metrics", () => {
  it("has each name once, as Prometheus takes it, with unit and type at its end", () => {
    assert.ok(metrics.length >= 60);
    assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
    for (const { name, column, labels } of metrics) {
      assert.match(name, /^pgplatform_[a-z][a-z0-9_]*[a-z0-9]$/);
      assert.equal(/_total$/.test(name), column.type === "counter", name);
      const ends = (ending: string) => new RegExp(`_${ending}(_total)?$`).test(name);
      assert.equal(ends("seconds"), column.unit === "seconds" || column.unit === "timestamp", name);
      assert.equal(ends("bytes"), column.unit === "bytes", name);
      assert.equal(ends("ratio"), column.unit === "ratio", name);
      assert.ok(column.help.length > 0 && !/\n/.test(column.help));
      for (const label of labels)
        assert.ok(!["namespace", "cluster", "instance", "role"].includes(label), name);
      assert.equal(new Set(labels).size, labels.length);
    }
  });

  it("gives both exporters the same metrics with the same labels", () => {
    const settings = checked(withQueries(sales));
    const shape = (text: string) =>
      new Map(
        parsed(text).map(([key, { name = key, metrics: columns }]) => [
          name,
          columns.flatMap((one) => Object.entries(one)).map(([column, { usage }]) => `${column} ${usage}`),
        ]),
      );
    const [cnpg, exporter] = [shape(cnpgQueries(settings)), shape(exporterQueries(settings))];
    assert.deepEqual(cnpg, exporter);
    for (const group of groups) {
      const columns = cnpg.get(metricName(group, { name: "" }).slice(0, -1)) ?? [];
      for (const { name, type } of group.columns)
        assert.ok(columns.includes(`${name} ${type.toUpperCase()}`), name);
    }
  });

  it("asks a database that isn't there, or not to be connected to, nothing on CloudNativePG", () => {
    const [, { target_databases: targets = [] }] =
      parsed(cnpgQueries(checked(withQueries(sales)))).find(([key]) => key === "pgplatform_user_sales") ??
      assert.fail();
    assert.deepEqual(targets, ["[a]pp"]);
  });

  it("leaves out what a version or the settings don't have", () => {
    const of = (input: SettingsInput) => parsed(exporterQueries(checked(input))).map(([key]) => key);
    const on = (postgresVersion: "15" | "17"): SettingsInput => ({
      ...smallest(),
      cluster: { ...smallest().cluster, postgresVersion },
    });
    assert.ok(!of(on("15")).includes("pgplatform_io") && of(on("17")).includes("pgplatform_io"));
    assert.ok(of(smallest()).includes("pgplatform_statements"));
    assert.ok(
      !of({ ...smallest(), monitoring: { statements: { top: 0 } } }).includes("pgplatform_statements"),
    );
    assert.ok(!of(smallest()).includes("pgplatform_queries"));
  });

  it("has fewer tables of each of many databases", () => {
    const databases = Array.from({ length: 40 }, (_, index) => ({ name: `db${index}`, owner: "app" }));
    const text = exporterQueries(checked({ ...smallest(), cluster: { ...smallest().cluster, databases } }));
    assert.match(text, /LIMIT 5\n/);
    assert.doesNotMatch(text, /LIMIT 20\n.*\n\s*cache_seconds: 110/);
  });

  it("keeps secrets out of the settings' digest, and changes it with the settings", () => {
    const digest = (more: Partial<SettingsInput>) => factsOf(checked({ ...smallest(), ...more })).settings;
    const registry = (password: string) => ({
      registries: [{ server: "registry.example.com", username: "robot", password }],
    });
    assert.equal(digest(registry("one")), digest(registry("two")));
    assert.notEqual(digest({ labels: { team: "shop" } }), digest({}));
  });

  it("says in the settings for how long a query may run", () =>
    assert.match(
      entries().find(({ path }) => path === "monitoring.queries[].sql")?.means ?? "",
      new RegExp(`at most ${parseInt(limits.statement_timeout)} seconds`),
    ));

  it("says the platform's version as package.json does", () => assert.equal(platformVersion, version));

  it("is what docs/metrics.md says (if not: npm run docs:metrics)", () =>
    assert.ok(readFileSync(join(__dirname, "../../docs/metrics.md"), "utf8") === metricsReference()));
});

describe("Zalando's exporters", () => {
  const settings = checked({ ...smallest(), cluster: { ...smallest().cluster, engine: "zalando" } });
  const { cluster, flows } = planPlatform(
    { ...settings, operator: { ...settings.operator, install: false } },
    () => [],
  );
  const text = (kind: string) => JSON.stringify(cluster.objects.filter(({ object }) => object.kind === kind));

  it("are no containers beside a server, where the operator would hand them the superuser's password and the data", () =>
    assert.doesNotMatch(text("postgresql"), /"name":"exporter"|DATA_SOURCE/));

  it("know one password, their role's, and mount nothing of the server's", () => {
    const deployments = text("Deployment");
    assert.equal(deployments.match(/"kind":"Deployment"/g)?.length, settings.cluster.instances);
    const secrets = new Set(
      [...deployments.matchAll(/"secret(?:KeyRef":\{"name|Name)":"([^"]+)"/g)].map(([, name]) => name),
    );
    assert.deepEqual([...secrets].sort(), ["main-ca", "main-metrics"]);
    assert.doesNotMatch(deployments, /persistentVolumeClaim|hostPath|POSTGRES_PASSWORD/);
    assert.match(deployments, /"runAsNonRoot":true/);
  });

  it("reach the instances alone, and are what a Prometheus reads", () => {
    const reachable = flows.filter(({ from }) => from.kind === "pods" && from.name === "exporters");
    assert.deepEqual(
      reachable.map(({ to, port }) => [to.kind === "pods" && to.name, port]),
      [["instances", 5432]],
    );
  });
});

describe("queries of the settings", () => {
  const refusedAs = (query: Partial<QueryInput>, expected: RegExp) => {
    const found = sentences(withQueries({ ...sales, ...query }));
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", expected);
  };
  const value = (more: Partial<QueryInput["values"][number]>): Partial<QueryInput> => ({
    values: [{ name: "orders", help: "orders", ...more }],
  });

  const refusals: readonly [what: string, query: Partial<QueryInput>, expected: RegExp][] = [
    [
      "a name of a built-in group",
      { name: "database" },
      /name: "database" .*pgplatform_database_… are there/,
    ],
    ["an upper-case name", { name: "Sales" }, /name: "Sales" is not allowed/],
    ["two statements", { sql: "SELECT 1 AS tenant, 1 AS orders; SELECT 2" }, /is more than one statement/],
    ["a statement that writes", { sql: "DELETE FROM sales" }, /is no SELECT/],
    [
      "one that writes inside WITH",
      { sql: "WITH d AS (DELETE FROM sales RETURNING *) SELECT 1" },
      /writes \(DELETE\)/,
    ],
    ["one that writes behind WITH", { sql: "WITH d AS (SELECT 1) DELETE FROM sales" }, /writes \(DELETE\)/],
    ["structure", { sql: "CREATE TABLE x (i int)" }, /is no SELECT/],
    ["a table made by a SELECT", { sql: "SELECT 1 AS tenant, 1 AS orders INTO x" }, /writes \(INTO\)/],
    [
      "rows that it locks",
      { sql: "SELECT tenant, orders FROM sales FOR  no key update" },
      /locks rows \(FOR NO KEY UPDATE\)/,
    ],
    ["a way out of the query around it", { sql: "SELECT 1) q, (SELECT 2" }, /parentheses/],
    ["a quotation without end", { sql: "SELECT 'x" }, /without end/],
    ["a comment without end", { sql: "SELECT 1 /* and" }, /without end/],
    [
      "seconds that don't say so",
      value({ unit: "seconds" }),
      /ends with _seconds, since it is a gauge of seconds/,
    ],
    ["a count that says bytes", value({ name: "stored_bytes" }), /a name without _bytes at its end/],
    [
      "a counter without _total",
      value({ type: "counter" }),
      /ends with _total, since it is a counter of count/,
    ],
    ["a gauge with _total", value({ name: "orders_total" }), /a name without _total/],
    [
      "seconds of a counter",
      value({ name: "run_seconds", unit: "seconds", type: "counter" }),
      /ends with _seconds_total/,
    ],
    ["a label that every sample has", { labels: ["instance"] }, /labels\[0\]: "instance"/],
    ["a value named as a label of every sample", value({ name: "role" }), /values\[0\]\.name: "role".*role/],
    ["a value named as the label of databases", value({ name: "database" }), /values\[0\]\.name: "database"/],
    ["a label without bound", { limit: 100_000 }, /limit: 100000 is not allowed/],
    [
      "more series than are good",
      { limit: 1000, values: [1, 2, 3, 4, 5, 6].map((n) => ({ name: `v${n}`, help: "x" })) },
      /at most 833, so that the query has no more than 5000 series/,
    ],
    [
      "a database that isn't there",
      { databases: ["shop"] },
      /databases\[0\]: "shop" is not allowed\. Allowed: one of app/,
    ],
  ];
  for (const [what, query, expected] of refusals)
    it(`are refused with ${what}`, () => refusedAs(query, expected));

  it("are refused where two make one metric", () => {
    const [found, ...others] = sentences(
      withQueries(
        { ...sales, name: "a", values: [{ name: "b_c", help: "x" }] },
        { ...sales, name: "a_b", values: [{ name: "c", help: "x" }] },
      ),
    );
    assert.deepEqual(others, []);
    assert.match(found ?? "", /pgplatform_user_a_b_c/);
  });

  const allowed: readonly [what: string, query: Partial<QueryInput>][] = [
    ["a semicolon at the end", { sql: `${sales.sql};` }],
    ["semicolons and words in quotations", { sql: "SELECT '; (delete' AS tenant, 1 AS orders" }],
    ["a backslash before a quotation's end", { sql: "SELECT '\\' AS tenant, 1 AS orders" }],
    ["a comment at the end", { sql: `${sales.sql} -- by tenant` }],
    [
      "WITH",
      { sql: `WITH s AS (SELECT * FROM sales) SELECT tenant, count(*) AS orders FROM s GROUP BY tenant` },
    ],
    ["a unit of one's own", value({ name: "revenue_euros", unit: "other" })],
    ["a schema", { tables: ["shop.sales"] }],
    ["a value named as a label that only Prometheus gives", value({ name: "instance" })],
  ];
  for (const [what, query] of allowed)
    it(`are taken with ${what}`, () => assert.deepEqual(sentences(withQueries({ ...sales, ...query })), []));
});

describe("queries of the settings, as the live database takes them", () => {
  const settings = checked(withQueries(sales, { ...sales, name: "later", tables: ["later"] }));

  it("are planned by a member of pg_monitor, and never run", () => {
    const [{ database, statements } = assert.fail(), ...others] = trials(settings);
    assert.deepEqual([database, others], ["app", []]);
    assert.ok(statements.includes("SET ROLE pg_monitor"));
    assert.equal(statements.join("\n").match(/EXPLAIN SELECT/g)?.length, 2);
  });

  it("are refused with PostgreSQL's words, and those without their tables are told", () => {
    const tried = triedIn(
      "app",
      '\n[{"query":"sales","ready":true,"error":"column \\"tenant\\" does not exist"},{"query":"later","ready":false}]\n',
    );
    assert.deepEqual(queryProblems(settings, tried).map(sentence), [
      'pgplatform:monitoring.queries[0].sql: "SELECT tenant, count(*) AS orders FROM sales GROUP BY tenant" is not allowed. ' +
        'Allowed: a query that the database app takes from a member of pg_monitor; it says: column "tenant" does not exist. ' +
        "Fix: correct it; a table that is made later belongs into tables, and the owner of one that may not be read must GRANT SELECT ON it TO pg_monitor.",
    ]);
    assert.deepEqual(queryWarnings(settings, tried), [
      "The query later of monitoring.queries has no rows in the database app yet: later must be there, and their owner must GRANT SELECT ON them TO pg_monitor.",
    ]);
    assert.equal(typeof preflight, "function");
  });

  it("say nothing where no database answers", () => {
    assert.deepEqual(triedIn("app", undefined), []);
    assert.deepEqual(triedIn("app", "psql: error"), []);
  });
});

describe("exporter.sh (with a stand-in for the exporter, which writes its arguments down and waits)", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pgp-exporter-"))));
  after(() => rmSync(folder, { recursive: true }));

  const script = () => {
    const text = readFileSync(join(__dirname, "../../plan/monitoring/exporter.sh"), "utf8")
      .replace("folder=/queries", `folder=${folder}`)
      .replace("/bin/postgres_exporter", join(folder, "exporter"))
      .replace("sleep 5", "sleep 0.1");
    writeFileSync(join(folder, "script.sh"), text);
    return join(folder, "script.sh");
  };
  const standIn = (body: string) => {
    writeFileSync(join(folder, "exporter"), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, "exporter"), 0o755);
  };
  const files = (args: readonly string[], queries: string) => {
    writeFileSync(join(folder, "arguments"), args.map((one) => `${one}\n`).join(""));
    writeFileSync(join(folder, "queries.yaml"), queries);
  };
  const started = () => {
    try {
      return readFileSync(join(folder, "started"), "utf8").trimEnd().split("\n");
    } catch {
      return [];
    }
  };

  it("starts it again when its queries change, with each argument as it is, and ends with it", async () => {
    mkdirSync(folder, { recursive: true });
    standIn(`printf '%s|' "$@" >>${folder}/started; echo >>${folder}/started; exec sleep 60`);
    files(["--one=a b", "--two"], "first");
    const child = spawn("sh", [script()]);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const until = async (count: number) => {
      while (started().length < count) await delay(50);
    };
    await until(1);
    files(["--one=a b", "--three"], "second");
    await until(2);
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    assert.deepEqual(started(), ["--one=a b|--two|", "--one=a b|--three|"]);
  });

  it("ends with the status of one that ends by itself", () => {
    standIn("exit 3");
    assert.equal(spawnSync("sh", [script()]).status, 3);
  });

  it("gets every argument on a line of its own", () => {
    for (const argument of exporterArguments(checked(smallest()), 9187, "/queries/queries.yaml"))
      assert.match(argument, /^--[^\n]+$/);
  });
});
