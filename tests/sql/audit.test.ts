import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { roles } from "../../plan/names";
import { auditObjectStatements, auditParameters, auditRoleStatements } from "../../plan/postgres/audit";
import { loggingParameters } from "../../plan/postgres/logging";
import { jsonlogLine } from "../../plan/logs/postgresql";
import type { LogFields } from "../../plan/logs/record";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import type { Settings, SettingsInput } from "../../settings/schema";
import { checked, smallest } from "../support/settings";
import { audited, pgaudit } from "./pgaudit";
import { hasPsql, type Pair, pairOf } from "./servers";

/**
 * The audit by real servers with Debian's pgAudit, out of the images that are built here: its parameters, its SQL, and what is read of its records. The servers
 * themselves are those of the other suites, of the same major versions.
 */

const settingsOf = (major: number, audit: SettingsInput["audit"]): Settings =>
  checked({
    ...smallest(),
    cluster: {
      ...smallest().cluster,
      engine: "standalone",
      instances: 1,
      durability: "async",
      postgresVersion: String(major) as "17",
      databases: [
        { name: "app", owner: "app", schemas: [{ name: "shop" }, { name: "books", owner: "clerk" }] },
        { name: "reports", owner: "app" },
      ],
      roles: [{ name: "clerk" }, { name: "robot" }],
    },
    images: { postgresql: "example.com/with-pgaudit:1" },
    audit,
  });

for (const major of [15, 17] as const)
  describe(`the audit on PostgreSQL ${major}, by pgAudit of the image ${audited[major]}`, function () {
    this.timeout(300_000);
    let pair: Pair;
    let read = 0;

    const sql = (text: string, user: string, database = "app") =>
      pair.primary.psql(text, { user, database, flags: ["-At"] });
    const apply = (settings: Settings) => {
      for (const { database, sql: text } of scriptsOf(settings)) pair.primary.psql(text, { database });
    };
    /** What the log says since the last time, up to a statement that marks its end. */
    async function logged(): Promise<LogFields[]> {
      const mark = `end of ${read}`;
      pair.primary.psql(`SET pgaudit.log = 'none'; DO $$BEGIN RAISE LOG '${mark}'; END$$`);
      const file = join(pair.primary.data, "log", "audit.json");
      for (;;) {
        const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
        const end = lines.findIndex((line, index) => index >= read && line.includes(`"message":"${mark}"`));
        if (end >= 0) {
          const fresh = lines.slice(read, end).map(jsonlogLine);
          read = end + 1;
          return fresh;
        }
        await delay(50);
      }
    }
    const audits = async () =>
      (await logged())
        .filter(({ auditType }) => auditType !== undefined)
        .map((one) =>
          [one.user, one.auditType, one.auditClass, one.auditCommand, one.object ?? "-"].join(" "),
        );

    async function configure(settings: Settings, restart = false): Promise<void> {
      const lines = Object.entries({ ...loggingParameters(settings), ...auditParameters(settings) })
        .map(([name, value]) => `ALTER SYSTEM SET ${name} = '${value}';\n`)
        .join("");
      pair.primary.psql(lines);
      if (restart) {
        pair.primary.stop("fast");
        pair.primary.start();
      } else pair.primary.psql("SELECT pg_reload_conf()");
      apply(settings);
      await logged();
    }

    before(async function () {
      const beside = hasPsql ? await pgaudit(major) : undefined;
      if (beside === undefined) return this.skip();
      pair = pairOf(
        major,
        [
          "shared_preload_libraries = 'pg_stat_statements,pgaudit'",
          "logging_collector = on",
          "log_destination = jsonlog",
          "log_directory = log",
          "log_filename = 'audit.log'",
          "log_rotation_age = 0",
        ],
        beside,
      );
    });
    after(() => pair?.end());

    it("writes down changes of structure, roles and rights with the profile ddl, and who did them", async () => {
      await configure(settingsOf(major, { profile: "ddl" }));
      sql(
        "CREATE TABLE shop.cards (id int, number text); INSERT INTO shop.cards VALUES (1, 'x'); SELECT * FROM shop.cards",
        "app",
      );
      sql("GRANT SELECT ON shop.cards TO clerk", "app");
      assert.deepEqual(await audits(), [
        "app SESSION DDL CREATE TABLE shop.cards",
        "app SESSION ROLE GRANT -",
      ]);
    });

    it("logs connections and their ends with it, with address, role and database", async () => {
      sql("SELECT 1", "app");
      const said = await logged();
      const authorized = said.find(({ message }) => message.startsWith("connection authorized"));
      assert.deepEqual([authorized?.user, authorized?.database], ["app", "app"]);
      const left = said.find(({ message, user }) => message.startsWith("disconnection") && user === "app");
      assert.ok(left?.client !== undefined);
    });

    it("writes down changes of data with the profile write, and not what is read", async () => {
      await configure(settingsOf(major, { profile: "write" }));
      sql(
        "INSERT INTO shop.cards VALUES (2, 'a, \"b\"\nc'); UPDATE shop.cards SET number = 'y'; DELETE FROM shop.cards; COPY shop.cards FROM stdin;\n\\.\nSELECT * FROM shop.cards",
        "app",
      );
      const said = (await logged()).filter(({ auditType }) => auditType !== undefined);
      assert.deepEqual(
        said.map(({ auditClass, auditCommand, object }) => [auditClass, auditCommand, object]),
        ["INSERT", "UPDATE", "DELETE", "INSERT"].map((command) => ["WRITE", command, "shop.cards"]),
      );
      assert.equal(said[0]?.statement?.replace(/;$/, ""), "INSERT INTO shop.cards VALUES (2, 'a, \"b\"\nc')");
      assert.doesNotMatch(said[0]?.message ?? "", /INSERT INTO/);
    });

    it("writes down all but transactions with the profile all, and no reader of metrics' statistics", async () => {
      await configure(settingsOf(major, { profile: "all" }));
      sql(
        "BEGIN; SET work_mem = '8MB'; SELECT count(*) FROM shop.cards; COMMIT; DO $$BEGIN PERFORM 1; END$$; SET ROLE app",
        "app",
      );
      sql("SELECT count(*) FROM pg_stat_activity", roles.metrics);
      assert.deepEqual(await audits(), [
        "app SESSION MISC SET -",
        "app SESSION READ SELECT shop.cards",
        "app SESSION FUNCTION DO -",
        "app SESSION READ SELECT -",
        "app SESSION MISC SET -",
      ]);
    });

    it("gives roles a profile of their own, with their second logins, and takes it back", async () => {
      await configure(
        settingsOf(major, {
          roles: [
            { role: "clerk", profile: "all" },
            { role: "app", profile: "none" },
          ],
          profile: "ddl",
        }),
      );
      sql("SELECT 1", "clerk");
      sql("CREATE TABLE quiet (i int)", "app");
      assert.deepEqual(await audits(), ["clerk SESSION READ SELECT -"]);
      pair.primary.psql("CREATE ROLE clerk_b LOGIN IN ROLE clerk");
      await configure(settingsOf(major, { roles: [{ role: "clerk", profile: "all" }], profile: "ddl" }));
      sql("SELECT 1", "clerk_b");
      sql("CREATE TABLE loud (i int)", "app");
      assert.deepEqual(await audits(), [
        "clerk_b SESSION READ SELECT -",
        "app SESSION DDL CREATE TABLE public.loud",
      ]);
      await configure(settingsOf(major, { profile: "ddl" }));
      sql("SELECT 1", "clerk");
      assert.deepEqual(await audits(), []);
    });

    it("writes down statements on objects whoever executes them, on tables of later too", async () => {
      await configure(
        settingsOf(major, {
          objects: [
            { database: "app", schema: "shop", commands: ["select"] },
            { database: "app", schema: "books" },
          ],
        }),
      );
      sql(
        "CREATE TABLE shop.later (id int); INSERT INTO shop.later VALUES (1); SELECT * FROM shop.later; SELECT * FROM shop.cards",
        "app",
      );
      sql("CREATE TABLE books.page (id int); INSERT INTO books.page VALUES (1)", "clerk");
      sql("CREATE TABLE other (id int); SELECT * FROM other", "app");
      assert.deepEqual(await audits(), [
        "app OBJECT READ SELECT shop.later",
        "app OBJECT READ SELECT shop.cards",
        "clerk OBJECT WRITE INSERT books.page",
      ]);
      sql("SELECT * FROM shop.cards", "postgres");
      assert.deepEqual(await audits(), ["postgres OBJECT READ SELECT shop.cards"]);
    });

    it("has its owners choose single tables by a right of the audit's role", async () => {
      sql(`GRANT UPDATE ON quiet TO ${roles.audit}; UPDATE quiet SET i = 1; SELECT * FROM quiet`, "app");
      assert.deepEqual(await audits(), ["app OBJECT WRITE UPDATE public.quiet"]);
    });

    it("can't be left by the roles that it is about", async () => {
      await configure(settingsOf(major, { profile: "all", roles: [{ role: "clerk", profile: "all" }] }));
      pair.primary.psql("GRANT CONNECT ON DATABASE app TO PUBLIC");
      for (const user of ["app", "clerk", roles.admin])
        for (const attempt of [
          "SET pgaudit.log = 'none'",
          "SELECT set_config('pgaudit.log', 'none', false)",
          "SET pgaudit.role = 'nobody'",
          `ALTER ROLE ${user} SET pgaudit.log = 'none'`,
          `ALTER DATABASE app SET pgaudit.log = 'none'`,
          "DROP EXTENSION pgaudit",
          "SET session_replication_role = replica",
        ])
          assert.throws(
            () => sql(attempt, user),
            /permission denied|must be (superuser|owner|member)/,
            `${user}: ${attempt}`,
          );
      // It takes away what the role may set itself.
      sql("ALTER ROLE clerk RESET ALL", "clerk");
      await logged();
      sql("SELECT 1", "clerk");
      assert.deepEqual(await audits(), ["clerk SESSION READ SELECT -"]);
      assert.throws(() => sql("SELECT 1", roles.audit), /not permitted to log in/);
    });

    it("no password and no verifier is in its records", async () => {
      sql("ALTER ROLE app PASSWORD 'hunter2-by-hand'", "app");
      pair.primary.psql("ALTER ROLE robot PASSWORD 'hunter2-by-superuser'");
      const verifier = pair.primary.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'robot'").trim();
      pair.primary.psql(`ALTER ROLE robot PASSWORD '${verifier}'`);
      const said = JSON.stringify(await logged());
      assert.match(said, /ALTER ROLE/);
      assert.doesNotMatch(said, /hunter2|SCRAM-SHA-256\$4096:/);
    });

    it("is given to a server whose tables are there, by the statements that CloudNativePG's get", async () => {
      const settings = settingsOf(major, {
        profile: "none",
        roles: [{ role: "robot", profile: "write" }],
        objects: [{ database: "app", commands: ["delete"] }],
      });
      pair.primary.psql(
        Object.entries(auditParameters(settings))
          .map(([name, value]) => `ALTER SYSTEM SET ${name} = '${value}';\n`)
          .join(""),
      );
      pair.primary.psql("SELECT pg_reload_conf()");
      for (const { database, statements } of [
        { database: "postgres", statements: auditRoleStatements(settings) },
        ...auditObjectStatements(settings),
      ])
        for (const statement of statements) pair.primary.psql(statement, { database });
      await logged();
      sql("DELETE FROM loud", "app");
      assert.deepEqual(await audits(), ["app OBJECT WRITE DELETE public.loud"]);
      pair.primary.psql("ALTER ROLE robot RENAME TO away");
      assert.throws(
        () => auditRoleStatements(settings).forEach((statement) => pair.primary.psql(statement)),
        /the role robot is not there yet/,
      );
      pair.primary.psql("ALTER ROLE away RENAME TO robot");
    });

    it("is taken off a server that loads it no more: structure can be changed", () => {
      const settings = settingsOf(major, {});
      pair.primary.psql("ALTER SYSTEM RESET ALL; ");
      pair.primary.psql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
      pair.primary.stop("fast");
      pair.primary.start();
      assert.throws(() => sql("CREATE TABLE after_it (i int)", "app"), /pgaudit must be loaded/);
      apply(settings);
      sql("CREATE TABLE after_it (i int)", "app");
      apply(settings);
    });
  });
