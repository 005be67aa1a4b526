import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { alerts, pageOf } from "../../plan/monitoring/alerts";
import { caughtUp, prepare } from "./fixture";
import { hasPsql, type Pair, pairOf, type Server } from "./servers";

/**
 * Every `sql "…"` of the runbooks, as a shell expands it, on real servers: on the primary, or on a standby where the page is about one. `sql` asks by kubectl there
 * and by psql here. It doesn't prove what the commands tell anybody, and no kubectl.
 */

const folder = join(__dirname, "../../docs/runbooks");
/** Pages of alerts whose label `instance` is a standby's. */
const ofStandbys = ["ReplicationLag", "ReplicationConflicts", "StandbyNotStreaming"].map((name) =>
  pageOf({ name }),
);
/** What an older version can't answer; the page says so. */
const since: Readonly<Record<string, number>> = { [pageOf({ name: "HighBufferBackendWrites" })]: 16 };

/** The calls of `sql` in the page's blocks. */
export const statementsOf = (text: string): string[] =>
  [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, code = ""]) =>
    [...code.matchAll(/(?:^|[\s;(])((?:DATABASE=\w+ )?sql (?:"(?:[^"\\]|\\.)*"|'[^']*'))/g)].map(
      ([, call = ""]) => call,
    ),
  );

/** Statements within the text, with something in the place of what the reader fills in. */
export const remediesOf = (text: string): string[] =>
  [
    ...text
      .replace(/^```[^]*?^```$/gm, "")
      .matchAll(/`((?:select|alter|vacuum|drop|reindex)\b[^`]* [^`]*|select [^`]*)`/gi),
  ]
    .map(([, code = ""]) => code.replace(/\s+/g, " "))
    .filter((code) => code !== "ALTER TABLE" && code !== "ALTER SYSTEM")
    .map((code) => code.replace("RESET <name>", "RESET work_mem"))
    .map((code) => code.replace("<pid>", "0").replace("<table>", "sales").replace("<name>", "named"));

const pages = readdirSync(folder)
  .filter((name) => name !== "README.md")
  .map((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return { name, text, statements: statementsOf(text), remedies: remediesOf(text) };
  });

function refused(server: Server, database: string, call: string): string {
  const script = `sql() { psql -XqAt -v ON_ERROR_STOP=1 -h '${server.folder}' -p ${server.port} -U postgres -d "$DATABASE" -c "$1"; }; ${call}`;
  const { status, stderr } = spawnSync("bash", ["--norc", "-uc", script], {
    encoding: "utf8",
    env: {
      ...process.env,
      DATABASE: database,
      INSTANCE: "main-1",
      CLUSTER: "main",
      NAMESPACE: "postgres",
      PID: "1",
    },
  });
  return status === 0 ? "" : stderr.trim();
}

describe("statements of the runbooks", () => {
  it("are found: in most pages, and none is overlooked", () => {
    assert.ok(pages.filter(({ statements }) => statements.length > 0).length > 30);
    assert.equal(pages.length, alerts.length);
    for (const { name, text, statements } of pages) {
      const blocks = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, code = ""]) => code).join("\n");
      assert.equal((blocks.match(/\bsql\b/g) ?? []).length, statements.length, name);
      assert.doesNotMatch(blocks, /\bpsql\b/, name);
    }
  });

  it("are read as a shell reads them", () => {
    const text =
      "```sh\npods\nsql \"select '$A'\"\nfor X in a; do\n  sql 'show x'\ndone\nDATABASE=postgres sql 'show y'\n```\nDrop it: `select f(<pid>)`.\n";
    assert.deepEqual(statementsOf(text), [
      `sql "select '$A'"`,
      "sql 'show x'",
      "DATABASE=postgres sql 'show y'",
    ]);
    assert.deepEqual(remediesOf(text), ["select f(0)"]);
  });
});

for (const major of [15, 16, 17, 18])
  describe(`the runbooks' statements, PostgreSQL ${major}`, function () {
    let pair: Pair | undefined;
    before(async function () {
      if (!hasPsql) return this.skip();
      pair = pairOf(major);
      prepare(pair.primary);
      await caughtUp(pair);
    });
    after(() => pair?.end());

    it("are refused where they are wrong", () => {
      const { primary } = pair ?? assert.fail();
      assert.match(
        refused(primary, "app", `sql "select gone from pg_stat_activity"`),
        /"gone" does not exist/,
      );
      assert.match(refused(primary, "app", `sql "select $GONE"`), /GONE: unbound variable/);
    });

    for (const { name, remedies } of pages)
      if (remedies.length > 0)
        it(`${name}: what is to be done, ${remedies.length}`, () => {
          const { primary, standby } = pair ?? assert.fail();
          for (const remedy of remedies) {
            const server = ofStandbys.includes(name) ? standby : primary;
            if (remedy.includes("_drop_replication_slot"))
              server.psql("select pg_create_physical_replication_slot('named')");
            assert.equal(refused(server, "app", `sql "${remedy}"`), "", remedy);
          }
        });

    for (const { name, statements } of pages)
      if (statements.length > 0)
        it(`${name}: ${statements.length}`, function () {
          if (major < (since[name] ?? 0)) return this.skip();
          const { primary, standby } = pair ?? assert.fail();
          const server = ofStandbys.includes(name) ? standby : primary;
          // The first is what README.md sets, the second a database of the settings, as the label says it.
          for (const database of ["postgres", "app"])
            for (const call of statements)
              assert.equal(refused(server, database, call), "", `${database}: ${call}`);
        });
  });
