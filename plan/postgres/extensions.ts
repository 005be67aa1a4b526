import type { DatabaseSettings, Settings } from "../../settings/schema";
import { auditExtension, auditParameters, isAudited } from "./audit";

/** Extensions: as settings name them, what must be preloaded for them, and their parameters. */

type Cluster = Settings["cluster"];
type Monitoring = Pick<Settings["monitoring"], "statements">;
/** What decides which libraries are loaded. */
type Loading = Pick<Settings, "cluster" | "audit"> & { readonly monitoring: Monitoring };

/** An extension as the settings name it, in its long form. */
export const extensionsOf = ({
  extensions,
}: DatabaseSettings): Exclude<DatabaseSettings["extensions"][number], string>[] =>
  extensions.map((extension) => (typeof extension === "string" ? { name: extension } : extension));

/**
 * Libraries that PostgreSQL must load when it starts, in this order, and what their parameters begin with. Most are named like the extension
 * that needs them; auto_explain has none, and pg_prewarm works without it: these are loaded when one of their parameters is set.
 */
const libraries = {
  pg_stat_statements: "pg_stat_statements",
  pgaudit: "pgaudit",
  timescaledb: "timescaledb",
  pg_cron: "cron",
  pg_stat_kcache: "pg_stat_kcache",
  auto_explain: "auto_explain",
  pg_prewarm: "pg_prewarm",
} as const;
export type Library = keyof typeof libraries;

/** Extensions by what their parameters begin with, where that isn't the extension's own name. */
const extensionOfPrefix: Readonly<Record<string, string>> = {
  cron: "pg_cron",
  extwlist: "pgextwlist",
  hnsw: "vector",
  ivfflat: "vector",
};

/** The extension or library that a parameter belongs to; undefined for one of the server's. */
export function extensionOfParameter(name: string): string | undefined {
  const [prefix = "", ...rest] = name.split(".");
  return rest.length === 0 ? undefined : (extensionOfPrefix[prefix] ?? prefix);
}

/** The first database that lists an extension. */
export const databaseWith = ({ databases }: Cluster, extension: string): DatabaseSettings | undefined =>
  databases.find((one) => extensionsOf(one).some(({ name }) => name === extension));

const listed = ({ databases }: Cluster): Set<string> =>
  new Set(databases.flatMap((database) => extensionsOf(database).map(({ name }) => name)));

/** Whether the cluster has a parameter that begins so. */
const hasParameter = ({ parameters }: Cluster, prefix: string): boolean =>
  Object.keys(parameters).some((name) => name.startsWith(`${prefix}.`));

/** The extension that counts statements, for the metrics of those that took the most time. */
export const statementsExtension = "pg_stat_statements";

/** Whether the platform has statements counted, whatever databases list. */
const counted = ({ statements }: Monitoring): boolean => statements.top > 0;

/** What must be preloaded: what counts statements, the extensions that databases list, libraries of which a parameter is set, which would have no effect otherwise, and those that the settings name. */
export function preloadLibraries({ cluster, monitoring, audit }: Loading): string[] {
  const names = new Set([
    ...listed(cluster),
    ...(counted(monitoring) ? [statementsExtension] : []),
    ...(isAudited({ audit }) ? [auditExtension] : []),
  ]);
  const needed = (Object.keys(libraries) as Library[]).filter(
    (library) =>
      (library !== "pg_prewarm" && names.has(library)) || hasParameter(cluster, libraries[library]),
  );
  return [...new Set([...needed, ...cluster.preloadLibraries])];
}

/** Parameters that go with extensions, of which the user sets none. */
const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pgaudit: { "pgaudit.log": "ddl, role" },
  pg_stat_statements: { "pg_stat_statements.max": "5000" },
  // Nothing in the closed network answers it.
  timescaledb: { "timescaledb.telemetry_level": "off" },
};

/** pg_cron can be in one database only, and starts its jobs without a login where it uses workers of the server. */
function cronParameters(cluster: Cluster): Record<string, string> {
  const database = databaseWith(cluster, "pg_cron");
  return database ? { "cron.database_name": database.name, "cron.use_background_workers": "on" } : {};
}

/** Parameters of the listed extensions; those that the user sets come after them. */
export function preloadParameters({ cluster, monitoring, audit }: Loading): Record<string, string> {
  const names = new Set([...listed(cluster), ...(counted(monitoring) ? [statementsExtension] : [])]);
  const parameters = Object.entries(defaults)
    .filter(([extension]) => names.has(extension) && !hasParameter(cluster, extension))
    .flatMap(([, values]) => Object.entries(values));
  return {
    ...Object.fromEntries(parameters),
    // Who reads statistics would read passwords and their verifiers in the texts of ALTER ROLE.
    ...(names.has(statementsExtension) && { "pg_stat_statements.track_utility": "off" }),
    ...auditParameters({ audit }),
    ...cronParameters(cluster),
  };
}
