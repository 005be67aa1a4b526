import { near, type Limits } from "./limits";
import { above, bars, noneWanted, query, series, stat, table, type Dashboard } from "./model";
import { failovers } from "./marks";
import { labels, needs, ofCluster, peak, variables, mean } from "./selectors";

const { instances, databases } = labels;
const perSecond = (metric: string, by: string, where: string = databases): string =>
  `sum by (${by}) (rate(pgplatform_${metric}{${where}}[$__rate_interval]))`;

const read = perSecond("database_blocks_read_total", "database");
const hit = perSecond("database_blocks_hit_total", "database");
const commits = perSecond("database_commits_total", "database");
const rollbacks = perSecond("database_rollbacks_total", "database");

export const performance = (limits: Limits): Dashboard => ({
  id: "performance",
  title: "PostgreSQL: performance",
  description: "Throughput, waits, locks, statements, checkpoints and vacuum.",
  variables: [...ofCluster, variables.instance, variables.database],
  marks: [failovers],
  rows: [
    {
      title: "Throughput",
      panels: [
        series("Transactions", "ops", "Transactions that were committed.", [query(commits, "{{database}}")], {
          min: 0,
          width: 8,
        }),
        series(
          "Rollbacks",
          "percentunit",
          "Share of the transactions that were rolled back.",
          [query(`${rollbacks} / clamp_min(${commits} + ${rollbacks}, 1e-9)`, "{{database}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Rows changed",
          "ops",
          "Rows that were inserted, updated and deleted.",
          [
            query(
              `sum(rate(pgplatform_database_rows_inserted_total{${databases}}[$__rate_interval]))`,
              "inserted",
            ),
            query(
              `sum(rate(pgplatform_database_rows_updated_total{${databases}}[$__rate_interval]))`,
              "updated",
            ),
            query(
              `sum(rate(pgplatform_database_rows_deleted_total{${databases}}[$__rate_interval]))`,
              "deleted",
            ),
          ],
          { min: 0, width: 8, stacked: true },
        ),
        series(
          "Rows read",
          "ops",
          "Rows that scans returned, and those of them that an index found.",
          [
            query(
              `sum(rate(pgplatform_database_rows_returned_total{${databases}}[$__rate_interval]))`,
              "returned",
            ),
            query(
              `sum(rate(pgplatform_database_rows_fetched_total{${databases}}[$__rate_interval]))`,
              "fetched by index",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Cache hits",
          "percentunit",
          "Share of the blocks that PostgreSQL had in its own cache.",
          [query(`1 - ${read} / clamp_min(${hit} + ${read}, 1)`, "{{database}}")],
          { max: 1, width: 8 },
        ),
        series(
          "Temporary files",
          "Bps",
          "What sorts and hashes wrote since work_mem was too small.",
          [query(perSecond("database_temp_bytes_total", "database"), "{{database}}")],
          { min: 0, width: 8 },
        ),
      ],
    },
    {
      title: "Connections and waits",
      panels: [
        series(
          "Connections by state",
          "none",
          "What the clients' connections do.",
          [query(`sum by (state) (pgplatform_connections_count{${databases}})`, "{{state}}")],
          { min: 0, stacked: true, width: 8 },
        ),
        series(
          "Connections by database",
          "none",
          "Connections of clients.",
          [query(`sum by (database) (pgplatform_database_connections{${databases}})`, "{{database}}")],
          { min: 0, stacked: true, width: 8 },
        ),
        series(
          "Sessions that wait for a lock",
          "none",
          "Sessions that another one blocks.",
          [query(`sum by (database) (${peak(`pgplatform_blocked_sessions{${databases}}`)})`, "{{database}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Longest query, transaction and idle transaction",
          "s",
          "The oldest of each kind.",
          [
            query(`max(${peak(`pgplatform_activity_longest_query_seconds{${databases}}`)})`, "query"),
            query(
              `max(${peak(`pgplatform_activity_longest_transaction_seconds{${databases}}`)})`,
              "transaction",
            ),
            query(
              `max(${peak(`pgplatform_activity_longest_idle_in_transaction_seconds{${databases}}`)})`,
              "idle in transaction",
            ),
          ],
          { min: 0, steps: near(limits.longTransaction), width: 8 },
        ),
        series(
          "Locks",
          "none",
          "Locks that are held or waited for, by mode.",
          [query(`sum by (mode) (pgplatform_locks_count{${databases}})`, "{{mode}}")],
          { min: 0, stacked: true, width: 8 },
        ),
        series(
          "Deadlocks",
          "none",
          "Deadlocks in the last five minutes.",
          [
            query(
              `sum by (database) (increase(pgplatform_database_deadlocks_total{${databases}}[5m]))`,
              "{{database}}",
            ),
          ],
          { min: 0, steps: noneWanted, width: 8 },
        ),
        stat(
          "Prepared transactions",
          "none",
          "Transactions that wait for COMMIT PREPARED: each holds locks and rows.",
          [query(`max(pgplatform_prepared_transactions{${instances}})`, "prepared")],
          { steps: noneWanted, width: 6 },
        ),
        stat(
          "Longest wait for a lock",
          "s",
          "The session that has been blocked for the longest time.",
          [query(`max(pgplatform_blocked_longest_seconds{${databases}})`, "wait")],
          { steps: near(limits.blocked), width: 6 },
        ),
        stat(
          "Oldest snapshot",
          "short",
          "Transactions since the oldest one that may still be seen: vacuum keeps all rows that are newer.",
          [query(`max(pgplatform_activity_oldest_xmin_age{${databases}})`, "transactions")],
          { steps: above(10_000_000, 100_000_000), width: 6 },
        ),
        stat(
          "Settings that wait for a restart",
          "none",
          "Parameters whose new value isn't in use yet.",
          [query(`max(pgplatform_server_pending_restart{${instances}})`, "settings")],
          {
            steps: [
              [null, "green"],
              [1, "orange"],
            ],
            width: 6,
          },
        ),
      ],
    },
    {
      title: "Statements",
      panels: [
        table(
          "Statements by time",
          "none",
          "Those that took the most time in the last five minutes, by the ID in pg_stat_statements.",
          [
            query(
              `sum by (database, user, queryid) (rate(pgplatform_statements_seconds_total{${databases}}[5m]))`,
              "Time a second",
              { unit: "s", needsEvent: needs.statements },
            ),
            query(
              `sum by (database, user, queryid) (rate(pgplatform_statements_calls_total{${databases}}[5m]))`,
              "Calls a second",
              {
                unit: "ops",
                needsEvent: needs.statements,
              },
            ),
            query(
              mean(
                `sum by (database, user, queryid) (rate(pgplatform_statements_seconds_total{${databases}}[5m]))`,
                `sum by (database, user, queryid) (rate(pgplatform_statements_calls_total{${databases}}[5m]))`,
              ),
              "Mean",
              { unit: "s", needsEvent: needs.statements },
            ),
            query(
              `sum by (database, user, queryid) (rate(pgplatform_statements_rows_total{${databases}}[5m]))`,
              "Rows a second",
              {
                unit: "ops",
                needsEvent: needs.statements,
              },
            ),
            query(
              `sum by (database, user, queryid) (rate(pgplatform_statements_temp_blocks_total{${databases}}[5m]))`,
              "Temporary blocks a second",
              {
                unit: "ops",
                needsEvent: needs.statements,
              },
            ),
          ],
          { labels: { database: "Database", user: "User", queryid: "Statement" }, sortBy: "Time a second" },
        ),
        bars(
          "Time by user",
          "s",
          "Seconds that statements took in each second, by user.",
          [
            query(
              `sort_desc(sum by (user) (rate(pgplatform_statements_seconds_total{${databases}}[5m])))`,
              "{{user}}",
              {
                needsEvent: needs.statements,
              },
            ),
          ],
          { min: 0 },
        ),
        bars(
          "Blocks read by user",
          "ops",
          "Blocks that statements had to fetch from the operating system.",
          [
            query(
              `sort_desc(sum by (user) (rate(pgplatform_statements_blocks_read_total{${databases}}[5m])))`,
              "{{user}}",
              {
                needsEvent: needs.statements,
              },
            ),
          ],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Reads and writes",
      panels: [
        series(
          "Blocks read",
          "ops",
          "Blocks that weren't in PostgreSQL's own cache.",
          [query(read, "{{database}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Time in reads and writes",
          "s",
          "Seconds a second. track_io_timing must be on.",
          [
            query(
              `sum(rate(pgplatform_database_read_seconds_total{${databases}}[$__rate_interval]))`,
              "reads",
            ),
            query(
              `sum(rate(pgplatform_database_write_seconds_total{${databases}}[$__rate_interval]))`,
              "writes",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Reads and writes by backend",
          "ops",
          "By the kind of process, from pg_stat_io.",
          [
            query(
              `sum by (backend) (rate(pgplatform_io_reads_total{${instances}}[$__rate_interval]))`,
              "{{backend}} reads",
              {
                needsEvent: needs.io,
              },
            ),
            query(
              `sum by (backend) (rate(pgplatform_io_writes_total{${instances}}[$__rate_interval]))`,
              "{{backend}} writes",
              {
                needsEvent: needs.io,
              },
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "WAL written",
          "Bps",
          "By instance.",
          [query(perSecond("wal_bytes_total", "instance", instances), "{{instance}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Full pages in WAL",
          "ops",
          "Pages that were written whole since they changed for the first time after a checkpoint.",
          [query(perSecond("wal_full_page_images_total", "instance", instances), "{{instance}}")],
          { min: 0, width: 8 },
        ),
        series(
          "WAL buffers full",
          "ops",
          "Times that WAL was written early since wal_buffers was full.",
          [query(perSecond("wal_buffers_full_total", "instance", instances), "{{instance}}")],
          { min: 0, width: 8 },
        ),
      ],
    },
    {
      title: "Checkpoints and vacuum",
      panels: [
        series(
          "Checkpoints",
          "none",
          "In an hour: by time, and asked for. Many that are asked for mean that max_wal_size is too small.",
          [
            query(`sum(increase(pgplatform_checkpoints_timed_total{${instances}}[1h]))`, "by time"),
            query(`sum(increase(pgplatform_checkpoints_requested_total{${instances}}[1h]))`, "asked for"),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Time of checkpoints",
          "s",
          "Seconds a second that checkpoints write and sync.",
          [
            query(
              `sum(rate(pgplatform_checkpoints_write_seconds_total{${instances}}[$__rate_interval]))`,
              "write",
            ),
            query(
              `sum(rate(pgplatform_checkpoints_sync_seconds_total{${instances}}[$__rate_interval]))`,
              "sync",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Buffers written",
          "ops",
          "By the checkpointer and by the background writer; and buffers that were allocated.",
          [
            query(
              `sum(rate(pgplatform_checkpoints_buffers_written_total{${instances}}[$__rate_interval]))`,
              "checkpointer",
            ),
            query(
              `sum(rate(pgplatform_bgwriter_buffers_cleaned_total{${instances}}[$__rate_interval]))`,
              "background writer",
            ),
            query(
              `sum(rate(pgplatform_bgwriter_buffers_allocated_total{${instances}}[$__rate_interval]))`,
              "allocated",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Vacuum",
          "none",
          "Vacuums that run, and how many autovacuum may run.",
          [
            query(`max(pgplatform_vacuum_running{${instances}})`, "running"),
            query(`max(pgplatform_vacuum_workers{${instances}})`, "autovacuum workers"),
            query(`max(pgplatform_vacuum_max_workers{${instances}})`, "most workers"),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Longest vacuum",
          "s",
          "The vacuum that has run for the longest time.",
          [query(`max by (instance) (pgplatform_vacuum_longest_seconds{${instances}})`, "{{instance}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Transaction IDs used",
          "percentunit",
          "Share of the transaction IDs and multixact IDs before wraparound stops the server.",
          [
            query(
              `max by (database) (pgplatform_wraparound_transaction_age{${databases}}) / 2^31`,
              "{{database}}",
            ),
            query(
              `max by (database) (pgplatform_wraparound_multixact_age{${databases}}) / 2^31`,
              "{{database}} multixacts",
            ),
          ],
          { min: 0, max: 1, steps: above(limits.wraparoundHigh, limits.wraparoundRisk), width: 8 },
        ),
      ],
    },
  ],
});
