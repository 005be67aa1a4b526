import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasPsql, type Pair, pairOf } from "./servers";

/** The script of the window on real servers: whose tables it goes over, what it leaves, and how it ends. */

const script = join(__dirname, "..", "..", "plan", "maintenance.sh");

for (const major of [15, 18])
  describe(`maintenance in a window, on PostgreSQL ${major}`, function () {
    this.timeout(120_000);
    let pair: Pair;
    let folder: string;
    let held: ChildProcess | undefined;
    before(function () {
      if (!hasPsql) return this.skip();
      pair = pairOf(major);
      folder = mkdtempSync(join(tmpdir(), "pgp-maintenance-"));
      pair.primary.psql(
        "CREATE ROLE app LOGIN; CREATE ROLE app_b LOGIN; GRANT app TO app_b; CREATE ROLE other",
      );
      pair.primary.psql("CREATE DATABASE app OWNER app");
      pair.primary.psql(
        "CREATE TABLE mine AS SELECT generate_series(1, 1000) a; ALTER TABLE mine OWNER TO app; CREATE TABLE theirs AS SELECT 1 a; ALTER TABLE theirs OWNER TO other; " +
          "CREATE TABLE locked AS SELECT 1 a; ALTER TABLE locked OWNER TO app",
        { database: "app" },
      );
      for (const [id, user] of [
        ["app", "app_b"],
        ["gone", "gone"],
      ] as const) {
        mkdirSync(join(folder, id));
        writeFileSync(join(folder, id, "user"), user);
        writeFileSync(join(folder, id, "secret"), "not-asked-for");
      }
    });
    after(() => {
      held?.kill();
      pair?.end();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    });

    const runs = (seconds: number, ...arguments_: string[]) => {
      const { status, stdout, stderr } = spawnSync("bash", [script, ...arguments_], {
        encoding: "utf8",
        env: {
          ...process.env,
          PGHOST: pair.folder,
          PGPORT: "5432",
          LOGINS: folder,
          WINDOW_SECONDS: String(seconds),
        },
      });
      return { status, said: `${stdout}${stderr}` };
    };
    const worked = (): string =>
      pair.primary
        .psql(
          "SELECT relname, last_vacuum IS NOT NULL AND last_analyze IS NOT NULL FROM pg_stat_user_tables ORDER BY 1",
          { database: "app" },
        )
        .trim();

    it("goes over all tables of the database, by either login of its owner, and waits for no lock", async () => {
      held = pair.primary.hold("BEGIN; LOCK TABLE locked; SELECT pg_sleep(60)", "app");
      while (
        pair.primary
          .psql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL")
          .trim() === "0"
      )
        await delay(50);
      const { status, said } = runs(30, "app|app|app|user|secret");
      assert.equal(status, 0, said);
      assert.match(said, /^app: done in \d+ s\n1 of 1 databases, 0 failed\n$/);
      await delay(1000);
      assert.equal(worked(), "locked|f\nmine|t\ntheirs|t");
    });

    it("leaves what the window is too short for, and says so", () => {
      assert.deepEqual(runs(0, "app|app|app|user|secret"), {
        status: 0,
        said: "the window is over before app\n0 of 1 databases, 0 failed\n",
      });
    });

    it("fails where a login does, after the others", () => {
      const { status, said } = runs(30, "gone|gone|app|user|secret", "app|app|app|user|secret");
      assert.equal(status, 1);
      assert.match(
        said,
        /^app: .*role "gone" does not exist\napp: done in \d+ s\n1 of 2 databases, 1 failed\n$/,
      );
    });
  });
