import { database, gauge, type Group, seconds } from "./types";

/** Sessions, what they run, and what they wait for. */

/** Databases that the whole server's views are told by; templates are left out. */
const databases = `
  SELECT oid, datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY pg_database.oid LIMIT 50`;

export const sessionGroups: readonly Group[] = [
  {
    name: "connections",
    about: "Sessions of clients by what they do",
    labels: [
      database,
      { name: "state", help: "active, idle, idle in transaction (aborted ones too), or other" },
    ],
    columns: [gauge("count", "sessions")],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 200,
    sql: () => `
WITH d AS (${databases})
SELECT d.datname AS database, s.state, count(a.pid) AS count
FROM d CROSS JOIN (VALUES ('active'), ('idle'), ('idle in transaction'), ('other')) AS s(state)
  LEFT JOIN pg_stat_activity a ON a.datid = d.oid AND a.backend_type = 'client backend' AND s.state = CASE
    WHEN a.state IN ('active', 'idle') THEN a.state
    WHEN a.state LIKE 'idle in transaction%' THEN 'idle in transaction'
    ELSE 'other' END
GROUP BY d.datname, s.state`,
  },
  {
    name: "activity",
    about: "What takes long",
    labels: [database],
    columns: [
      seconds("longest_query_seconds", "how long the longest running query has run"),
      seconds("longest_transaction_seconds", "age of the oldest transaction"),
      seconds(
        "longest_idle_in_transaction_seconds",
        "how long the longest idle transaction has done nothing",
      ),
      gauge("waiting", "sessions that wait for a lock"),
      gauge(
        "oldest_xmin_age",
        "transactions since the oldest snapshot that a session holds; VACUUM keeps what is younger",
      ),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 50,
    sql: () => `
WITH d AS (${databases})
SELECT d.datname AS database,
  coalesce(extract(epoch FROM max(clock_timestamp() - a.query_start) FILTER (WHERE a.state = 'active')), 0)::float8 AS longest_query_seconds,
  coalesce(extract(epoch FROM max(clock_timestamp() - a.xact_start)), 0)::float8 AS longest_transaction_seconds,
  coalesce(extract(epoch FROM max(clock_timestamp() - a.state_change) FILTER (WHERE a.state LIKE 'idle in transaction%')), 0)::float8
    AS longest_idle_in_transaction_seconds,
  count(a.pid) FILTER (WHERE a.wait_event_type = 'Lock') AS waiting,
  coalesce(max(age(a.backend_xmin)), 0) AS oldest_xmin_age
FROM d LEFT JOIN pg_stat_activity a
  ON a.datid = d.oid AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
GROUP BY d.datname`,
  },
  {
    name: "locks",
    about: "Locks that are held or waited for",
    labels: [database, { name: "mode", help: "mode of the lock" }],
    columns: [gauge("count", "locks on relations and transactions")],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 400,
    sql: () => `
WITH d AS (${databases})
SELECT d.datname AS database, m.mode, count(l.pid) AS count
FROM d CROSS JOIN (VALUES ('AccessShareLock'), ('RowShareLock'), ('RowExclusiveLock'), ('ShareUpdateExclusiveLock'),
    ('ShareLock'), ('ShareRowExclusiveLock'), ('ExclusiveLock'), ('AccessExclusiveLock')) AS m(mode)
  LEFT JOIN pg_locks l ON l.database = d.oid AND l.mode = m.mode AND l.pid <> pg_backend_pid()
GROUP BY d.datname, m.mode`,
  },
  {
    name: "blocked",
    about: "Sessions that others block",
    labels: [database],
    columns: [
      gauge("sessions", "sessions that wait for a lock which another one holds"),
      seconds("longest_seconds", "how long the longest of them has waited"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 50,
    sql: () => `
WITH d AS (${databases})
SELECT d.datname AS database, count(DISTINCT l.pid) AS sessions,
  coalesce(extract(epoch FROM max(clock_timestamp() - l.waitstart)), 0)::float8 AS longest_seconds
FROM d LEFT JOIN pg_stat_activity a ON a.datid = d.oid
  LEFT JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
GROUP BY d.datname`,
  },
];
