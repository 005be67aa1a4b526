import type { DatabaseSettings, Settings } from "../../settings/schema";

/** Extensions: as settings name them, and which of them images have. */

/** An extension as the settings name it, in its long form. */
export const extensionsOf = ({
  extensions,
}: DatabaseSettings): Exclude<DatabaseSettings["extensions"][number], string>[] =>
  extensions.map((extension) => (typeof extension === "string" ? { name: extension } : extension));

/** Libraries that PostgreSQL must load when it starts, by the extensions that need them. */
const libraries = ["pg_stat_statements", "pgaudit", "timescaledb"] as const;

/** Parameters that go with extensions. */
const parameters: Readonly<Record<string, readonly [name: string, value: string]>> = {
  pgaudit: ["pgaudit.log", "ddl, role"],
  pg_stat_statements: ["pg_stat_statements.max", "5000"],
  // Nothing in the closed network answers it.
  timescaledb: ["timescaledb.telemetry_level", "off"],
};

const used = ({ databases }: Settings["cluster"]): Set<string> =>
  new Set(databases.flatMap((database) => extensionsOf(database).map(({ name }) => name)));

export const preloadLibraries = (cluster: Settings["cluster"]): (typeof libraries)[number][] =>
  libraries.filter((name) => used(cluster).has(name));

/** Only for extensions of which the user sets no parameter. */
export const preloadParameters = (cluster: Settings["cluster"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([extension]) => used(cluster).has(extension))
      .filter(
        ([extension]) => !Object.keys(cluster.parameters).some((name) => name.startsWith(`${extension}.`)),
      )
      .map(([, parameter]) => parameter),
  );
