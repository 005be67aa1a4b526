import { near, type Limits } from "./limits";
import { above, bars, query, series, stat, table, type Dashboard } from "./model";
import { labels, needs, ofCluster, variables } from "./selectors";

const { primary, primaryDatabases, volumes, instances } = labels;
const tables = { needsEvent: needs.tables };

export const sizes = (limits: Limits): Dashboard => ({
  id: "sizes",
  title: "PostgreSQL: sizes",
  description:
    "Databases, tables, indexes, bloat by dead rows, WAL and volumes. Figures of databases are the primary's.",
  variables: [...ofCluster, variables.instance, variables.database],
  rows: [
    {
      title: "Now",
      panels: [
        stat("All databases", "bytes", "Size of the chosen databases.", [
          query(`sum(max by (database) (pgplatform_database_size_bytes{${primaryDatabases}}))`, "size"),
        ]),
        stat("Tables", "short", "Tables of users in the chosen databases.", [
          query(`sum(max by (database) (pgplatform_tables_count{${primaryDatabases}}))`, "tables"),
        ]),
        stat("Indexes", "bytes", "Size of all indexes.", [
          query(`sum(max by (database) (pgplatform_indexes_bytes{${primaryDatabases}}))`, "size"),
        ]),
        stat(
          "Indexes without a scan",
          "bytes",
          "Size of indexes that nothing has used since the statistics began; unique ones don't count.",
          [query(`sum(max by (database) (pgplatform_indexes_unused_bytes{${primaryDatabases}}))`, "size")],
        ),
        stat(
          "Invalid indexes",
          "none",
          "Indexes that a failed CREATE INDEX CONCURRENTLY left: they cost writes and serve no read.",
          [query(`sum(max by (database) (pgplatform_indexes_invalid{${primaryDatabases}}))`, "indexes")],
          {
            steps: [
              [null, "green"],
              [1, "orange"],
            ],
          },
        ),
        stat("WAL", "bytes", "Size of pg_wal on the primary.", [
          query(`max(pgplatform_wal_directory_bytes{${primary}})`, "size"),
        ]),
      ],
    },
    {
      title: "Databases",
      panels: [
        series(
          "Size of databases",
          "bytes",
          "By database.",
          [query(`max by (database) (pgplatform_database_size_bytes{${primaryDatabases}})`, "{{database}}")],
          { min: 0, stacked: true },
        ),
        series("Growth of databases", "Bps", "By the last six hours.", [
          query(
            `max by (database) (deriv(pgplatform_database_size_bytes{${primaryDatabases}}[6h]))`,
            "{{database}}",
          ),
        ]),
        series(
          "Rows",
          "short",
          "Rows that live, and dead ones that vacuum hasn't removed.",
          [
            query(`sum(max by (database) (pgplatform_tables_live_rows{${primaryDatabases}}))`, "live"),
            query(`sum(max by (database) (pgplatform_tables_dead_rows{${primaryDatabases}}))`, "dead"),
          ],
          { min: 0 },
        ),
        series(
          "Dead rows",
          "percentunit",
          "Share of all rows, by database.",
          [
            query(
              `max by (database) (pgplatform_tables_dead_rows{${primaryDatabases}}) / clamp_min(max by (database) (pgplatform_tables_live_rows{${primaryDatabases}} + pgplatform_tables_dead_rows{${primaryDatabases}}), 1)`,
              "{{database}}",
            ),
          ],
          { min: 0, max: 1, steps: near(limits.deadRows) },
        ),
      ],
    },
    {
      title: "Tables",
      panels: [
        table(
          "Largest tables",
          "none",
          "The twenty largest tables of each database.",
          [
            query(
              `max by (database, schema, table) (pgplatform_table_size_bytes{${primaryDatabases}})`,
              "Size",
              { ...tables, unit: "bytes" },
            ),
            query(
              `max by (database, schema, table) (pgplatform_table_indexes_bytes{${primaryDatabases}})`,
              "Indexes",
              { ...tables, unit: "bytes" },
            ),
            query(`max by (database, schema, table) (pgplatform_table_rows{${primaryDatabases}})`, "Rows", {
              ...tables,
              unit: "short",
            }),
            query(
              `max by (database, schema, table) (pgplatform_table_dead_rows{${primaryDatabases}})`,
              "Dead rows",
              { ...tables, unit: "short" },
            ),
            query(
              `max by (database, schema, table) (pgplatform_table_changes_since_analyze{${primaryDatabases}})`,
              "Changed since ANALYZE",
              {
                ...tables,
                unit: "short",
              },
            ),
            query(
              `max by (database, schema, table) (pgplatform_table_vacuum_age_seconds{${primaryDatabases}})`,
              "Since vacuum",
              {
                ...tables,
                unit: "s",
                names: { "-1": ["never", "text"] },
              },
            ),
          ],
          { labels: { database: "Database", schema: "Schema", table: "Table" }, sortBy: "Size" },
        ),
        series(
          "Sequential scans",
          "ops",
          "By table, the ten with most of them: a large one may lack an index.",
          [
            query(
              `topk(10, sum by (database, schema, table) (rate(pgplatform_table_sequential_scans_total{${primaryDatabases}}[$__rate_interval])))`,
              "{{database}} {{schema}}.{{table}}",
              tables,
            ),
          ],
          { min: 0 },
        ),
        series(
          "Index scans",
          "ops",
          "By table, the ten with most of them.",
          [
            query(
              `topk(10, sum by (database, schema, table) (rate(pgplatform_table_index_scans_total{${primaryDatabases}}[$__rate_interval])))`,
              "{{database}} {{schema}}.{{table}}",
              tables,
            ),
          ],
          { min: 0 },
        ),
        bars(
          "Space of dead rows",
          "bytes",
          "Tables whose dead rows take most space, estimated. Space that VACUUM has freed isn't counted.",
          [
            query(
              `topk(10, max by (database, schema, table) (pgplatform_bloat_bytes{${primaryDatabases}}))`,
              "{{database}} {{schema}}.{{table}}",
              tables,
            ),
          ],
          { min: 0, noValue: "no tables of users" },
        ),
        bars(
          "Dead rows, as a share",
          "percentunit",
          "The same tables: share of dead rows.",
          [
            query(
              `topk(10, max by (database, schema, table) (pgplatform_bloat_ratio{${primaryDatabases}}))`,
              "{{database}} {{schema}}.{{table}}",
              tables,
            ),
          ],
          { min: 0, max: 1, steps: above(0.3, 0.5), noValue: "no tables of users" },
        ),
      ],
    },
    {
      title: "Indexes",
      panels: [
        table(
          "Largest indexes",
          "none",
          "The twenty largest indexes of each database, and how often they are used.",
          [
            query(
              `max by (database, schema, table, index) (pgplatform_index_size_bytes{${primaryDatabases}})`,
              "Size",
              {
                ...tables,
                unit: "bytes",
              },
            ),
            query(
              `sum by (database, schema, table, index) (rate(pgplatform_index_scans_total{${labels.databases}}[5m]))`,
              "Scans a second",
              { ...tables, unit: "ops" },
            ),
          ],
          {
            labels: { database: "Database", schema: "Schema", table: "Table", index: "Index" },
            sortBy: "Size",
            width: 16,
          },
        ),
        bars(
          "Indexes without a scan",
          "none",
          "By database.",
          [
            query(
              `sort_desc(max by (database) (pgplatform_indexes_unused{${primaryDatabases}}))`,
              "{{database}}",
            ),
          ],
          { min: 0, width: 8 },
        ),
      ],
    },
    {
      title: "WAL and volumes",
      panels: [
        series(
          "WAL on the volume",
          "bytes",
          "Size of pg_wal.",
          [query(`max by (instance) (pgplatform_wal_directory_bytes{${instances}})`, "{{instance}}")],
          { min: 0 },
        ),
        series(
          "Volumes",
          "bytes",
          "What each volume holds.",
          [query(`kubelet_volume_stats_used_bytes{${volumes}}`, "{{persistentvolumeclaim}}")],
          { min: 0 },
        ),
      ],
    },
  ],
});
