import { asset } from "../../../shell/asset";
import { extensionsOf, preloadLibraries, statementsExtension } from "../extensions";
import { exporterSessions } from "../../monitoring/exporterQueries";
import { limits } from "../../monitoring/render";
import type { DatabaseSettings, Settings } from "../../../settings/schema";
import { platformSchema, roles } from "../../names";
import { hasLocale, localeOf } from "../locale";
import { wantedRoles, withSource, type WantedRole } from "../roles";
import { auditExtension, auditObjectStatements, auditRoleStatements, isAudited, unaudited } from "../audit";
import { heartbeatTable } from "./heartbeat";
import { loginStatements } from "./logins";
import { lookupFunction, lookupRights } from "./lookup";
import { identifier, literal } from "./text";
import { viewStatements } from "./views";

/**
 * What belongs into the server, for engines without an operator that makes it: scripts for psql, run as superuser one after the
 * other. All may run again at any time, over a server in any earlier state; nothing that the settings no longer name is dropped.
 */
export interface SqlScript {
  /** Database that it runs in. */
  readonly database: string;
  readonly sql: string;
}

const script = (statements: readonly string[]): string => statements.map((one) => `${one};\n`).join("");

/** Runs the statement that the query makes, unless the other query finds something. */
const unless = (found: string, statement: string): string =>
  `SELECT ${literal(statement)} WHERE NOT EXISTS (${found}) \\gexec\n`;

const makeRole = ({ name }: WantedRole): string =>
  unless(`SELECT FROM pg_roles WHERE rolname = ${literal(name)}`, `CREATE ROLE ${identifier(name)}`);

const roleRights = ({
  name,
  login,
  createDatabases,
  createRoles,
  replication,
  connectionLimit = -1,
}: WantedRole) =>
  `ALTER ROLE ${identifier(name)} ${login ? "" : "NO"}LOGIN ${createDatabases ? "" : "NO"}CREATEDB ` +
  `${createRoles ? "" : "NO"}CREATEROLE NOSUPERUSER ${replication ? "" : "NO"}REPLICATION NOBYPASSRLS CONNECTION LIMIT ${connectionLimit}`;

/** Revokes memberships beyond the wanted ones, whichever role granted them. */
const revokeOthers = ({ name, memberOf }: WantedRole): string =>
  `SELECT format('REVOKE %I FROM %I GRANTED BY %I', held.rolname, member.rolname, giver.rolname)
FROM pg_auth_members m
  JOIN pg_roles held ON held.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
  JOIN pg_roles giver ON giver.oid = m.grantor
WHERE member.rolname = ${literal(name)} AND held.rolname <> ALL (ARRAY[${memberOf.map(literal).join(", ")}]::name[]) \\gexec
`;

/** What an engine has in the server beside what all have. */
export interface OwnSql {
  readonly roles: readonly WantedRole[];
  /** Statements in the database `postgres`, run behind those that make the roles. */
  readonly statements: readonly string[];
}
const nothing: OwnSql = { roles: [], statements: [] };

function rolesScript(settings: Settings, own: OwnSql): string {
  const metrics: WantedRole = {
    name: roles.metrics,
    login: true,
    memberOf: ["pg_monitor"],
    createDatabases: false,
    createRoles: false,
    connectionLimit: exporterSessions(settings),
  };
  const metricsRoles = withSource(settings, metrics) ?? [metrics];
  const wanted = [...wantedRoles(settings), ...metricsRoles, ...own.roles];
  const named = new Set(settings.cluster.roles.map(({ name }) => name));
  return (
    wanted.map(makeRole).join("") +
    script([
      ...wanted.map(roleRights),
      ...wanted.flatMap(({ name, memberOf }) =>
        memberOf.map((held) => `GRANT ${identifier(held)} TO ${identifier(name)}`),
      ),
    ]) +
    script(
      wanted.flatMap(({ name, actsAs, passwordless }) => [
        ...(actsAs === undefined ? [] : [`ALTER ROLE ${identifier(name)} SET role = ${literal(actsAs)}`]),
        ...(passwordless ? [`ALTER ROLE ${identifier(name)} PASSWORD NULL`] : []),
      ]),
    ) +
    wanted
      .filter(({ name }) => named.has(name) || name === roles.metrics)
      .map(revokeOthers)
      .join("") +
    script(
      metricsRoles.flatMap(({ name }) => [
        ...Object.entries({ ...limits, default_transaction_read_only: "on" }).map(
          ([parameter, value]) => `ALTER ROLE ${name} SET ${parameter} = ${literal(value)}`,
        ),
        `ALTER ROLE ${name} SET search_path = pg_catalog, public, pg_temp`,
      ]),
    )
  );
}

const lookupScript = script([
  `CREATE SCHEMA IF NOT EXISTS ${platformSchema}`,
  `REVOKE ALL ON SCHEMA ${platformSchema} FROM PUBLIC`,
  `CREATE OR REPLACE ${lookupFunction}`,
  ...lookupRights,
]);

/** What a new database is a copy of, and its locale, where the settings say so. */
function madeFrom(cluster: Settings["cluster"], database: DatabaseSettings): string {
  const { template } = database;
  if (!hasLocale(database)) return template === undefined ? "" : ` TEMPLATE ${identifier(template)}`;
  const { encoding, provider, locale, own } = localeOf(cluster, database);
  return [
    ` TEMPLATE ${identifier(template ?? "template0")}`,
    `ENCODING ${literal(encoding)}`,
    `LOCALE_PROVIDER ${literal(provider)}`,
    `LOCALE ${literal(locale)}`,
    ...(own === undefined ? [] : [`${provider === "icu" ? "ICU" : "BUILTIN"}_LOCALE ${literal(own)}`]),
  ].join(" ");
}

const databasesScript = (cluster: Settings["cluster"]): string =>
  cluster.databases
    .map(
      ({ name, owner, connectionLimit = -1, ...rest }) =>
        unless(
          `SELECT FROM pg_database WHERE datname = ${literal(name)}`,
          `CREATE DATABASE ${identifier(name)} OWNER ${identifier(owner)}${madeFrom(cluster, { name, owner, ...rest })}`,
        ) +
        script([
          `ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)}`,
          `ALTER DATABASE ${identifier(name)} CONNECTION LIMIT ${connectionLimit}`,
        ]),
    )
    .join("");

/** Extensions come into the schema that is first in the search path, unless they have one of their own. */
function extensionScript(extension: ReturnType<typeof extensionsOf>[number]): string {
  const { name, schema, version } = extension;
  const it = `SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = ${literal(name)}`;
  const place = schema === undefined ? "" : ` SCHEMA ${identifier(schema)}`;
  const which = version === undefined ? "" : ` VERSION ${literal(version)}`;
  return (
    script([
      "SET search_path = public, pg_temp",
      `CREATE EXTENSION IF NOT EXISTS ${identifier(name)}${place}${which}`,
      "RESET search_path",
    ]) +
    (version === undefined
      ? ""
      : unless(
          `${it} AND e.extversion = ${literal(version)}`,
          `ALTER EXTENSION ${identifier(name)} UPDATE TO ${literal(version)}`,
        )) +
    (schema === undefined
      ? ""
      : unless(
          `${it} AND n.nspname = ${literal(schema)}`,
          `ALTER EXTENSION ${identifier(name)} SET SCHEMA ${identifier(schema)}`,
        ))
  );
}

const heartbeat = [
  `ALTER SCHEMA ${platformSchema} OWNER TO ${roles.health}`,
  `CREATE TABLE IF NOT EXISTS ${heartbeatTable}`,
  `ALTER TABLE ${platformSchema}.heartbeat OWNER TO ${roles.health}`,
];

/** pgAudit's own objects, by which it names those that a statement changes; none where it isn't loaded. */
function auditScript(settings: Settings): string {
  if (isAudited(settings)) return extensionScript({ name: auditExtension });
  return preloadLibraries(settings).includes(auditExtension) ? "" : script(unaudited);
}

function databaseScript(settings: Settings, database: DatabaseSettings, first: boolean): string {
  return (
    auditScript(settings) +
    script([
      `CREATE SCHEMA IF NOT EXISTS ${platformSchema}`,
      ...(first ? heartbeat : []),
      ...viewStatements,
      ...database.schemas.flatMap(({ name, owner = database.owner }) => [
        `CREATE SCHEMA IF NOT EXISTS ${identifier(name)}`,
        `ALTER SCHEMA ${identifier(name)} OWNER TO ${identifier(owner)}`,
      ]),
    ]) +
    extensionsOf(database).map(extensionScript).join("") +
    script(
      auditObjectStatements(settings)
        .filter((one) => one.database === database.name)
        .flatMap(({ statements }) => statements),
    )
  );
}

/** Roles without their passwords, the poolers' look-up, databases with their schemas and extensions, the platform's own objects. */
export function scriptsOf(settings: Settings, own = nothing): SqlScript[] {
  const { cluster } = settings;
  return [
    {
      database: "postgres",
      sql:
        auditScript(settings) +
        rolesScript(settings, own) +
        script(own.statements) +
        lookupScript +
        script(loginStatements(settings)) +
        script(auditRoleStatements(settings)) +
        databasesScript(cluster) +
        (settings.monitoring.statements.top > 0 ? extensionScript({ name: statementsExtension }) : ""),
    },
    ...cluster.databases.map((database, index) => ({
      database: database.name,
      sql: databaseScript(settings, database, index === 0),
    })),
  ];
}

/** The scripts as files for apply.sh, in the order of their names. */
export const scriptFiles = (settings: Settings, own = nothing): Record<string, string> =>
  Object.fromEntries(
    scriptsOf(settings, own).map(({ database, sql }, index) => [
      `${String(index).padStart(3, "0")}.${database}.sql`,
      sql,
    ]),
  );

/** What applies them; it explains itself. */
export const applyScript = asset(__dirname, "apply.sh");
