import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupSql } from "../../plan/engines/standalone/backup";
import { platformSchema, roles } from "../../plan/names";
import { poolerLoginQuery } from "../../plan/postgres/sql/lookup";
import { applyScript, scriptsOf } from "../../plan/postgres/sql/scripts";
import type { Settings, SettingsInput } from "../../settings/schema";
import { bucket, checked, smallest } from "../support/settings";
import { hasPsql, type Pair, pairOf } from "./servers";

/**
 * What a login that was stolen can do with SQL, on real servers of each major version with what the platform makes in them: each attack runs as each role that
 * can log in, and none may pass. The roles and functions are those of the engine standalone, which makes all that any engine does.
 */

const settingsOf = (major: number): Settings => {
  const input: SettingsInput = {
    ...smallest(),
    secrets: { source: "external" },
    backup: { targets: [bucket()] },
  };
  input.cluster = {
    ...input.cluster,
    engine: "standalone",
    instances: 1,
    durability: "async",
    postgresVersion: String(major) as "17",
    databases: [
      { name: "app", owner: "app", extensions: ["dblink", "postgres_fdw", "file_fdw", "pgcrypto"] },
      { name: "reports", owner: "analyst" },
    ],
    roles: [
      { name: "reader", memberOf: ["pg_read_all_data"] },
      { name: "watcher", memberOf: ["pg_monitor"] },
      { name: "writer", memberOf: ["app"], createDatabases: true },
    ],
  };
  return checked(input);
};

const logins = [
  "app",
  "analyst",
  "reader",
  "watcher",
  "writer",
  roles.admin,
  `${roles.admin}_b`,
  roles.pooler,
  roles.health,
  roles.metrics,
  roles.backup,
  roles.logins,
];

const dangerous = ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"];

/** What no role may do, in the database `app`; `folder` is one that the server's user can write to. */
const attacks = (folder: string): Readonly<Record<string, readonly string[]>> => ({
  "become a superuser": [
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "CREATE ROLE thief LOGIN SUPERUSER",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE postgres PASSWORD 'stolen'",
    "GRANT postgres TO CURRENT_USER",
    "UPDATE pg_authid SET rolsuper = true",
    "CREATE FUNCTION evil() RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "CREATE FUNCTION evil() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
    "CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION pg_catalog.unique_key_recheck()",
    "CREATE EXTENSION plpython3u",
    "CREATE EXTENSION adminpack",
    `LOAD '${folder}/evil.so'`,
    "ALTER SYSTEM SET archive_command = 'touch /tmp/x'",
    "SET session_preload_libraries = 'evil'",
    "ALTER DATABASE app SET session_preload_libraries = 'evil'",
    "ALTER ROLE CURRENT_USER SET session_preload_libraries = 'evil'",
    "SET allow_system_table_mods = on",
    "SELECT pg_reload_conf()",
    "ALTER FUNCTION pg_catalog.now() RENAME TO was_now",
  ],
  "run programs": [
    `COPY (SELECT 1) TO PROGRAM 'touch ${folder}/ran'`,
    `CREATE TEMP TABLE said (line text); COPY said FROM PROGRAM 'touch ${folder}/ran'`,
    ...dangerous.map(
      (role) => `GRANT ${role} TO CURRENT_USER; COPY (SELECT 1) TO PROGRAM 'touch ${folder}/ran'`,
    ),
    `CREATE ROLE thief LOGIN IN ROLE ${dangerous[0]}`,
  ],
  "reach files": [
    `COPY (SELECT 1) TO '${folder}/written'`,
    "CREATE TEMP TABLE said (line text); COPY said FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_read_binary_file('global/pg_control')",
    "SELECT pg_ls_dir('/etc')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    `SELECT lo_export(lo_create(0), '${folder}/written')`,
    "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE passwd (line text) SERVER files OPTIONS (filename '/etc/passwd'); SELECT * FROM passwd",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT pg_current_logfile(), pg_read_file(pg_current_logfile())",
    `CREATE TABLESPACE evil LOCATION '${folder}'`,
  ],
  "come back as somebody else by a connection of the server's own": [
    `SELECT * FROM public.dblink('host=${folder} user=postgres dbname=postgres', 'SELECT 1') AS t (one int)`,
    `SELECT public.dblink_connect_u('host=${folder} user=postgres dbname=postgres')`,
    `CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${folder}', dbname 'postgres'); CREATE USER MAPPING FOR CURRENT_USER SERVER self OPTIONS (user 'postgres', password 'x')`,
    `CREATE SUBSCRIPTION self CONNECTION 'host=${folder} user=postgres dbname=postgres' PUBLICATION p`,
  ],
  "take the other roles over": [
    ...[roles.pooler, roles.logins, roles.health, roles.metrics, "analyst", "postgres"].flatMap((role) => [
      `SELECT 1 / (current_user <> '${role}')::int; ALTER ROLE ${role} PASSWORD 'stolen'`,
      `SELECT 1 / (current_user <> '${role}')::int; GRANT ${role} TO CURRENT_USER; SET ROLE ${role}`,
    ]),
    `ALTER FUNCTION ${platformSchema}.pooler_lookup(text) OWNER TO CURRENT_USER`,
    `DROP EXTENSION dblink`,
  ],
});

for (const major of [15, 16, 17, 18])
  describe(`a stolen login on PostgreSQL ${major}`, function () {
    this.timeout(600_000);
    let pair: Pair;
    before(function () {
      if (!hasPsql) return this.skip();
      const settings = settingsOf(major);
      pair = pairOf(major);
      for (const again of [false, true])
        for (const { database, sql } of scriptsOf(settings, backupSql(settings)))
          if (!again || database !== "") pair.primary.psql(sql, { database });
      pair.primary.psql(
        "CREATE TABLE kept (secret text); INSERT INTO kept VALUES ('of app'); CREATE TABLE public.mine (id int)",
        {
          database: "app",
          user: "app",
        },
      );
      pair.primary.psql("CREATE TABLE figures (secret text); INSERT INTO figures VALUES ('of analyst')", {
        database: "reports",
        user: "analyst",
      });
      pair.primary.psql(
        `ALTER ROLE postgres PASSWORD 'superuser'; ALTER ROLE ${roles.pooler} PASSWORD 'pooler'; ALTER ROLE app PASSWORD 'app'`,
      );
    });
    after(() => pair?.end());

    const run = (sql: string, user: string, database = "app") => pair.primary.psql(sql, { user, database });
    const refusal =
      /permission denied|is not allowed|credentials required|must be (superuser|owner|able|a superuser|member|a member)|only superuser|Only superusers|password(_required| is required)|[Nn]on-superuser|must have|could not access file|not available|is not trusted|does not exist|division by zero|cannot|only roles with|no password|could not establish/;
    /** That an attack ends with a refusal, inside of a transaction that is rolled back. */
    function refused(sql: string, user: string, database = "app"): void {
      let said = "it passed";
      try {
        run(`BEGIN;\n${sql};\nROLLBACK;`, user, database);
      } catch (error) {
        said = (error as Error).message.split("\n")[0] ?? "";
      }
      assert.match(said, refusal, `${user}: ${sql}: ${said}`);
    }

    for (const [aim, statements] of Object.entries(attacks("FOLDER")))
      for (const user of logins)
        it(`of ${user} can't ${aim}`, () => {
          const { folder } = pair;
          for (const statement of statements) refused(statement.replaceAll("FOLDER", folder), user);
          for (const file of ["ran", "written"]) assert.equal(existsSync(join(folder, file)), false);
        });

    it("leaves no role with more than it had", () => {
      assert.equal(
        pair.primary
          .psql("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper OR rolbypassrls")
          .trim(),
        "postgres",
      );
      assert.equal(
        pair.primary
          .psql(
            `SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname IN (${dangerous.map((one) => `'${one}'`).join(", ")}) AND m.member::regrole::text !~ '^pg_'`,
          )
          .trim(),
        "0",
      );
    });

    it("reads no data of other owners, and writes none, but where its role says so", () => {
      for (const user of logins) {
        const reads = ["reader"];
        if (!["app", "writer", ...reads].includes(user)) refused("SELECT * FROM public.kept", user);
        if (!["analyst", ...reads].includes(user)) refused("SELECT * FROM public.figures", user, "reports");
        if (!["app", "writer"].includes(user)) {
          refused("INSERT INTO public.kept VALUES ('x')", user);
          refused("CREATE TABLE public.theirs (id int)", user);
          refused("CREATE SCHEMA theirs", user);
        }
        if (user !== "analyst") {
          refused("INSERT INTO public.figures VALUES ('x')", user, "reports");
          refused("CREATE TABLE public.theirs (id int)", user, "reports");
        }
        for (const database of ["postgres", "template1"]) {
          refused("CREATE TABLE public.theirs (id int)", user, database);
          refused("CREATE SCHEMA theirs", user, database);
        }
        refused("CREATE DATABASE copy TEMPLATE app".replace("CREATE", "SELECT 1/0; CREATE"), user);
      }
      // No transaction can hold it.
      for (const user of [roles.admin, "writer"])
        assert.throws(
          () => run("CREATE DATABASE copy TEMPLATE reports", user, "postgres"),
          /permission denied to copy database/,
        );
    });

    it("sees verifiers only as the pooler's look-up, one by one, and none of a role that could harm the server", () => {
      for (const user of logins.filter((one) => one !== "reader"))
        for (const catalogue of ["pg_authid", "pg_shadow", "pg_user_mapping"])
          refused(`SELECT * FROM ${catalogue}`, user);
      const asked = (wanted: string, user: string, before = "") =>
        run(`${before} PREPARE ask AS ${poolerLoginQuery}; EXECUTE ask(${wanted})`, user, "postgres").trim();
      assert.match(asked("'app'", roles.pooler), /^app\|SCRAM-SHA-256/);
      for (const wanted of ["'postgres'", `'${roles.backup}'`, "NULL", "'app'' OR true --'", "'%'"])
        assert.equal(asked(wanted, roles.pooler), "");
      for (const user of logins.filter((one) => one !== roles.pooler))
        assert.throws(() => asked("'app'", user), /permission denied/, user);
    });

    it("of a member of pg_read_all_data reads verifiers, as PostgreSQL has it: docs/security.md says so", () => {
      const ask = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app'";
      assert.match(run(ask, "reader"), /^SCRAM-SHA-256\$/);
    });

    it("finds no verifier among the statements that are counted, when ours have set a password", () => {
      const scripts = mkdtempSync(join(tmpdir(), "pgp-apply-"));
      writeFileSync(join(scripts, "000.postgres.sql"), "SELECT 1;\n");
      mkdirSync(join(scripts, "passwords"));
      writeFileSync(join(scripts, "passwords", "fresh"), "of-fresh");
      pair.primary.psql("CREATE ROLE fresh LOGIN; CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
      const { status, stderr } = spawnSync(
        "bash",
        ["-c", applyScript, "apply.sh", scripts, join(scripts, "passwords")],
        {
          encoding: "utf8",
          env: {
            ...process.env,
            PGHOST: pair.folder,
            PGPORT: "5432",
            PGUSER: "postgres",
            APPLY_LOGIN: `host=${pair.folder} port=5432`,
          },
        },
      );
      rmSync(scripts, { recursive: true });
      assert.equal(status, 0, stderr);
      assert.match(
        pair.primary.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'fresh'"),
        /^SCRAM-SHA-256/,
      );
      assert.doesNotMatch(
        run("SELECT query FROM pg_stat_statements", "watcher", "postgres"),
        /fresh.* PASSWORD|SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{8}/,
      );
    });

    it("gains nothing by objects that hide those of our functions: the path is theirs", () => {
      const hostile = (schema: string) => `
        CREATE TABLE ${schema}.pg_authid AS SELECT 'app'::name AS rolname, 'stolen'::text AS rolpassword, true AS rolcanlogin, false AS rolsuper,
          false AS rolreplication, false AS rolbypassrls, NULL::timestamptz AS rolvaliduntil;
        CREATE FUNCTION ${schema}.starts_with(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE FUNCTION ${schema}.format(text, VARIADIC anyarray) RETURNS text LANGUAGE sql AS $$SELECT 'ALTER ROLE pgp_pooler SUPERUSER'$$;
        CREATE FUNCTION ${schema}.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '-infinity'::timestamptz$$;`;
      const paths = ["pg_temp", "pg_temp, pg_catalog"];
      for (const path of paths) {
        const before = `${hostile("pg_temp")} SET search_path = ${path};`;
        assert.match(
          run(
            `${before} SELECT verifier FROM ${platformSchema}.pooler_lookup('app')`,
            roles.pooler,
            "postgres",
          ).trim(),
          /^SCRAM-SHA-256/,
        );
        for (const call of ["begin_login('postgres')", "accept_login('postgres')", "close_login('postgres')"])
          assert.throws(
            () =>
              run(
                `${before} SET ${platformSchema}.own_verifier = 'SCRAM-SHA-256$x'; SELECT ${platformSchema}.${call}`,
                roles.logins,
                "postgres",
              ),
            /not one that its source owns|is the only login/,
          );
      }
      assert.equal(pair.primary.psql("SELECT count(*) FROM pg_roles WHERE rolsuper").trim(), "1");
    });

    it("has every function of ours that runs with its owner's rights name its own path, closed to the public", () => {
      for (const database of ["postgres", "app", "reports"])
        assert.equal(
          pair.primary
            .psql(
              `SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
                 AND (p.proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)
                   OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))`,
              { database },
            )
            .trim(),
          "",
          database,
        );
    });

    it("of an owner turns no later run of ours, as superuser, to its own ends", () => {
      run(
        `CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN EXECUTE 'ALTER ROLE app SUPERUSER'; RETURN NULL; END$$;
         CREATE FUNCTION public.format(text, VARIADIC anyarray) RETURNS text LANGUAGE sql AS $$SELECT 'ALTER ROLE app SUPERUSER'$$;
         CREATE FUNCTION public.same(name, name) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN EXECUTE 'ALTER ROLE app SUPERUSER'; RETURN true; END$$;
         CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, FUNCTION = public.same);
         ALTER DATABASE app SET search_path = public, pg_catalog; ALTER DATABASE app SET log_statement_stats = off`.replace(
          "; ALTER DATABASE app SET log_statement_stats = off",
          "",
        ),
        "app",
      );
      const settings = settingsOf(major);
      const file = join(pair.folder, "again.sql");
      for (const { database, sql } of scriptsOf(settings, backupSql(settings))) {
        // The path that apply.sh has sessions begin with.
        writeFileSync(file, `SET search_path = pg_catalog;\n${sql}`);
        pair.primary.psql(`SET search_path = pg_catalog;\n${sql}`, { database });
      }
      assert.equal(pair.primary.psql("SELECT count(*) FROM pg_roles WHERE rolsuper").trim(), "1");
      run("ALTER DATABASE app RESET search_path", "app");
    });
  });
