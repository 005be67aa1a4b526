import { bytes, database, gauge, type Group, ratio, schema, seconds, table, total } from "./types";

/**
 * Tables and indexes, in each database. Sizes are asked of relations that nothing locks alone: the query would wait for the others. A table's size is that of
 * its indexes and its TOAST table, too.
 */

const locked = `held AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), indexed AS (
  SELECT relation FROM held UNION SELECT i.indrelid FROM pg_index i JOIN held h ON i.indexrelid = h.relation
), locked AS MATERIALIZED (
  SELECT relation FROM indexed UNION SELECT c.oid FROM pg_class c JOIN indexed i ON c.reltoastrelid = i.relation
)`;
const block = "current_setting('block_size')::bigint";
/** Rows of a table of statistics `s` and of pg_class `c`: after a crash or a failover the statistics begin at 0, and VACUUM or ANALYZE has counted before. */
const live = "greatest(s.n_live_tup, c.reltuples, 0)::float8";
const own = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

export const relationGroups: readonly Group[] = [
  {
    name: "tables",
    about: "All tables of a database together",
    labels: [database],
    columns: [
      gauge("count", "tables"),
      gauge("live_rows", "rows, estimated"),
      gauge("dead_rows", "dead rows, estimated"),
      gauge(
        "never_vacuumed",
        "tables with dead rows that no VACUUM was ever run on since statistics were reset",
      ),
      seconds(
        "oldest_autovacuum_seconds",
        "time since the VACUUM that was longest ago, of the tables that had one; -1: none had",
      ),
    ],
    where: "database",
    on: "all",
    cost: "moderate",
    limit: () => 1,
    sql: () => `
SELECT current_database() AS database, count(*) AS count, coalesce(sum(${live}) FILTER (WHERE c.relkind <> 'p'), 0) AS live_rows,
  coalesce(sum(n_dead_tup), 0) AS dead_rows,
  count(*) FILTER (WHERE last_vacuum IS NULL AND last_autovacuum IS NULL AND n_dead_tup > 0) AS never_vacuumed,
  coalesce(extract(epoch FROM max(clock_timestamp() - greatest(last_vacuum, last_autovacuum))), -1)::float8 AS oldest_autovacuum_seconds
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid`,
  },
  {
    name: "table",
    about: "The largest tables of a database",
    labels: [database, schema, table],
    columns: [
      bytes("size_bytes", "size without indexes"),
      bytes("indexes_bytes", "size of its indexes"),
      gauge("rows", "rows, estimated"),
      gauge("dead_rows", "dead rows, estimated"),
      total("sequential_scans_total", "sequential scans"),
      total("index_scans_total", "index scans"),
      gauge("changes_since_analyze", "rows changed since the last ANALYZE, estimated"),
      seconds("vacuum_age_seconds", "time since the last VACUUM; -1: never"),
    ],
    where: "database",
    on: "all",
    cost: "expensive",
    limit: ({ largest }) => largest,
    sql: ({ largest }) => `
WITH ${locked}, largest AS (
  SELECT c.oid, n.nspname, c.relname, c.reltuples
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND ${own} AND c.oid NOT IN (SELECT relation FROM locked)
  ORDER BY pg_relation_size(c.oid) DESC NULLS LAST, c.oid LIMIT ${largest}
)
SELECT current_database() AS database, c.nspname AS schema, c.relname AS "table",
  coalesce(pg_table_size(c.oid), 0) AS size_bytes, coalesce(pg_indexes_size(c.oid), 0) AS indexes_bytes,
  ${live} AS rows, coalesce(s.n_dead_tup, 0) AS dead_rows,
  coalesce(s.seq_scan, 0) AS sequential_scans_total, coalesce(s.idx_scan, 0) AS index_scans_total,
  coalesce(s.n_mod_since_analyze, 0) AS changes_since_analyze,
  coalesce(extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum)), -1)::float8 AS vacuum_age_seconds
FROM largest c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid`,
  },
  {
    name: "bloat",
    about:
      "Tables with the most dead rows, by the space that these take. Space that VACUUM has freed is not counted: only a superuser could estimate it",
    labels: [database, schema, table],
    columns: [
      bytes("bytes", "space of dead rows, estimated by their share"),
      ratio("ratio", "share of dead rows, 0 to 1"),
    ],
    where: "database",
    on: "primary",
    cost: "expensive",
    limit: ({ largest }) => Math.ceil(largest / 2),
    sql: ({ largest }) => `
SELECT current_database() AS database, s.schemaname AS schema, s.relname AS "table",
  (c.relpages * ${block} * s.n_dead_tup / (${live} + s.n_dead_tup))::bigint AS bytes,
  s.n_dead_tup / (${live} + s.n_dead_tup) AS ratio
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE NOT pg_is_in_recovery() AND ${live} + s.n_dead_tup > 0
ORDER BY 4 DESC, s.relid LIMIT ${Math.ceil(largest / 2)}`,
  },
  {
    name: "indexes",
    about: "All indexes of a database together",
    labels: [database],
    columns: [
      gauge("count", "indexes"),
      gauge("unused", "indexes that no scan used since statistics were reset, without those of constraints"),
      bytes("unused_bytes", "size of those, as of the last VACUUM or ANALYZE"),
      gauge("invalid", "indexes that queries can't use, as a failed CREATE INDEX CONCURRENTLY leaves them"),
      bytes("bytes", "size of all, as of the last VACUUM or ANALYZE"),
    ],
    where: "database",
    on: "all",
    cost: "moderate",
    limit: () => 1,
    sql: () => `
SELECT current_database() AS database, count(*) AS count,
  count(*) FILTER (WHERE unused) AS unused, coalesce(sum(pages) FILTER (WHERE unused), 0) * ${block} AS unused_bytes,
  count(*) FILTER (WHERE NOT valid) AS invalid, coalesce(sum(pages), 0) * ${block} AS bytes
FROM (
  SELECT c.relpages::bigint AS pages, i.indisvalid AS valid,
    s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisexclusion AS unused
  FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid) JOIN pg_class c ON c.oid = s.indexrelid
) x`,
  },
  {
    name: "index",
    about: "The largest indexes of a database",
    labels: [database, schema, table, { name: "index", help: "index" }],
    columns: [bytes("size_bytes", "size"), total("scans_total", "scans")],
    where: "database",
    on: "all",
    cost: "expensive",
    limit: ({ largest }) => largest,
    sql: ({ largest }) => `
WITH ${locked}
SELECT current_database() AS database, s.schemaname AS schema, s.relname AS "table", s.indexrelname AS index,
  coalesce(pg_relation_size(s.indexrelid), 0) AS size_bytes, s.idx_scan AS scans_total
FROM pg_stat_user_indexes s
WHERE s.indexrelid NOT IN (SELECT relation FROM locked) AND s.relid NOT IN (SELECT relation FROM locked)
ORDER BY 5 DESC, s.indexrelid LIMIT ${largest}`,
  },
];
