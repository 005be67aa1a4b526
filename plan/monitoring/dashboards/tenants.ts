import { bars, query, series, type Dashboard, type Panel, type Unit } from "./model";
import { labels, needs, ofCluster, variables } from "./selectors";

const { cluster, primaryDatabases, databases } = labels;

/** A metric that the settings' own queries make. */
export interface UserMetric {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  /** It only grows: what it grows by in five minutes is shown. */
  readonly counter: boolean;
  /** Beside the labels that every metric has. */
  readonly labels: readonly string[];
}

/** One panel a metric; the same row may come from several instances, and counts once. */
function userPanel({ name, title, description, unit, counter, labels: own }: UserMetric): Panel {
  const by = ["database", ...own];
  const value = `${name}{${databases}}`;
  const newest = `max by (${by.join(", ")}) (${counter ? `increase(${value}[5m])` : value})`;
  return series(
    title,
    unit,
    counter ? `${description} In five minutes.` : description,
    [query(newest, by.map((label) => `{{${label}}}`).join(" "))],
    { min: 0 },
  );
}

/** Where tenants are databases, users, or rows that the settings' queries count. */
export const tenants = (metrics: readonly UserMetric[]): Dashboard => ({
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
          [query(`sum by (database) (pgplatform_database_size_bytes{${primaryDatabases}})`, "{{database}}")],
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
      panels:
        metrics.length > 0
          ? metrics.map(userPanel)
          : [
              series(
                "Values",
                "short",
                "Everything that the queries of monitoring.queries found.",
                [
                  query(
                    `{__name__=~"pgplatform_user_.+", ${cluster}, database=~"$database", instance=~"$instance"}`,
                    "__auto",
                    {
                      needsEvent: needs.userQueries,
                    },
                  ),
                ],
                { width: 24, noValue: "no queries in monitoring.queries" },
              ),
            ],
    },
  ],
});
