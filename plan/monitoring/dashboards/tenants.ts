import type { QuerySettings } from "../../../settings/schema/queries";
import { bars, noneWanted, query, series, stat, type Dashboard, type Panel, type Unit } from "./model";
import { labels, needs, ofCluster, variables } from "./selectors";

const { primary, primaryDatabases, databases } = labels;

/** Units as Grafana has them; what is counted is a number like any. */
const units: Readonly<Record<QuerySettings["values"][number]["unit"], Unit>> = {
  count: "short",
  seconds: "s",
  bytes: "bytes",
  ratio: "percentunit",
  other: "short",
};

const titled = (name: string): string => {
  const words = name.replace(/_total$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** A panel for each value of a query; what only grows is shown by what it grows by in five minutes. */
const panelsOf = (one: QuerySettings): Panel[] =>
  one.values.map(({ name, type, unit, help }) => {
    const by = ["database", ...one.labels];
    const metric = `pgplatform_user_${one.name}_${name}{${primary}, database=~"$database"}`;
    const newest = `max by (${by.join(", ")}) (${type === "counter" ? `increase(${metric}[5m])` : metric})`;
    return series(
      titled(`${one.name} ${name}`),
      units[unit],
      type === "counter" ? `${help} (in five minutes)` : help,
      [query(newest, by.map((label) => `{{${label}}}`).join(" "))],
    );
  });

/** An odd number of panels ends with a wide one. */
const even = (panels: readonly Panel[]): Panel[] =>
  panels.map((panel, index) =>
    panels.length % 2 === 1 && index === panels.length - 1 ? { ...panel, width: 24 } : panel,
  );

/** Where tenants are databases, users, or rows that the settings' queries count. */
export const tenants = (queries: readonly QuerySettings[]): Dashboard => ({
  id: "tenants",
  title: "PostgreSQL: tenants",
  description: "Who uses how much: by database, by user, and by the queries of monitoring.queries.",
  variables: [...ofCluster, variables.instance, variables.database],
  rows: [
    {
      title: "Databases and users",
      panels: [
        series(
          "Size",
          "bytes",
          "By database.",
          [query(`max by (database) (pgplatform_database_size_bytes{${primaryDatabases}})`, "{{database}}")],
          { min: 0, stacked: true, width: 8 },
        ),
        series(
          "Transactions",
          "ops",
          "By database.",
          [
            query(
              `sum by (database) (rate(pgplatform_database_commits_total{${databases}}[$__rate_interval]) + rate(pgplatform_database_rollbacks_total{${databases}}[$__rate_interval]))`,
              "{{database}}",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Connections",
          "none",
          "By database.",
          [query(`sum by (database) (pgplatform_database_connections{${databases}})`, "{{database}}")],
          { min: 0, stacked: true, width: 8 },
        ),
        bars(
          "Time of statements",
          "s",
          "Seconds that statements took in each second, by user.",
          [
            query(`sum by (user) (rate(pgplatform_statements_seconds_total{${databases}}[5m]))`, "{{user}}", {
              needsEvent: needs.statements,
            }),
          ],
          { min: 0 },
        ),
        bars(
          "Rows written",
          "ops",
          "Rows inserted, updated and deleted, by database.",
          [
            query(
              `sum by (database) (rate(pgplatform_database_rows_inserted_total{${databases}}[5m]) + rate(pgplatform_database_rows_updated_total{${databases}}[5m]) + rate(pgplatform_database_rows_deleted_total{${databases}}[5m]))`,
              "{{database}}",
            ),
          ],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Queries of the settings",
      panels: [
        stat(
          "Queries that can't run",
          "none",
          "Queries of monitoring.queries whose tables are missing, or closed to pg_monitor.",
          [query(`count(pgplatform_queries_ready{${primary}} == 0) or vector(0)`, "queries")],
          { steps: noneWanted, width: 24 },
        ),
        ...even(
          queries.length > 0
            ? queries.flatMap(panelsOf)
            : [
                series(
                  "Values",
                  "short",
                  "Everything that the queries of monitoring.queries found.",
                  [
                    query(`{__name__=~"pgplatform_user_.+", ${primary}, database=~"$database"}`, "__auto", {
                      needsEvent: needs.userQueries,
                    }),
                  ],
                  { noValue: "no queries in monitoring.queries" },
                ),
              ],
        ),
      ],
    },
  ],
});
