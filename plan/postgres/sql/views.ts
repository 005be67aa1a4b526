import { platformSchema } from "../../names";

/**
 * Sizes and use, for people and dashboards: what each database, table and index takes. Each role sees what its own rights allow; they are
 * read as `pgplatform.v_table_sizes`.
 */

const view = (name: string, query: string): string =>
  `CREATE OR REPLACE VIEW ${platformSchema}.${name} WITH (security_invoker = true) AS\n${query}`;

const views: Readonly<Record<string, string>> = {
  v_database_size: `SELECT d.datname AS database, pg_database_size(d.oid) AS bytes, pg_size_pretty(pg_database_size(d.oid)) AS size
FROM pg_database d
WHERE d.datallowconn AND has_database_privilege(d.oid, 'CONNECT')
ORDER BY 2 DESC`,
  v_table_sizes: `SELECT n.nspname AS schema, c.relname AS "table", greatest(c.reltuples, 0)::bigint AS estimated_rows,
  pg_total_relation_size(c.oid) AS total_bytes, pg_table_size(c.oid) AS table_bytes, pg_indexes_size(c.oid) AS index_bytes,
  pg_size_pretty(pg_total_relation_size(c.oid)) AS size
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 4 DESC`,
  v_index_usage: `SELECT s.schemaname AS schema, s.relname AS "table", s.indexrelname AS index, s.idx_scan AS scans,
  s.idx_tup_read AS rows_read, s.idx_tup_fetch AS rows_fetched, i.indisunique AS is_unique,
  pg_relation_size(s.indexrelid) AS bytes, pg_size_pretty(pg_relation_size(s.indexrelid)) AS size
FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
ORDER BY 4, 8 DESC`,
};

/** The schema must be there. */
export const viewStatements: readonly string[] = [
  `GRANT USAGE ON SCHEMA ${platformSchema} TO PUBLIC`,
  ...Object.entries(views).map(([name, query]) => view(name, query)),
  `GRANT SELECT ON ${Object.keys(views)
    .map((name) => `${platformSchema}.${name}`)
    .join(", ")} TO PUBLIC`,
];
