import { literal } from "../../postgres/sql/text";
import { flag, gauge, type Group, seconds, timestamp, total, totalSeconds } from "./types";

/** The server as a whole. */

/** Parameters that charts and alerts compare with, in bytes, seconds or counts. */
export const settingNames: readonly string[] = [
  "archive_timeout",
  "autovacuum",
  "autovacuum_freeze_max_age",
  "autovacuum_max_workers",
  "autovacuum_multixact_freeze_max_age",
  "autovacuum_vacuum_cost_delay",
  "autovacuum_vacuum_scale_factor",
  "checkpoint_completion_target",
  "checkpoint_timeout",
  "effective_cache_size",
  "hot_standby_feedback",
  "idle_in_transaction_session_timeout",
  "maintenance_work_mem",
  "max_connections",
  "max_locks_per_transaction",
  "max_parallel_workers",
  "max_prepared_transactions",
  "max_replication_slots",
  "max_slot_wal_keep_size",
  "max_standby_streaming_delay",
  "max_wal_senders",
  "max_wal_size",
  "max_worker_processes",
  "min_wal_size",
  "shared_buffers",
  "statement_timeout",
  "temp_file_limit",
  "wal_buffers",
  "wal_keep_size",
  "work_mem",
];

export const serverGroups: readonly Group[] = [
  {
    name: "server",
    about: "The server",
    labels: [],
    columns: [
      flag("up", "1 where the server answers; absent where it doesn't"),
      timestamp("start_time_seconds", "when the server started, as Unix time"),
      flag("in_recovery", "1 on a standby"),
      gauge("timeline", "timeline that WAL is written or received on; a promotion begins another one"),
      gauge("version_num", "version of the server as a number, such as 170006"),
      gauge("max_connections", "sessions that the server can have"),
      gauge("reserved_connections", "those of them that are for superusers and reserved roles"),
      gauge("connections", "sessions of clients"),
      timestamp("reload_time_seconds", "when the configuration was last loaded, as Unix time"),
      gauge("pending_restart", "parameters whose new value waits for a restart"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: ({ major }) => `
SELECT 1 AS up, extract(epoch FROM pg_postmaster_start_time())::float8 AS start_time_seconds,
  pg_is_in_recovery()::int AS in_recovery,
  CASE WHEN pg_is_in_recovery()
    THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint()))
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
  END AS timeline,
  current_setting('server_version_num')::int AS version_num,
  current_setting('max_connections')::int AS max_connections,
  current_setting('superuser_reserved_connections')::int${major >= 16 ? " + current_setting('reserved_connections')::int" : ""} AS reserved_connections,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
  extract(epoch FROM pg_conf_load_time())::float8 AS reload_time_seconds,
  (SELECT count(*) FROM pg_settings WHERE pending_restart) AS pending_restart`,
  },
  {
    name: "setting",
    about: "Parameters that matter",
    labels: [{ name: "name", help: "parameter" }],
    columns: [
      {
        ...gauge("value", "value in bytes, seconds or as a number; -1 is PostgreSQL's -1, on is 1"),
        unit: "any",
      },
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => settingNames.length,
    sql: () => `
SELECT name, CASE
    WHEN vartype = 'bool' THEN (setting = 'on')::int::float8
    WHEN setting::float8 < 0 THEN setting::float8
    ELSE setting::float8 * CASE unit WHEN 'B' THEN 1 WHEN 'kB' THEN 1024 WHEN '8kB' THEN 8192 WHEN 'MB' THEN 1048576
      WHEN 'ms' THEN 0.001 WHEN 's' THEN 1 WHEN 'min' THEN 60 ELSE 1 END
  END AS value
FROM pg_settings
WHERE name IN (${settingNames.map(literal).join(", ")}) AND vartype IN ('bool', 'integer', 'real')`,
  },
  {
    name: "prepared",
    about: "Prepared transactions (two-phase commit)",
    labels: [],
    columns: [
      gauge("transactions", "transactions that are prepared and wait for their end"),
      seconds("oldest_seconds", "age of the oldest of them"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: () => `
SELECT count(*) AS transactions,
  coalesce(extract(epoch FROM max(clock_timestamp() - prepared)), 0)::float8 AS oldest_seconds
FROM pg_prepared_xacts`,
  },
  {
    name: "vacuum",
    about: "VACUUM at work",
    labels: [],
    columns: [
      gauge("running", "VACUUMs that run, by autovacuum or by hand"),
      gauge("workers", "autovacuum workers that run"),
      gauge("max_workers", "autovacuum workers that may run"),
      seconds("longest_seconds", "how long the longest VACUUM has run"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: () => `
SELECT (SELECT count(*) FROM pg_stat_progress_vacuum) AS running,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker') AS workers,
  current_setting('autovacuum_max_workers')::int AS max_workers,
  coalesce((SELECT extract(epoch FROM max(clock_timestamp() - a.query_start))
    FROM pg_stat_progress_vacuum v JOIN pg_stat_activity a USING (pid)), 0)::float8 AS longest_seconds`,
  },
  {
    name: "checkpoints",
    about: "Checkpoints",
    labels: [],
    columns: [
      total("timed_total", "checkpoints that checkpoint_timeout asked for"),
      total("requested_total", "checkpoints that were asked for otherwise, as by the amount of WAL"),
      totalSeconds("write_seconds_total", "time spent writing buffers"),
      totalSeconds("sync_seconds_total", "time spent synchronizing files"),
      total("buffers_written_total", "buffers written by checkpoints"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: ({ major }) =>
      major >= 17
        ? `
SELECT num_timed AS timed_total, num_requested AS requested_total, write_time / 1000 AS write_seconds_total,
  sync_time / 1000 AS sync_seconds_total, buffers_written AS buffers_written_total
FROM pg_stat_checkpointer`
        : `
SELECT checkpoints_timed AS timed_total, checkpoints_req AS requested_total,
  checkpoint_write_time / 1000 AS write_seconds_total, checkpoint_sync_time / 1000 AS sync_seconds_total,
  buffers_checkpoint AS buffers_written_total
FROM pg_stat_bgwriter`,
  },
  {
    name: "bgwriter",
    about: "Background writer",
    labels: [],
    columns: [
      total("buffers_cleaned_total", "buffers written by the background writer"),
      total("stopped_total", "times it stopped because it had written bgwriter_lru_maxpages"),
      total("buffers_allocated_total", "buffers allocated"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: () => `
SELECT buffers_clean AS buffers_cleaned_total, maxwritten_clean AS stopped_total, buffers_alloc AS buffers_allocated_total
FROM pg_stat_bgwriter`,
  },
  {
    name: "io",
    about: "Reads and writes, from PostgreSQL 16 on; what does nothing has no rows",
    labels: [
      { name: "backend", help: "type of the process" },
      { name: "object", help: "relation, temp relation, or wal from 18 on" },
      { name: "context", help: "normal, vacuum, bulkread, bulkwrite, or init from 18 on" },
    ],
    columns: [
      total("reads_total", "read operations"),
      total("writes_total", "write operations"),
      totalSeconds("read_seconds_total", "time of reads, counted with track_io_timing"),
      totalSeconds("write_seconds_total", "time of writes, counted with track_io_timing"),
      total("extends_total", "operations that made files longer"),
      total("hits_total", "blocks that were found in shared buffers"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 100,
    sql: ({ major }) =>
      major < 16
        ? undefined
        : `
SELECT backend_type AS backend, object, context, coalesce(reads, 0) AS reads_total, coalesce(writes, 0) AS writes_total,
  coalesce(read_time, 0) / 1000 AS read_seconds_total, coalesce(write_time, 0) / 1000 AS write_seconds_total,
  coalesce(extends, 0) AS extends_total, coalesce(hits, 0) AS hits_total
FROM pg_stat_io
WHERE coalesce(reads, 0) + coalesce(writes, 0) + coalesce(extends, 0) + coalesce(hits, 0) > 0`,
  },
];
