import type { Settings } from "../../settings/schema";
import { literal } from "../postgres/sql/text";
import { type Query, perDatabase, queriesOf, serverDatabase, textFor, yamlOf } from "./render";

/** The catalogue for postgres_exporter, beside or in front of servers of engines that have no metrics of their own. */

/**
 * The query's rows where the condition holds. It has no condition of its own, and PostgreSQL refuses a query of a table that isn't there however
 * its conditions stand: so the query is a text, which is read when it is run, and its rows come back as XML.
 */
const guarded = (sql: string, when: string, columns: Query["columns"]): string => `
SELECT x.*
FROM (SELECT query_to_xml(${literal(sql)}, false, false, '') AS rows WHERE ${when}) q,
  XMLTABLE('/table/row' PASSING q.rows COLUMNS ${columns
    .map(({ name, usage }) => `"${name}" ${usage === "LABEL" ? "text" : "float8"}`)
    .join(", ")}) x
`;

function rendered(query: Query, major: number): string {
  const { name, columns, databases, when, cacheSeconds, group } = query;
  const sql = textFor(query, major);
  if (sql === undefined) return "";
  // It knows no list of databases: a query runs in each, or once.
  const conditions = [
    ...(group.databases === undefined
      ? []
      : [`current_database() IN (${databases.map(literal).join(", ")})`]),
    ...(when === undefined ? [] : [when]),
  ];
  return yamlOf(
    name,
    {
      query: conditions.length === 0 ? sql : guarded(sql, conditions.join(" AND "), columns),
      ...(group.where === "server" && { master: true }),
      cache_seconds: cacheSeconds,
    },
    columns,
  );
}

export const exporterQueries = (settings: Settings): string =>
  queriesOf(settings)
    .map((query) => rendered(query, Number(settings.cluster.postgresVersion)))
    .join("");

/** Collectors of its own that are on unless they are turned off: what they give has other names than on other engines. */
const collectors =
  "database locks replication replication_slot roles stat_bgwriter stat_database stat_user_tables statio_user_tables wal".split(
    " ",
  );

/** Sessions of the exporter's: one in each database, and one of its own that checks the server. */
export const exporterSessions = ({ cluster }: Pick<Settings, "cluster">): number =>
  cluster.databases.length + 3;

/** Arguments for the exporter, which reads the queries in a file. */
export const exporterArguments = (settings: Settings, port: number, file: string): string[] => [
  `--web.listen-address=:${port}`,
  `--extend.query-path=${file}`,
  "--disable-default-metrics",
  "--disable-settings-metrics",
  "--auto-discover-databases",
  `--include-databases=${perDatabase(settings.cluster)
    .filter((name) => name !== serverDatabase)
    .join(",")}`,
  ...collectors.map((name) => `--no-collector.${name}`),
];
