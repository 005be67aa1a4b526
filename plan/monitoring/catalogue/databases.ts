import { bytes, database, gauge, type Group, total, totalBytes, totalSeconds } from "./types";

/** Each database as a whole. */

const ofDatabases = "d.datallowconn AND NOT d.datistemplate ORDER BY d.oid LIMIT 50";

export const databaseGroups: readonly Group[] = [
  {
    name: "database",
    about: "Size and use of each database",
    labels: [database],
    columns: [
      bytes("size_bytes", "size on disk"),
      gauge("connections", "sessions"),
      gauge("connection_limit", "sessions that it may have; -1: no limit of its own"),
      total("commits_total", "transactions committed"),
      total("rollbacks_total", "transactions rolled back"),
      total("blocks_read_total", "blocks read, from disk or the system's cache"),
      total("blocks_hit_total", "blocks found in shared buffers"),
      total("rows_returned_total", "rows that scans came by"),
      total("rows_fetched_total", "rows that index scans fetched"),
      total("rows_inserted_total", "rows inserted"),
      total("rows_updated_total", "rows updated"),
      total("rows_deleted_total", "rows deleted"),
      total("temp_files_total", "temporary files of queries"),
      totalBytes("temp_bytes_total", "bytes written to them"),
      total("deadlocks_total", "deadlocks"),
      total("conflicts_total", "queries cancelled on a standby because of recovery"),
      total("checksum_failures_total", "pages whose checksum didn't hold"),
      totalSeconds("read_seconds_total", "time of reads, counted with track_io_timing"),
      totalSeconds("write_seconds_total", "time of writes, counted with track_io_timing"),
    ],
    where: "server",
    on: "all",
    cost: "moderate",
    limit: () => 50,
    sql: () => `
SELECT d.datname AS database, pg_database_size(d.oid) AS size_bytes, coalesce(s.numbackends, 0) AS connections,
  d.datconnlimit AS connection_limit, s.xact_commit AS commits_total, s.xact_rollback AS rollbacks_total,
  s.blks_read AS blocks_read_total, s.blks_hit AS blocks_hit_total, s.tup_returned AS rows_returned_total,
  s.tup_fetched AS rows_fetched_total, s.tup_inserted AS rows_inserted_total, s.tup_updated AS rows_updated_total,
  s.tup_deleted AS rows_deleted_total, s.temp_files AS temp_files_total, s.temp_bytes AS temp_bytes_total,
  s.deadlocks AS deadlocks_total, s.conflicts AS conflicts_total, coalesce(s.checksum_failures, 0) AS checksum_failures_total,
  s.blk_read_time / 1000 AS read_seconds_total, s.blk_write_time / 1000 AS write_seconds_total
FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid
WHERE ${ofDatabases}`,
  },
  {
    name: "wraparound",
    about:
      "How far each database is from the wraparound of its transaction IDs: templates and closed ones too, which stop the server as well",
    labels: [database],
    columns: [
      gauge(
        "transaction_age",
        "transactions since the oldest that isn't frozen; the server stops before 2^31",
      ),
      gauge("multixact_age", "multixacts since the oldest that isn't frozen"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 50,
    sql: () => `
SELECT d.datname AS database, age(d.datfrozenxid) AS transaction_age, mxid_age(d.datminmxid) AS multixact_age
FROM pg_database d
ORDER BY greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) DESC, d.oid LIMIT 50`,
  },
  {
    name: "conflicts",
    about: "Queries on a standby that recovery cancelled",
    labels: [
      database,
      { name: "reason", help: "tablespace, lock, snapshot, bufferpin, deadlock; logicalslot from 16 on" },
    ],
    columns: [total("total", "queries cancelled")],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 300,
    sql: ({ major }) => `
SELECT d.datname AS database, r.reason, r.cancelled AS total
FROM (SELECT * FROM pg_database d WHERE ${ofDatabases}) d JOIN pg_stat_database_conflicts c ON c.datid = d.oid
  CROSS JOIN LATERAL (VALUES ('tablespace', c.confl_tablespace), ('lock', c.confl_lock), ('snapshot', c.confl_snapshot),
    ('bufferpin', c.confl_bufferpin), ('deadlock', c.confl_deadlock)${major >= 16 ? ", ('logicalslot', c.confl_active_logicalslot)" : ""}) AS r(reason, cancelled)`,
  },
];
