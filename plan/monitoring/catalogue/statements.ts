import { database, type Group, total, totalSeconds } from "./types";

/** Statements by pg_stat_statements; their texts are in that view, not in labels. */

export const statementGroups: readonly Group[] = [
  {
    name: "statements",
    about: "The statements that took the most time, as many as monitoring.statements.top",
    labels: [
      database,
      { name: "user", help: "role that ran it" },
      { name: "queryid", help: "identifier of the statement in pg_stat_statements, which has its text" },
    ],
    columns: [
      total("calls_total", "executions"),
      totalSeconds("seconds_total", "time of executions"),
      total("rows_total", "rows that it gave or changed"),
      total("blocks_hit_total", "blocks found in shared buffers"),
      total("blocks_read_total", "blocks read"),
      total("temp_blocks_total", "blocks of temporary files read and written"),
    ],
    where: "server",
    on: "all",
    cost: "moderate",
    limit: ({ statements }) => statements,
    needs: ["pg_stat_statements"],
    when: "current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'",
    sql: ({ statements }) =>
      statements === 0
        ? undefined
        : `
SELECT coalesce(d.datname, '') AS database, coalesce(u.rolname, '') AS "user", s.queryid::text AS queryid,
  sum(s.calls) AS calls_total, sum(s.total_exec_time) / 1000 AS seconds_total, sum(s.rows) AS rows_total,
  sum(s.shared_blks_hit) AS blocks_hit_total, sum(s.shared_blks_read) AS blocks_read_total,
  sum(s.temp_blks_read + s.temp_blks_written) AS temp_blocks_total
FROM pg_stat_statements(false) s LEFT JOIN pg_database d ON d.oid = s.dbid LEFT JOIN pg_roles u ON u.oid = s.userid
WHERE s.queryid IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 5 DESC LIMIT ${statements}`,
  },
];
