import type { Settings } from "../../../settings/schema";
import type { QuerySettings } from "../../../settings/schema/queries";
import { identifier, literal } from "../../postgres/sql/text";
import { database, flag, type Group } from "./types";

/** Queries of the settings: their own metrics, and whether they can run. */

/** Whether a table is there and a column of it readable. PostgreSQL's own look-up of a name fails where the schema is closed. */
function readableTable(name: string): string {
  const [table = "", schema] = name.split(".").reverse();
  const place = schema === undefined ? "pg_table_is_visible(c.oid)" : `n.nspname = ${literal(schema)}`;
  return (
    `EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = ${literal(table)} AND ${place} ` +
    "AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'))"
  );
}

/** Whether all tables are there and readable; `true` of none. */
export const readable = (tables: readonly string[]): string =>
  tables.length === 0 ? "true" : tables.map(readableTable).join(" AND ");

export const queryGroups: readonly Group[] = [
  {
    name: "queries",
    about: "The queries of monitoring.queries",
    labels: [database, { name: "query", help: "name of the query" }],
    columns: [flag("ready", "1 if the tables that it names are there and pg_monitor may read them")],
    where: "database",
    on: "primary",
    cost: "cheap",
    limit: ({ queries }) => queries.length,
    sql: ({ queries }) =>
      queries.length === 0
        ? undefined
        : `
SELECT current_database() AS database, q.query, q.ready::int AS ready
FROM (VALUES ${queries
            .map(
              ({ name, databases, tables }) =>
                `(${literal(name)}, ARRAY[${databases.map(literal).join(", ")}], ${readable(tables)})`,
            )
            .join(",\n  ")}) AS q(query, databases, ready)
WHERE current_database() = ANY (q.databases) AND NOT pg_is_in_recovery()`,
  },
];

/** What the names of all user's metrics begin with, so that no later metric of the platform's can be one of theirs. */
const userPrefix = "user_";

/** Databases that a query runs in: those that it names, or the first of the settings. */
export const databasesOf = ({ databases }: QuerySettings, cluster: Settings["cluster"]): readonly string[] =>
  databases ?? cluster.databases.slice(0, 1).map(({ name }) => name);

/** A query of the settings as a group. Rows with equal labels become one: two samples of one series would fail the whole scrape. */
export function userGroup(query: QuerySettings, cluster: Settings["cluster"]): Group {
  const { name, sql, tables, labels, values, limit } = query;
  const rows = labels.length === 0 ? 1 : limit;
  // An exporter makes one label of NULL and of an empty text.
  const texts = labels.map((label) => `coalesce(q.${identifier(label)}::text, '')`);
  const columns = [
    "current_database() AS database",
    ...labels.map((label, index) => `${texts[index]} AS ${identifier(label)}`),
    ...values.map((value) => `max(q.${identifier(value.name)})::float8 AS ${identifier(value.name)}`),
  ];
  return {
    name: `${userPrefix}${name}`,
    about: `Query ${name} of the settings`,
    labels: [database, ...labels.map((label) => ({ name: label, help: label }))],
    columns: values.map(({ name: column, type, unit, help }) => ({
      name: column,
      help,
      type,
      unit: unit === "other" ? "any" : unit,
    })),
    where: "database",
    on: "primary",
    cost: "moderate",
    databases: databasesOf(query, cluster),
    limit: () => rows,
    needs: tables,
    when: "NOT pg_is_in_recovery()",
    sql: () => `
SELECT ${columns.join(", ")}
FROM (
${sql.trim().replace(/;$/, "")}
) q
${labels.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${texts.join(", ")}`}
ORDER BY ${labels.length + 2} DESC NULLS LAST LIMIT ${rows}`,
  };
}
