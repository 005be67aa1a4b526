import type { Settings } from "../../../settings/schema";
import type { Adoption } from "../../plan";
import { platformSchema, roles } from "../../names";
import { auditObjectStatements, auditRoleStatements } from "../../postgres/audit";
import { heartbeatTable } from "../../postgres/sql/heartbeat";
import { loginStatements } from "../../postgres/sql/logins";
import { lookupFunction, lookupRights } from "../../postgres/sql/lookup";
import { identifier } from "../../postgres/sql/text";

/**
 * Statements that run once, when the cluster is made. Each list element is one statement. They reach the job as arguments of its
 * container, where Kubernetes makes one dollar of two: bodies are quoted with a tag between the dollars.
 */

/** What the login reloader needs, behind its role: none where the stack owns all passwords. */
const ofLogins = (settings: Settings, made: (role: string) => string): string[] => {
  const statements = loginStatements(settings);
  return statements.length === 0 ? [] : [made(roles.logins), ...statements];
};

const madeOnce = (role: string): string =>
  `DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role} LOGIN; END IF; END$$`;

/** What a cluster lacks that was made before its passwords had another owner, or whose roles have others now; by a superuser, once or again. */
export function loginAdoption(settings: Settings): Adoption[] {
  const statements = ofLogins(settings, madeOnce);
  return statements.length === 0
    ? []
    : [
        {
          database: "postgres",
          statements: [`CREATE SCHEMA IF NOT EXISTS ${platformSchema}`, ...statements],
        },
      ];
}

/** What the audit needs beside its parameters: the operator's objects have no fields for it. */
export function auditAdoption(settings: Settings): Adoption[] {
  const statements = auditRoleStatements(settings, ["cnpg_metrics_exporter"]);
  return statements.length === 0
    ? []
    : [{ database: "postgres", statements }, ...auditObjectStatements(settings)];
}

/** In the database `postgres`, as superuser. */
export const postInitSql = (settings: Settings): string[] => [
  `CREATE ROLE ${roles.pooler} LOGIN`,
  `CREATE SCHEMA ${platformSchema}`,
  `REVOKE ALL ON SCHEMA ${platformSchema} FROM PUBLIC`,
  `CREATE ${lookupFunction}`,
  ...lookupRights,
  ...ofLogins(settings, (role) => `CREATE ROLE ${role} LOGIN`),
];

/**
 * In the first database, as superuser: it gets its owner, and the schema in which the health check writes.
 *
 * The operator makes the database for the role of `bootstrap.initdb`, and sets that role's password again, with a new salt, whenever
 * an instance starts as primary. PgBouncer logs in with keys that hold for one salt, so that every pooled session of that role would
 * break at every failover: the role is therefore one that only the health check uses, and the owner comes from here.
 */
export const postInitApplicationSql = ({ name, owner }: { name: string; owner: string }): string[] => [
  `CREATE ROLE ${identifier(owner)} LOGIN`,
  `ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)}`,
  `CREATE SCHEMA ${platformSchema} AUTHORIZATION ${roles.health}`,
  `CREATE TABLE ${heartbeatTable}`,
  `ALTER TABLE ${platformSchema}.heartbeat OWNER TO ${roles.health}`,
  // For the watcher of the backups, as plan/postgres/roles.ts says.
  `GRANT pg_checkpoint TO ${roles.health}`,
];

/**
 * What a database lacks that another program made, and a cluster of the platform has from its beginning; by a superuser, once or again. The operator makes
 * the owner and the roles with a password, and gives the database to its owner.
 */
export const adoptionSql = ({ name }: { name: string }): Adoption[] => [
  {
    database: "postgres",
    statements: [
      madeOnce(roles.pooler),
      `CREATE SCHEMA IF NOT EXISTS ${platformSchema}`,
      `REVOKE ALL ON SCHEMA ${platformSchema} FROM PUBLIC`,
      `CREATE OR REPLACE ${lookupFunction}`,
      ...lookupRights,
    ],
  },
  {
    database: name,
    statements: [
      `CREATE SCHEMA IF NOT EXISTS ${platformSchema} AUTHORIZATION ${roles.health}`,
      `CREATE TABLE IF NOT EXISTS ${heartbeatTable}`,
      `ALTER TABLE ${platformSchema}.heartbeat OWNER TO ${roles.health}`,
      `GRANT pg_checkpoint TO ${roles.health}`,
    ],
  },
];
