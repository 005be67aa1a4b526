import { platformSchema, roles } from "../../names";

/**
 * How poolers look up the verifiers of roles that log in through them, in the database `postgres`.
 *
 * The pooler's role can read the verifier of one role by its name and nothing else: roles that could harm the server
 * (superusers, replication, row security bypass) can't log in through a pooler, and expired passwords count as none.
 */

const lookup = `${platformSchema}.pooler_lookup`;

/** What PgBouncer asks when a role logs in through it. */
export const poolerLoginQuery = `SELECT role, verifier FROM ${lookup}($1)`;

/** Follows `CREATE` or `CREATE OR REPLACE`. */
export const lookupFunction = `FUNCTION ${lookup}(wanted text, OUT role text, OUT verifier text) RETURNS SETOF record
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
  SELECT a.rolname::text, CASE WHEN a.rolvaliduntil < now() THEN NULL ELSE a.rolpassword END
  FROM pg_catalog.pg_authid a
  WHERE a.rolname = wanted AND a.rolcanlogin AND NOT a.rolsuper AND NOT a.rolreplication AND NOT a.rolbypassrls
$body$`;

export const lookupRights: readonly string[] = [
  `REVOKE ALL ON FUNCTION ${lookup}(text) FROM PUBLIC`,
  `GRANT USAGE ON SCHEMA ${platformSchema} TO ${roles.pooler}`,
  `GRANT EXECUTE ON FUNCTION ${lookup}(text) TO ${roles.pooler}`,
];
