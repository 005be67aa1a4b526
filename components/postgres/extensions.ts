import { extensionsOf } from "../../stacks/extensions";
import type { Settings } from "../../stacks/schema";

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
