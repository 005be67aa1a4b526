import type { AuditProfile } from "../../settings/schema/audit";
import type { Settings } from "../../settings/schema";
import { roles } from "../names";
import { secondLogin } from "./rotation";
import { identifier, literal } from "./sql/text";

/** What is audited, by pgAudit: its parameters, and what it needs in the server. */

export const auditExtension = "pgaudit";

type Audit = Pick<Settings, "audit">;

/** Classes of statements. BEGIN, COMMIT and the like say nothing, and would be most of the log; SET changes roles, too. */
const classes: Readonly<Record<AuditProfile, string>> = {
  none: "none",
  ddl: "ddl, role",
  write: "ddl, role, write",
  all: "all, -misc, misc_set",
};

export const isAudited = ({ audit }: Audit): boolean =>
  audit.profile !== "none" || audit.objects.length > 0 || audit.roles.length > 0;

/** What the profile's parameters are; the settings check refuses them among the user's own. */
export const auditParameters = (settings: Audit): Record<string, string> =>
  isAudited(settings)
    ? {
        "pgaudit.log": classes[settings.audit.profile],
        // Statements on what this role was given a right to are audited; it can't log in.
        "pgaudit.role": roles.audit,
        // Each table by its name; the text of the statement once.
        "pgaudit.log_relation": "on",
        "pgaudit.log_statement_once": "on",
        // Values that clients bind to a statement are their data, passwords among them.
        "pgaudit.log_parameter": "off",
      }
    : {};

/** What reads statistics all the time, without a right to anything but them. */
const metricsReaders = [roles.metrics, secondLogin(roles.metrics)];

const rows = (all: readonly (readonly string[])[]): string =>
  all.map((row) => `(${row.map(literal).join(", ")})`).join(", ");

/** Gives roles a parameter by a list, and takes it from all others. */
const roleParameter = (parameter: string, wanted: readonly (readonly [string, string])[]): string =>
  `DO $audit$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT r.rolname, w.value FROM pg_catalog.pg_roles r
      LEFT JOIN (VALUES ${rows([["", ""], ...wanted])}) AS w (name, value) ON w.name = r.rolname
      LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
      LEFT JOIN LATERAL (SELECT split_part(line, '=', 2) AS value FROM unnest(s.setconfig) AS line WHERE split_part(line, '=', 1) = ${literal(parameter)}) AS has ON true
    WHERE w.value IS DISTINCT FROM has.value
  LOOP
    IF one.value IS NULL THEN
      EXECUTE format('ALTER ROLE %I RESET ${parameter}', one.rolname);
    ELSE
      EXECUTE format('ALTER ROLE %I SET ${parameter} = %L', one.rolname, one.value);
    END IF;
  END LOOP;
END
$audit$`;

/** Fails while a role isn't there, as an operator makes it when it likes. */
const present = (names: readonly string[]): string =>
  `DO $audit$
DECLARE
  missing text := (SELECT w.name FROM (VALUES ${rows(names.map((name) => [name]))}) AS w (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = w.name) LIMIT 1);
BEGIN
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'the role % is not there yet', missing;
  END IF;
END
$audit$`;

/** In the database `postgres`, as superuser; they may run again at any time. `readers`: the engine's own roles that read statistics, too. */
export function auditRoleStatements({ audit }: Audit, readers: readonly string[] = []): string[] {
  if (!isAudited({ audit })) return [];
  const wanted = audit.roles.flatMap(({ role, profile }) =>
    [role, secondLogin(role)].map((login) => [login, classes[profile]] as const),
  );
  const reads =
    audit.profile === "all" ? [...metricsReaders, ...readers].map((name) => [name, "off"] as const) : [];
  return [
    present([roles.audit, ...audit.roles.map(({ role }) => role)]),
    roleParameter("pgaudit.log", wanted),
    roleParameter("pgaudit.log_catalog", reads),
  ];
}

/** In a database, as superuser: the rights of the role that makes objects audited, for tables that are there and for those of their owners to come. */
export function auditObjectStatements({ audit, cluster }: Pick<Settings, "audit" | "cluster">): {
  readonly database: string;
  readonly statements: readonly string[];
}[] {
  return cluster.databases.flatMap(({ name, owner, schemas }) => {
    const objects = audit.objects.filter(({ database }) => database === name);
    const statements = objects.flatMap(({ schema, commands }) => {
      const makers = [...new Set([owner, schemas.find((one) => one.name === schema)?.owner ?? owner])];
      const given = `GRANT ${commands.join(", ")} ON`;
      return [
        `${given} ALL TABLES IN SCHEMA ${identifier(schema)} TO ${roles.audit}`,
        ...makers.map(
          (maker) =>
            `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(maker)} IN SCHEMA ${identifier(schema)} ${given} TABLES TO ${roles.audit}`,
        ),
      ];
    });
    return statements.length === 0 ? [] : [{ database: name, statements }];
  });
}

/**
 * In a database of a server that doesn't preload pgAudit: its event triggers would have every change of structure fail there. They fire in the way of their own
 * end, too.
 */
export const unaudited: readonly string[] = [
  "SET session_replication_role = replica",
  `DROP EXTENSION IF EXISTS ${auditExtension}`,
  "RESET session_replication_role",
];
