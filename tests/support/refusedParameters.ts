/** Server parameters that are refused, each with its sentence. */
export const refusedParameters: [path: string, value: unknown, sentence: string][] = [
  [
    "cluster.parameters",
    { shared_buffers: "400MB" },
    'pgplatform:cluster.parameters.shared_buffers: "400MB" is not allowed. Allowed: an amount of memory such as 128MB, at most 204MB (40 % of the memory limit). Fix: lower it, or leave it out: a quarter of the memory limit is the default.',
  ],
  [
    "cluster.parameters",
    { max_connections: 500 },
    "pgplatform:cluster.parameters.max_connections: must not be set (500): pgplatform:cluster.maxConnections is its setting. Fix: remove it.",
  ],
  [
    "cluster.parameters",
    { log_min_duration_statement: "5s" },
    'pgplatform:cluster.parameters.log_min_duration_statement: must not be set ("5s"): pgplatform:monitoring.logs.slowQuery is its setting. Fix: remove it.',
  ],
  [
    "cluster.parameters",
    { log_connections: true },
    "pgplatform:cluster.parameters.log_connections: must not be set (true): pgplatform:monitoring.logs.connections decides it. Fix: remove it.",
  ],
  [
    "cluster.parameters",
    { log_timezone: "Europe/Vienna" },
    'pgplatform:cluster.parameters.log_timezone: must not be set ("Europe/Vienna"): the platform sets it to UTC, in which lines of all instances compare. Fix: remove it.',
  ],
  [
    "cluster.parameters",
    { checkpoint_segments: 32 },
    "pgplatform:cluster.parameters.checkpoint_segments: must not be set (32): PostgreSQL removed it in version 9.5; max_wal_size replaces it. Fix: remove it.",
  ],
  [
    "cluster.parameters",
    { ssl_min_protocol_version: "TLSv1" },
    'pgplatform:cluster.parameters.ssl_min_protocol_version: must not be set ("TLSv1"): CloudNativePG sets it; TLS 1.3 is its lowest. Fix: remove it.',
  ],
  [
    "cluster.parameters",
    { work_memory: "8MB" },
    'pgplatform:cluster.parameters.work_memory: "8MB" is not allowed. Allowed: a parameter of PostgreSQL 17. Fix: did you mean work_mem? Correct it or remove it.',
  ],
  [
    "cluster.parameters",
    { xyzzy: 1 },
    "pgplatform:cluster.parameters.xyzzy: 1 is not allowed. Allowed: a parameter of PostgreSQL 17. Fix: correct it or remove it.",
  ],
  [
    "cluster.parameters",
    { "acme.limit": 1 },
    "pgplatform:cluster.parameters.acme.limit: 1 is not allowed. Allowed: a parameter of PostgreSQL 17, or of an extension: auth_delay, auto_explain, cron, hnsw, ivfflat, pg_failover_slots, pg_prewarm, pg_stat_kcache, pg_stat_statements, pg_trgm, pgaudit, plpgsql, postgres_fdw, timescaledb. Fix: correct it or remove it.",
  ],
  [
    "cluster.parameters",
    { work_mem: "8 MiB" },
    'pgplatform:cluster.parameters.work_mem: "8 MiB" is not allowed. Allowed: an amount of memory from 64 to 2147483647 kB, which a bare number counts. Fix: write a number, and one of B, kB, MB, GB, TB after it.',
  ],
  [
    "cluster.parameters",
    { work_mem: "32kB" },
    'pgplatform:cluster.parameters.work_mem: "32kB" is not allowed. Allowed: an amount of memory from 64 to 2147483647 kB, which a bare number counts. Fix: choose a value within the limits.',
  ],
  [
    "cluster.parameters",
    { statement_timeout: "5 minutes" },
    'pgplatform:cluster.parameters.statement_timeout: "5 minutes" is not allowed. Allowed: a time from 0 to 2147483647 ms, which a bare number counts. Fix: write a number, and one of us, ms, s, min, h, d after it.',
  ],
  [
    "cluster.parameters",
    { max_worker_processes: "many" },
    'pgplatform:cluster.parameters.max_worker_processes: "many" is not allowed. Allowed: a whole number from 0 to 262143. Fix: write a bare number.',
  ],
  [
    "cluster.parameters",
    { random_page_cost: -1 },
    "pgplatform:cluster.parameters.random_page_cost: -1 is not allowed. Allowed: a number of at least 0. Fix: choose a value within the limits.",
  ],
  [
    "cluster.parameters",
    { jit: "perhaps" },
    'pgplatform:cluster.parameters.jit: "perhaps" is not allowed. Allowed: on or off. Fix: set true or false.',
  ],
  [
    "cluster.parameters",
    { log_statement: "writes" },
    'pgplatform:cluster.parameters.log_statement: "writes" is not allowed. Allowed: none, ddl, mod, all. Fix: choose an allowed value.',
  ],
  [
    "cluster.parameters",
    { block_size: 16384 },
    "pgplatform:cluster.parameters.block_size: must not be set (16384): the server reports it, and it is read-only. Fix: remove it.",
  ],
  [
    "cluster.parameters",
    { transaction_isolation: "serializable" },
    'pgplatform:cluster.parameters.transaction_isolation: must not be set ("serializable"): each transaction has its own; default_transaction_isolation is for all of them. Fix: remove it.',
  ],
  [
    "cluster.parameters",
    { old_snapshot_threshold: 60 },
    "pgplatform:cluster.parameters.old_snapshot_threshold: must not be set (60): PostgreSQL removed it in version 17. Fix: remove it.",
  ],
  [
    "cluster.parameters",
    { io_method: "worker" },
    'pgplatform:cluster.parameters.io_method: must not be set ("worker"): PostgreSQL has it from version 18 on. Fix: remove it.',
  ],
];
