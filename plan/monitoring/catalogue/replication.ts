import { bytes, flag, gauge, type Group, seconds, total, totalBytes } from "./types";

/** WAL, its archive, and who receives it. */

/** Standbys among what receives WAL: not the tools of backups, not what decodes changes. */
const standbys = `
  SELECT r.* FROM pg_stat_replication r
  WHERE r.state <> 'backup' AND r.application_name NOT LIKE 'pg\\_%' AND r.application_name NOT LIKE 'barman%'
    AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')`;

/** Position of the WAL: what is written on a primary, what is replayed on a standby. */
const position = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END";

export const replicationGroups: readonly Group[] = [
  {
    name: "wal",
    about: "Write-ahead log",
    labels: [],
    columns: [
      totalBytes("bytes_total", "WAL generated"),
      total("records_total", "WAL records generated"),
      total("full_page_images_total", "full page images generated"),
      total("buffers_full_total", "times that WAL was written because its buffers were full"),
      {
        ...totalBytes("position_bytes", "position in the WAL: written on a primary, replayed on a standby"),
        type: "gauge",
      },
      bytes("directory_bytes", "size of the files in pg_wal"),
      gauge("segments", "files in pg_wal"),
    ],
    where: "server",
    on: "all",
    cost: "moderate",
    limit: () => 1,
    sql: () => `
SELECT w.wal_bytes AS bytes_total, w.wal_records AS records_total, w.wal_fpi AS full_page_images_total,
  w.wal_buffers_full AS buffers_full_total, pg_wal_lsn_diff(${position}, '0/0') AS position_bytes,
  f.bytes AS directory_bytes, f.files AS segments
FROM pg_stat_wal w, (SELECT coalesce(sum(size), 0) AS bytes, count(*) AS files FROM pg_ls_waldir()) f`,
  },
  {
    name: "archiver",
    about: "Archiving of WAL",
    labels: [],
    columns: [
      total("archived_total", "files archived"),
      total("failed_total", "failed attempts"),
      seconds("archived_age_seconds", "time since a file was archived; -1: never"),
      seconds("failed_age_seconds", "time since an attempt failed; -1: never"),
      flag("failing", "1 if the last attempt failed"),
      gauge("ready_files", "files that wait to be archived"),
    ],
    where: "server",
    on: "all",
    cost: "moderate",
    limit: () => 1,
    sql: () => `
SELECT archived_count AS archived_total, failed_count AS failed_total,
  coalesce(extract(epoch FROM clock_timestamp() - last_archived_time), -1)::float8 AS archived_age_seconds,
  coalesce(extract(epoch FROM clock_timestamp() - last_failed_time), -1)::float8 AS failed_age_seconds,
  coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)::int AS failing,
  (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS ready_files
FROM pg_stat_archiver`,
  },
  {
    name: "replication",
    about: "Standbys, as the primary sees them",
    labels: [
      { name: "standby", help: "instance that receives" },
      { name: "sync_state", help: "async, potential, sync or quorum" },
    ],
    columns: [
      flag("streaming", "1 while it streams"),
      flag("synchronous", "1 if commits wait for it"),
      bytes("sent_lag_bytes", "WAL that wasn't sent yet"),
      bytes("replay_lag_bytes", "WAL that it hasn't replayed"),
      seconds("write_lag_seconds", "until it wrote what was flushed here"),
      seconds("flush_lag_seconds", "until it flushed it"),
      seconds("replay_lag_seconds", "until it replayed it"),
    ],
    where: "server",
    on: "primary",
    cost: "cheap",
    limit: () => 30,
    sql: () => `
SELECT r.application_name AS standby, r.sync_state, max((r.state = 'streaming')::int) AS streaming,
  max((r.sync_state IN ('sync', 'quorum'))::int) AS synchronous,
  coalesce(min(greatest(pg_wal_lsn_diff(${position}, r.sent_lsn), 0)), 0) AS sent_lag_bytes,
  coalesce(min(greatest(pg_wal_lsn_diff(${position}, r.replay_lsn), 0)), 0) AS replay_lag_bytes,
  coalesce(extract(epoch FROM min(r.write_lag)), 0)::float8 AS write_lag_seconds,
  coalesce(extract(epoch FROM min(r.flush_lag)), 0)::float8 AS flush_lag_seconds,
  coalesce(extract(epoch FROM min(r.replay_lag)), 0)::float8 AS replay_lag_seconds
FROM (${standbys}) r
WHERE NOT pg_is_in_recovery()
GROUP BY r.application_name, r.sync_state
ORDER BY r.application_name LIMIT 30`,
  },
  {
    name: "standbys",
    about: "How many standbys an instance has",
    labels: [],
    columns: [
      gauge("streaming", "standbys that stream from this instance"),
      gauge("synchronous", "those that commits wait for"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: () => `
SELECT count(*) FILTER (WHERE r.state = 'streaming') AS streaming,
  count(*) FILTER (WHERE r.state = 'streaming' AND r.sync_state IN ('sync', 'quorum')) AS synchronous
FROM (${standbys}) r`,
  },
  {
    name: "standby",
    about: "A standby, as it sees itself",
    labels: [],
    columns: [
      seconds(
        "lag_seconds",
        "age of the last replayed transaction; 0 if all that was received is replayed and more is received",
      ),
      flag("receiving", "1 while it streams from another instance"),
      flag("replay_paused", "1 if its replay was paused"),
      bytes("lag_bytes", "WAL that was flushed and isn't replayed"),
    ],
    where: "server",
    on: "standby",
    cost: "cheap",
    limit: () => 1,
    sql: () => `
SELECT CASE WHEN receiving AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
    ELSE greatest(coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0), 0) END::float8 AS lag_seconds,
  receiving::int AS receiving, (CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END)::int AS replay_paused,
  greatest(coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0), 0) AS lag_bytes
FROM (SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS receiving) s
WHERE pg_is_in_recovery()`,
  },
  {
    name: "slot",
    about: "Replication slots",
    labels: [
      { name: "slot", help: "name of the slot" },
      { name: "type", help: "physical or logical" },
    ],
    columns: [
      flag("active", "1 while a client reads it"),
      bytes("kept_bytes", "WAL that is kept for it"),
      bytes("safe_bytes", "WAL that can still be written before the slot loses some; -1: without limit"),
      flag("lost", "1 if WAL that it needs is gone"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 50,
    sql: () => `
SELECT slot_name AS slot, slot_type AS type, active::int AS active,
  greatest(coalesce(pg_wal_lsn_diff(${position}, restart_lsn), 0), 0) AS kept_bytes,
  CASE WHEN wal_status = 'lost' THEN 0 WHEN safe_wal_size IS NULL THEN -1 ELSE greatest(safe_wal_size, 0) END AS safe_bytes, coalesce(wal_status = 'lost', false)::int AS lost
FROM pg_replication_slots
ORDER BY slot_name LIMIT 50`,
  },
];
