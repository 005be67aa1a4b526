import type { Settings } from "../../../settings/schema";
import { platformSchema, roles } from "../../names";
import { sourcedRoles } from "../../secrets/source";
import { literal } from "./text";

/**
 * How the login reloader gives logins the passwords that their source names, in the database `postgres`, on every engine and without being a superuser.
 *
 * A password reaches the server as a verifier, never as text, and psql makes verifiers only for the roles that it may change: so the reloader sets its own
 * password to the new one, and a function takes that verifier over for the login, in one transaction. It may do so for the logins that are listed here and
 * no other one.
 */

const functionOf = (name: string) => `${platformSchema}.${name}`;
const names = ["begin_login(text)", "accept_login(text)", "close_login(text)", "open_logins()"];

/** Logins that may be given a password, with the other one of each role. */
const allowed = (settings: Settings): string =>
  `(VALUES ${sourcedRoles(settings)
    .flatMap(({ role, second }) => [
      [literal(role), literal(second)],
      [literal(second), literal(role)],
    ])
    .map((row) => `(${row.join(", ")})`)
    .join(", ")}) AS allowed(login, other)`;

const defined = (name: string, rest: string, language: "plpgsql" | "sql", body: string): string =>
  `CREATE OR REPLACE FUNCTION ${functionOf(name)}${rest}
LANGUAGE ${language} SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
${body}
$body$`;

/** Its own password would be in the server's log, or among its statements, as a verifier. */
const quiet = {
  log_statement: "none",
  log_min_duration_statement: "-1",
  log_min_error_statement: "panic",
  "pg_stat_statements.track": "none",
};

/** Functions and rights; the role and the schema are there. None where the stack owns all passwords. */
export function loginStatements(settings: Settings): string[] {
  if (sourcedRoles(settings).length === 0) return [];
  const rows = allowed(settings);
  return [
    defined(
      "begin_login",
      "(wanted text) RETURNS void",
      "plpgsql",
      `BEGIN
  IF NOT EXISTS (SELECT FROM ${rows} WHERE login = wanted) THEN
    RAISE EXCEPTION 'the password of % is not one that its source owns', wanted;
  END IF;
  PERFORM set_config('${platformSchema}.own_verifier', (SELECT rolpassword FROM pg_authid WHERE rolname = session_user), true);
END`,
    ),
    defined(
      "accept_login",
      "(wanted text) RETURNS void",
      "plpgsql",
      `DECLARE
  own text := current_setting('${platformSchema}.own_verifier', true);
  verifier text := (SELECT rolpassword FROM pg_authid WHERE rolname = session_user);
BEGIN
  IF NOT EXISTS (SELECT FROM ${rows} WHERE login = wanted) THEN
    RAISE EXCEPTION 'the password of % is not one that its source owns', wanted;
  END IF;
  IF own IS NULL OR own = verifier OR NOT starts_with(own, 'SCRAM-SHA-256') OR NOT starts_with(verifier, 'SCRAM-SHA-256') THEN
    RAISE EXCEPTION 'no verifier was made for %', wanted;
  END IF;
  EXECUTE format('ALTER ROLE %I PASSWORD %L', wanted, verifier);
  EXECUTE format('ALTER ROLE %I PASSWORD %L', session_user, own);
END`,
    ),
    // The other login is the way in then.
    defined(
      "close_login",
      "(wanted text) RETURNS void",
      "plpgsql",
      `BEGIN
  IF NOT EXISTS (SELECT FROM ${rows} JOIN pg_authid ON rolname = other WHERE login = wanted AND rolpassword IS NOT NULL) THEN
    RAISE EXCEPTION '% is the only login that works', wanted;
  END IF;
  EXECUTE format('ALTER ROLE %I PASSWORD NULL', wanted);
END`,
    ),
    defined(
      "open_logins",
      "(OUT login text) RETURNS SETOF text",
      "sql",
      `  SELECT rolname::text FROM pg_authid JOIN ${rows} ON rolname = allowed.login WHERE rolpassword IS NOT NULL`,
    ),
    ...names.map((name) => `REVOKE ALL ON FUNCTION ${functionOf(name)} FROM PUBLIC`),
    `GRANT USAGE ON SCHEMA ${platformSchema} TO ${roles.logins}`,
    ...names.map((name) => `GRANT EXECUTE ON FUNCTION ${functionOf(name)} TO ${roles.logins}`),
    ...Object.entries(quiet).map(
      ([parameter, value]) => `ALTER ROLE ${roles.logins} SET ${parameter} = ${literal(value)}`,
    ),
  ];
}
