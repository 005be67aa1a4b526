import assert from "node:assert/strict";
import { hostBasedAccess } from "../../plan/postgres/access";
import { credentialsOf, wantedRoles } from "../../plan/postgres/roles";
import { applyScript, scriptFiles, scriptsOf } from "../../plan/postgres/sql/scripts";
import { identifier, literal } from "../../plan/postgres/sql/text";
import { rich } from "../support/rich";
import { changed, checked, smallest } from "../support/settings";

const sqlOf = (input: unknown, database: string): string =>
  scriptsOf(checked(input))
    .filter((one) => one.database === database)
    .map(({ sql }) => sql)
    .join("");

/** What the scripts say; that a server takes them, twice in a row, the end-to-end tests show. */
describe("the SQL that engines share", () => {
  it("has a file for the server and one for each database, in the order in which they run", () => {
    assert.deepEqual(Object.keys(scriptFiles(checked(rich()))), [
      "000.postgres.sql",
      "001.app.sql",
      "002.reports.sql",
    ]);
  });

  it("makes every wanted role, without a password", () => {
    const sql = sqlOf(rich(), "postgres");
    for (const { name } of wantedRoles(checked(rich())))
      assert.match(sql, new RegExp(`CREATE ROLE "${name}"`), name);
    assert.match(sql, /CREATE ROLE "pgp_metrics"/);
    assert.doesNotMatch(sql, /PASSWORD/);
  });

  it("gives roles what the settings give them, and takes the rest", () => {
    const sql = sqlOf(rich(), "postgres");
    const rights = (name: string) => new RegExp(`ALTER ROLE "${name}" (.*);`).exec(sql)?.[1];
    assert.equal(
      rights("app"),
      "LOGIN NOCREATEDB NOCREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 80",
    );
    assert.equal(
      rights("writers"),
      "NOLOGIN CREATEDB NOCREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1",
    );
    assert.equal(
      rights("pgp_admin"),
      "LOGIN CREATEDB CREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1",
    );
    assert.match(sql, /GRANT "pg_monitor" TO "pgp_metrics";/);
    assert.match(sql, /GRANT "app" TO "writers";/);
    assert.match(sql, /member\.rolname = 'writers' AND held\.rolname <> ALL \(ARRAY\['app'\]::name\[\]\)/);
    assert.match(
      sql,
      /member\.rolname = 'pgp_metrics' AND held\.rolname <> ALL \(ARRAY\['pg_monitor'\]::name\[\]\)/,
    );
    assert.match(sql, /ALTER ROLE pgp_metrics SET default_transaction_read_only = 'on'/);
    assert.match(sql, /ALTER ROLE pgp_metrics SET statement_timeout = '3s'/);
    assert.doesNotMatch(sql, /member\.rolname = 'pgp_health'/);
  });

  it("limits sessions of a database, and lifts a limit that is gone", () => {
    const sql = sqlOf(rich(), "postgres");
    assert.match(sql, /ALTER DATABASE "reports" CONNECTION LIMIT 60;/);
    assert.match(sql, /ALTER DATABASE "app" CONNECTION LIMIT -1;/);
  });

  it("has the heartbeat in the first database alone, the views in each", () => {
    assert.match(sqlOf(rich(), "app"), /CREATE TABLE IF NOT EXISTS pgplatform\.heartbeat/);
    assert.doesNotMatch(sqlOf(rich(), "reports"), /heartbeat/);
    for (const database of ["app", "reports"])
      for (const view of ["v_database_size", "v_table_sizes", "v_index_usage"])
        assert.match(
          sqlOf(rich(), database),
          new RegExp(`CREATE OR REPLACE VIEW pgplatform\\.${view} WITH \\(security_invoker = true\\)`),
        );
  });

  it("puts schemas and extensions where the settings say", () => {
    const sql = sqlOf(rich(), "app");
    assert.match(sql, /ALTER SCHEMA "audit" OWNER TO "reader";/);
    assert.match(sql, /ALTER SCHEMA "shop" OWNER TO "app";/);
    assert.match(sql, /CREATE EXTENSION IF NOT EXISTS "pg_stat_statements";/);
    assert.match(sql, /CREATE EXTENSION IF NOT EXISTS "pg_trgm" SCHEMA "shop" VERSION '1\.6';/);
    assert.match(sql, /'ALTER EXTENSION "pg_trgm" UPDATE TO ''1\.6'''/);
    assert.match(sql, /'ALTER EXTENSION "pg_trgm" SET SCHEMA "shop"'/);
  });

  it("looks at nothing that a user of the database could have put in its way", () => {
    assert.match(applyScript, /-c search_path=pg_catalog/);
    const paths = sqlOf(rich(), "app").match(/SET search_path = .*|RESET search_path/g) ?? [];
    assert.ok(paths.length > 0);
    paths.forEach((line, index) =>
      assert.equal(line, index % 2 === 0 ? "SET search_path = public, pg_temp;" : "RESET search_path"),
    );
  });

  it("quotes names and texts", () => {
    assert.equal(identifier('a"b'), '"a""b"');
    assert.equal(literal("it's"), "'it''s'");
  });
});

describe("the credentials that engines share", () => {
  it("carry the engine's labels", () => {
    for (const { labels } of credentialsOf(checked(rich()), { engine: "x" }))
      assert.deepEqual(labels, { engine: "x" });
  });

  it("are those of the wanted roles that log in, each with the role's Secret", () => {
    const settings = checked(rich());
    const secrets = credentialsOf(settings, {}).map(({ role, secretName }) => [role, secretName]);
    assert.deepEqual(
      secrets,
      wantedRoles(settings)
        .filter(({ login }) => login)
        .map(({ name, secretName }) => [name, secretName]),
    );
  });
});

describe("the access rules that engines share", () => {
  it("let no session in unencrypted", () => {
    assert.deepEqual(hostBasedAccess(checked(smallest()).cluster), [
      "hostssl all all all scram-sha-256",
      "hostnossl all all all reject",
    ]);
  });

  it("end with a refusal once there is a rule", () => {
    const rules = hostBasedAccess(
      checked(changed(smallest(), "cluster.access", [{ role: "app", from: "10.0.0.0/8" }])).cluster,
    );
    assert.deepEqual(rules, [
      "hostssl postgres pgp_pooler all scram-sha-256",
      "hostssl app pgp_health all scram-sha-256",
      "hostssl all app 10.0.0.0/8 scram-sha-256",
      "hostnossl all all all reject",
      "host all all all reject",
    ]);
  });
});
