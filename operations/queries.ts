import type { Settings } from "../settings/schema";
import { namespace, type Problem } from "../settings/problem";
import { databasesOf, readable, userGroup } from "../plan/monitoring/catalogue/queries";
import { contextOf } from "../plan/monitoring/facts";
import { limits } from "../plan/monitoring/render";
import { literal } from "../plan/postgres/sql/text";

/** The settings' own queries, tried on the live databases: planned as the exporters' role would, and not run. */

/** What a database says of a query. */
export interface TriedQuery {
  readonly query: string;
  readonly database: string;
  /** Whether its tables are there and readable; otherwise it wasn't tried. */
  readonly ready: boolean;
  /** PostgreSQL's words. @default - it takes the query */
  readonly error?: string;
}

const ANSWER = "pgplatform.queries";

/** Statements of a superuser's session, by the databases that have queries; the last one gives the answer. */
export function trials(
  settings: Settings,
): { readonly database: string; readonly statements: readonly string[] }[] {
  const { cluster, monitoring } = settings;
  const context = { ...contextOf(settings), major: 15 } as const;
  return cluster.databases.flatMap(({ name: database }) => {
    const here = monitoring.queries.filter((query) => databasesOf(query, cluster).includes(database));
    if (here.length === 0) return [];
    const tries = here.map((query) => {
      const sql = userGroup(query, cluster).sql(context) ?? "";
      const row = (rest: string) =>
        `found := found || jsonb_build_object('query', ${literal(query.name)}, ${rest});`;
      return `BEGIN
  EXECUTE ${literal(`SELECT ${readable(query.tables)}`)} INTO ready;
  IF ready THEN EXECUTE ${literal(`EXPLAIN ${sql.trim()}`)}; END IF;
  ${row("'ready', ready")}
EXCEPTION WHEN OTHERS THEN
  ${row("'ready', true, 'error', SQLERRM")}
END;`;
    });
    return [
      {
        database,
        statements: [
          ...Object.entries(limits).map(([name, value]) => `SET ${name} = ${literal(value)}`),
          "SET search_path = pg_catalog, public, pg_temp",
          "SET default_transaction_read_only = on",
          "SET ROLE pg_monitor",
          `DO $pgplatform_try$ DECLARE found jsonb := '[]'; ready boolean; BEGIN\n${tries.join("\n")}\nPERFORM set_config('${ANSWER}', found::text, false);\nEND $pgplatform_try$`,
          `SELECT current_setting('${ANSWER}')`,
        ],
      },
    ];
  });
}

/** What the last statement gave; none where nothing answered. */
export function triedIn(database: string, answer: string | undefined): TriedQuery[] {
  const last = answer?.trim().split("\n").at(-1) ?? "";
  if (!last.startsWith("[")) return [];
  return (JSON.parse(last) as Omit<TriedQuery, "database">[]).map((one) => ({ ...one, database }));
}

export function queryProblems({ monitoring }: Settings, tried: readonly TriedQuery[] = []): Problem[] {
  return monitoring.queries.flatMap(({ name, sql }, index) => {
    const failed = tried.find(({ query, error }) => query === name && error !== undefined);
    if (failed === undefined) return [];
    return [
      {
        path: `${namespace}:monitoring.queries[${index}].sql`,
        value: sql,
        allowed: `a query that the database ${failed.database} takes from a member of pg_monitor; it says: ${failed.error ?? ""}`,
        fix: "correct it; a table that is made later belongs into tables, and the owner of one that may not be read must GRANT SELECT ON it TO pg_monitor",
      },
    ];
  });
}

/** Queries that wait for their tables; nothing is wrong with them. */
export const queryWarnings = ({ monitoring }: Settings, tried: readonly TriedQuery[] = []): string[] =>
  tried
    .filter(({ ready }) => !ready)
    .map(({ query, database }) => {
      const tables = monitoring.queries.find(({ name }) => name === query)?.tables ?? [];
      return (
        `The query ${query} of monitoring.queries has no rows in the database ${database} yet: ${tables.join(", ")} must be there, ` +
        "and their owner must GRANT SELECT ON them TO pg_monitor."
      );
    });
