import { always, both, of, primary, type Pairs, type Series } from "../case";

const database = (metric: string): string => of(`pgplatform_${metric}`, `${primary},database="app"`);
const app = { ...both, database: "app" };
/** So many percent of the transaction numbers. */
const percent = (share: number): number => (2 ** 31 / 100) * share;
const ages = (transaction: number, multixact: number): Series => ({
  [database("wraparound_transaction_age")]: always(percent(transaction)),
  [database("wraparound_multixact_age")]: always(percent(multixact)),
});
const rows = (dead: number, live: number): Series => ({
  [database("tables_dead_rows")]: always(dead),
  [database("tables_live_rows")]: always(live),
});
const table = (metric: string): string =>
  of(`pgplatform_table_${metric}`, `${primary},database="app",schema="public",table="orders"`);
const vacuum = (seconds: number, dead: number): Series => ({
  [table("vacuum_age_seconds")]: always(seconds),
  [table("dead_rows")]: always(dead),
  [table("rows")]: always(7000),
});
const workers = (busy: number): Series => ({
  [of("pgplatform_vacuum_workers", primary)]: always(busy),
  [of("pgplatform_vacuum_max_workers", primary)]: always(3),
});
/** Blocks a minute. */
const cache = (hit: number, read: number): Series => ({
  [database("database_blocks_hit_total")]: `0+${hit}x60`,
  [database("database_blocks_read_total")]: `0+${read}x60`,
});
/** Writes a minute. */
const writes = (sessions: number, checkpointer: number, bulk = 0): Series => {
  const io = (backend: string, context: string) =>
    of(
      "pgplatform_io_writes_total",
      `${primary},backend="${backend}",object="relation",context="${context}"`,
    );
  return {
    [io("client backend", "normal")]: `0+${sessions}x60`,
    [io("checkpointer", "normal")]: `0+${checkpointer}x60`,
    [io("client backend", "bulkwrite")]: `0+${bulk}x60`,
  };
};

export const maintenance: Pairs = {
  TxidExhaustionRisk: {
    fires: () => ({
      series: ages(51, 1),
      labels: { database: "app" },
      summary: "51% of the transaction numbers of app are in use",
    }),
    quiet: () => ({ series: ages(50, 60) }),
  },
  MultixactExhaustionRisk: {
    fires: () => ({
      series: ages(1, 51),
      labels: { database: "app" },
      summary: "51% of the multixact numbers of app are in use",
    }),
    quiet: () => ({ series: ages(60, 50) }),
  },
  TransactionAgeHigh: {
    fires: () => ({
      series: ages(10, 26),
      labels: { database: "app" },
      summary: "26% of the transaction numbers of app are in use",
    }),
    quiet: () => ({ series: ages(25, 25) }),
  },
  DeadTuplesHigh: {
    fires: () => ({
      series: rows(31_000, 69_000),
      labels: app,
      summary: "31% of the rows of app are dead on main-1",
    }),
    quiet: () => ({ series: rows(30_000, 70_000) }),
  },
  VacuumOld: {
    fires: () => ({
      series: vacuum(7 * 86_400 + 1, 3500),
      labels: { ...app, schema: "public", table: "orders" },
      summary: "public.orders of app has many dead rows and was last vacuumed 7d 0h 0m 1s ago",
    }),
    // As long ago, and nothing to do.
    quiet: () => ({ series: vacuum(70 * 86_400, 3000) }),
    more: [() => ({ title: "not for a new table that nothing was deleted of", series: vacuum(-1, 0) })],
  },
  AutovacuumStuck: {
    fires: () => ({
      series: { [of("pgplatform_vacuum_longest_seconds", primary)]: always(6 * 3600 + 1) },
      labels: both,
      summary: "a VACUUM runs for 6h 0m 1s on main-1",
    }),
    quiet: () => ({ series: { [of("pgplatform_vacuum_longest_seconds", primary)]: always(6 * 3600) } }),
  },
  AutovacuumSaturated: {
    fires: () => ({
      series: workers(3),
      labels: both,
      summary: "all 3 autovacuum workers of main-1 are busy for two hours",
    }),
    quiet: () => ({ series: workers(2) }),
  },
  CacheHitRatioLow: {
    // After ten minutes there are more than 100 blocks a second of the quarter of an hour.
    fires: () => ({
      from: 10,
      series: cache(8900, 1100),
      labels: app,
      summary: "89% of the blocks of app were in shared_buffers on main-1",
    }),
    quiet: () => ({ from: 10, series: cache(9000, 1000) }),
  },
  HighCheckpointRate: {
    fires: () => ({
      from: 60,
      series: { [of("pgplatform_checkpoints_requested_total", primary)]: "0x59 13x60" },
      labels: { instance: "main-1" },
      summary: "13 checkpoints were requested within an hour on main-1",
    }),
    quiet: () => ({
      from: 60,
      series: { [of("pgplatform_checkpoints_requested_total", primary)]: "0x59 12x60" },
    }),
  },
  HighBufferBackendWrites: {
    fires: () => ({
      from: 1,
      series: writes(5100, 4900),
      labels: { instance: "main-1" },
      summary: "sessions write 51% of the blocks of main-1 themselves",
    }),
    // A bulk load writes its own blocks, as it should.
    quiet: () => ({ from: 1, series: writes(5000, 5000, 90_000) }),
  },
  ChecksumFailures: {
    fires: () => ({
      from: 60,
      series: { [database("database_checksum_failures_total")]: "2x59 3x60" },
      labels: { instance: "main-1", database: "app" },
      summary: "1 pages of app were damaged on main-1 within an hour",
    }),
    quiet: () => ({ from: 60, series: { [database("database_checksum_failures_total")]: always(3) } }),
  },
};
