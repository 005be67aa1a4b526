import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { groups, metricName, metrics } from "../../plan/monitoring/catalogue";
import { cnpgQueries } from "../../plan/monitoring/cnpgQueries";
import { exporterQueries } from "../../plan/monitoring/exporterQueries";
import { caughtUp, databases, prepare, settingsOf, user } from "./fixture";
import { type Answer, hasPsql, type Pair, pairOf, type Server } from "./servers";

/**
 * The catalogue's SQL on real servers of each major version, a primary and a standby, as a role that is a member of pg_monitor and nothing else, in the
 * form that each exporter gets. It doesn't prove what the exporters make of it: tests/e2e does.
 */

interface CustomQuery {
  readonly name?: string;
  readonly query: string;
  readonly predicate_query?: string;
  readonly primary?: boolean;
  readonly master?: boolean;
  readonly runonserver?: string;
  readonly target_databases?: readonly string[];
  readonly metrics: readonly Record<string, { usage: "LABEL" | "GAUGE" | "COUNTER" }>[];
}
type Samples = Map<string, Record<string, unknown>[]>;

/** Whether a range as the rendering writes them has the version. */
const runsOn = (range: string, major: number): boolean =>
  range.split(", ").every((one) => {
    const [, sign, version] = /^(>=|<) (\d+)\.0\.0$/.exec(one) ?? assert.fail(one);
    return sign === "<" ? major < Number(version) : major >= Number(version);
  });

const plain = (pattern: string): string => pattern.replace(/\[(.)\]/, "$1");

/** All that one exporter would give, by metric; runs each query where it would. */
function collect(server: Server, text: string, major: number, isPrimary: boolean): Samples {
  const samples: Samples = new Map();
  const all = Object.entries(parse(text) as Record<string, CustomQuery>)
    .filter(
      ([, { runonserver: range, primary }]) =>
        (range === undefined || runsOn(range, major)) && (isPrimary || !primary),
    )
    .map(([key, one]) => ({ ...one, name: one.name ?? key }));
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  const runsIn = ({ target_databases: targets, master }: CustomQuery): readonly string[] =>
    targets?.map(plain) ?? (master ? ["postgres"] : databases);
  for (const database of databases) {
    const here = all.filter((one) => runsIn(one).includes(database));
    const answers = server.answers(
      here.map(({ query, predicate_query: condition = "SELECT true" }) => ({ sql: query, condition })),
      { user, database },
    );
    assert.equal(answers.length, here.length);
    here.forEach(({ name, metrics: columns }, index) => take(samples, name, columns, answers[index]));
  }
  return samples;
}

/** Adds one query's rows, as an exporter would; fails where it would. */
function take(
  samples: Samples,
  name: string,
  mapping: CustomQuery["metrics"],
  answer: Answer | undefined,
): void {
  const columns = mapping.flatMap((column) => Object.entries(column));
  const labels = columns.filter(([, { usage }]) => usage === "LABEL").map(([column]) => column);
  if (answer !== undefined) {
    assert.deepEqual(
      answer.types.map(([column]) => column),
      columns.map(([column]) => column),
      name,
    );
    answer.types.forEach(([column, type]) =>
      assert.match(
        type,
        labels.includes(column) ? /^(text|name)$/ : /^(integer|bigint|numeric|double precision)$/,
        `${name}.${column}`,
      ),
    );
  }
  for (const [column] of columns.filter(([one]) => !labels.includes(one))) {
    const metric = `${name}_${column}`;
    const found = samples.get(metric) ?? [];
    for (const row of answer?.rows ?? []) {
      const sample = Object.fromEntries(labels.map((label) => [label, row[label]]));
      for (const [label, value] of Object.entries(sample))
        assert.equal(typeof value, "string", `${metric}: ${label}`);
      assert.equal(typeof row[column], "number", `${metric}: ${String(row[column])}`);
      assert.ok(
        !found.some((other) => labels.every((label) => other[label] === sample[label])),
        `${metric}: two samples of ${JSON.stringify(sample)}`,
      );
      found.push({ ...sample, "": row[column] });
    }
    samples.set(metric, found);
  }
}

const valueOf = (samples: Samples, metric: string, labels: Record<string, string> = {}): unknown =>
  samples.get(metric)?.find((one) => Object.entries(labels).every(([key, value]) => one[key] === value))?.[
    ""
  ];

for (const major of [15, 16, 17, 18])
  describe(`the catalogue's SQL on PostgreSQL ${major}`, function () {
    const forms = {
      "as CloudNativePG's custom queries": cnpgQueries(settingsOf(major)),
      "as postgres_exporter's queries": exporterQueries(settingsOf(major)),
    };
    let pair: Pair;

    before(async function () {
      if (!hasPsql) return this.skip();
      pair = pairOf(major);
      prepare(pair.primary);
      await caughtUp(pair);
    });
    after(() => pair?.end());

    for (const [form, text] of Object.entries(forms)) {
      it(`gives every metric on a primary, ${form}, as a member of pg_monitor`, () => {
        const samples = collect(pair.primary, text, major, true);
        for (const { name, group } of metrics) {
          if (group.on === "standby" || (group.name === "io" && major === 15)) continue;
          assert.ok((samples.get(name)?.length ?? 0) > 0, `${name} has no sample`);
        }
        assert.equal(valueOf(samples, "pgplatform_replication_streaming", { standby: "standby-1" }), 1);
        assert.equal(valueOf(samples, "pgplatform_standbys_streaming"), 1);
        assert.equal(valueOf(samples, "pgplatform_prepared_transactions"), 1);
        assert.equal(valueOf(samples, "pgplatform_slot_active", { slot: "decoder" }), 0);
        assert.ok((valueOf(samples, "pgplatform_bloat_bytes", { table: "sales" }) as number) > 0);
        assert.ok((valueOf(samples, "pgplatform_table_dead_rows", { table: "sales" }) as number) > 0);
        assert.equal(valueOf(samples, "pgplatform_setting_value", { name: "shared_buffers" }), 128 * 2 ** 20);
        assert.equal(valueOf(samples, "pgplatform_setting_value", { name: "checkpoint_timeout" }), 300);
        assert.equal(valueOf(samples, "pgplatform_server_in_recovery"), 0);
        assert.equal(valueOf(samples, "pgplatform_server_timeline"), 1);
        assert.equal(samples.get("pgplatform_standby_receiving")?.length ?? 0, 0);
      });

      it(`gives what there is on a standby, ${form}`, () => {
        const samples = collect(pair.standby, text, major, false);
        for (const { name, group } of metrics) {
          if (group.on === "primary" || (group.name === "io" && major === 15)) continue;
          assert.ok((samples.get(name)?.length ?? 0) > 0, `${name} has no sample`);
        }
        assert.equal(valueOf(samples, "pgplatform_standby_receiving"), 1);
        assert.equal(valueOf(samples, "pgplatform_standby_lag_seconds"), 0);
        assert.equal(valueOf(samples, "pgplatform_standbys_streaming"), 0);
        assert.equal(valueOf(samples, "pgplatform_server_in_recovery"), 1);
        assert.equal(valueOf(samples, "pgplatform_server_timeline"), 1);
        for (const { group, name } of metrics)
          if (group.on === "primary") assert.equal(samples.get(name)?.length ?? 0, 0, name);
      });

      it(`runs a user's query where its tables are there and readable, each series once, ${form}`, () => {
        const samples = collect(pair.primary, text, major, true);
        assert.equal(samples.get("pgplatform_user_sales_orders")?.length, 2);
        assert.equal(
          valueOf(samples, "pgplatform_user_sales_orders", { tenant: "tenant 3", database: "app" }),
          1,
        );
        const emptied = (tenant: string) => valueOf(samples, "pgplatform_user_empty_orders", { tenant });
        assert.deepEqual(["", "one"].map(emptied), [2, 3]);
        assert.equal(samples.get("pgplatform_user_later_rows")?.length ?? 0, 0);
        assert.equal(samples.get("pgplatform_user_hidden_rows")?.length ?? 0, 0);
        assert.deepEqual(samples.get("pgplatform_user_customers_count"), [
          { role: "primary", database: "reports", "": 2 },
        ]);
        const ready = (query: string) => valueOf(samples, "pgplatform_queries_ready", { query });
        assert.deepEqual(["sales", "later", "hidden", "customers"].map(ready), [1, 0, 0, 1]);
      });
    }

    it("waits for no lock that a session holds on a table, and counts who does", async () => {
      const holder = pair.primary.hold("BEGIN; LOCK TABLE locked; SELECT pg_sleep(60);", "app");
      const until = async (condition: string) => {
        while (pair.primary.psql(`SELECT ${condition}`).trim() !== "t") await delay(100);
      };
      await until("EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted)");
      const waiter = pair.primary.hold("SELECT * FROM locked;", "app");
      try {
        await until("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')");
        const samples = collect(pair.primary, forms["as CloudNativePG's custom queries"], major, true);
        assert.equal(valueOf(samples, "pgplatform_blocked_sessions", { database: "app" }), 1);
        assert.equal(valueOf(samples, "pgplatform_activity_waiting", { database: "app" }), 1);
        assert.equal(valueOf(samples, "pgplatform_table_size_bytes", { table: "locked" }), undefined);
        assert.ok(valueOf(samples, "pgplatform_table_size_bytes", { table: "sales" }));
      } finally {
        for (const session of [holder, waiter]) session.kill();
      }
    });

    it("waits for no index that is rebuilt, and no table whose index that is", async () => {
      const index = (toast: string) =>
        `SELECT indexrelid::regclass FROM pg_index WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE relname = '${toast}')`;
      const [toasted = ""] = pair.primary.psql(index("toasted"), { database: "app" }).trim().split("\n");
      const rebuilt = ["rebuilt_pkey", toasted];
      const holders = rebuilt.map((one) =>
        pair.primary.hold(`BEGIN; REINDEX INDEX ${one}; SELECT pg_sleep(60);`, "app"),
      );
      try {
        const held = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = ANY ('{${rebuilt.join(",")}}'::regclass[])`;
        while (Number(pair.primary.psql(held, { database: "app" })) < rebuilt.length) await delay(100);
        const samples = collect(pair.primary, forms["as CloudNativePG's custom queries"], major, true);
        const size = (table: string) => valueOf(samples, "pgplatform_table_size_bytes", { table });
        assert.deepEqual([size("rebuilt"), size("toasted")], [undefined, undefined]);
        assert.ok(size("sales"));
      } finally {
        for (const session of holders) session.kill();
      }
    });

    it("has no more rows of a group than the catalogue says", () => {
      pair.primary.psql(
        `DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', i); END LOOP; END $$;`,
        { database: "reports" },
      );
      const samples = collect(pair.primary, forms["as postgres_exporter's queries"], major, true);
      const context = { largest: 20, statements: 20, queries: [] };
      for (const group of groups) {
        const [column] = group.columns;
        const most = group.limit?.({ ...context, major: 17 } as never);
        if (column === undefined || most === undefined || group.name === "queries") continue;
        const found = samples.get(metricName(group, column)) ?? [];
        const byDatabase =
          group.where === "server"
            ? [found]
            : databases.map((one) => found.filter(({ database }) => database === one));
        for (const rows of byDatabase)
          assert.ok(rows.length <= most, `${group.name}: ${rows.length} rows, and at most ${most}`);
      }
      assert.equal(
        samples.get("pgplatform_table_rows")?.filter(({ database }) => database === "reports").length,
        20,
      );
    });

    it("counts rows and sees ages that are there when statistics are lost, or a database is closed", () => {
      const { primary } = pair;
      primary.psql("CREATE TABLE crashed AS SELECT generate_series(1, 1000) i; ANALYZE crashed;", {
        database: "app",
      });
      primary.psql("SELECT pg_stat_reset()", { database: "app" });
      primary.psql("UPDATE crashed SET i = 0 WHERE i <= 100", { database: "app" });
      primary.psql("CREATE DATABASE closed ALLOW_CONNECTIONS false");
      for (const text of Object.values(forms)) {
        const samples = collect(primary, text, major, true);
        const of = (metric: string, labels: Record<string, string>) =>
          valueOf(samples, `pgplatform_${metric}`, labels) as number;
        assert.equal(of("table_rows", { table: "crashed" }), 1000);
        assert.equal(of("table_dead_rows", { table: "crashed" }), 100);
        assert.ok(Math.abs(of("bloat_ratio", { table: "crashed" }) - 100 / 1100) < 1e-9);
        assert.ok(of("tables_live_rows", { database: "app" }) >= 1000);
        for (const database of ["closed", "template0", "template1"])
          assert.ok(of("wraparound_transaction_age", { database }) > 0, database);
        assert.equal(of("database_size_bytes", { database: "closed" }), undefined);
      }
    });

    it("goes without statements where pg_stat_statements isn't there", () => {
      pair.primary.psql("DROP EXTENSION pg_stat_statements");
      for (const text of Object.values(forms)) {
        const samples = collect(pair.primary, text, major, true);
        assert.equal(samples.get("pgplatform_statements_calls_total")?.length ?? 0, 0);
      }
    });
  });
