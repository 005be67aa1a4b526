/** Server parameters that are refused, each with its sentence. */
export const refusedParameters: [path: string, value: unknown, sentence: string][] = [
  [
    "cluster.parameters",
    { shared_buffers: "400MB" },
    'pgplatform:cluster.parameters.shared_buffers is "400MB", allowed is an amount of memory such as 128MB, at most 204MB (40 % of the memory limit): lower it, or leave it out: a quarter of the memory limit is the default.',
  ],
  [
    "cluster.parameters",
    { max_connections: 500 },
    "pgplatform:cluster.parameters.max_connections is 500, allowed is no value here: pgplatform:cluster.maxConnections is its setting: remove it.",
  ],
  [
    "cluster.parameters",
    { checkpoint_segments: 32 },
    "pgplatform:cluster.parameters.checkpoint_segments is 32, allowed is no value here: PostgreSQL has it no more since version 9.5; max_wal_size is its successor: remove it.",
  ],
  [
    "cluster.parameters",
    { ssl_min_protocol_version: "TLSv1" },
    'pgplatform:cluster.parameters.ssl_min_protocol_version is "TLSv1", allowed is no value here: CloudNativePG sets it; TLS 1.3 is its lowest: remove it.',
  ],
  [
    "cluster.parameters",
    { work_memory: "8MB" },
    'pgplatform:cluster.parameters.work_memory is "8MB", allowed is a parameter of PostgreSQL 17: did you mean work_mem? Correct it or remove it.',
  ],
  [
    "cluster.parameters",
    { xyzzy: 1 },
    "pgplatform:cluster.parameters.xyzzy is 1, allowed is a parameter of PostgreSQL 17: correct it or remove it.",
  ],
  [
    "cluster.parameters",
    { "acme.limit": 1 },
    "pgplatform:cluster.parameters.acme.limit is 1, allowed is a parameter of PostgreSQL 17, or of an extension: auth_delay, auto_explain, cron, hnsw, ivfflat, pg_failover_slots, pg_prewarm, pg_stat_kcache, pg_stat_statements, pg_trgm, pgaudit, plpgsql, postgres_fdw, timescaledb: correct it or remove it.",
  ],
  [
    "cluster.parameters",
    { work_mem: "8 MiB" },
    'pgplatform:cluster.parameters.work_mem is "8 MiB", allowed is an amount of memory from 64 to 2147483647 kB, which a bare number counts: write a number, and one of B, kB, MB, GB, TB after it.',
  ],
  [
    "cluster.parameters",
    { work_mem: "32kB" },
    'pgplatform:cluster.parameters.work_mem is "32kB", allowed is an amount of memory from 64 to 2147483647 kB, which a bare number counts: choose a value within the limits.',
  ],
  [
    "cluster.parameters",
    { statement_timeout: "5 minutes" },
    'pgplatform:cluster.parameters.statement_timeout is "5 minutes", allowed is a time from 0 to 2147483647 ms, which a bare number counts: write a number, and one of us, ms, s, min, h, d after it.',
  ],
  [
    "cluster.parameters",
    { max_worker_processes: "many" },
    'pgplatform:cluster.parameters.max_worker_processes is "many", allowed is a whole number from 0 to 262143: write a bare number.',
  ],
  [
    "cluster.parameters",
    { random_page_cost: -1 },
    "pgplatform:cluster.parameters.random_page_cost is -1, allowed is a number of at least 0: choose a value within the limits.",
  ],
  [
    "cluster.parameters",
    { jit: "perhaps" },
    'pgplatform:cluster.parameters.jit is "perhaps", allowed is on or off: set true or false.',
  ],
  [
    "cluster.parameters",
    { log_statement: "writes" },
    'pgplatform:cluster.parameters.log_statement is "writes", allowed is none, ddl, mod, all: choose an allowed value.',
  ],
  [
    "cluster.parameters",
    { block_size: 16384 },
    "pgplatform:cluster.parameters.block_size is 16384, allowed is no value here: the server tells it, and nobody sets it: remove it.",
  ],
  [
    "cluster.parameters",
    { transaction_isolation: "serializable" },
    'pgplatform:cluster.parameters.transaction_isolation is "serializable", allowed is no value here: each transaction has its own; default_transaction_isolation is for all of them: remove it.',
  ],
  [
    "cluster.parameters",
    { old_snapshot_threshold: 60 },
    "pgplatform:cluster.parameters.old_snapshot_threshold is 60, allowed is no value here: PostgreSQL has it no more since version 17: remove it.",
  ],
  [
    "cluster.parameters",
    { io_method: "worker" },
    'pgplatform:cluster.parameters.io_method is "worker", allowed is no value here: PostgreSQL has it from version 18 on: remove it.',
  ],
];
