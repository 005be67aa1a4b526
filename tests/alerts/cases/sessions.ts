import { always, both, of, primary, type Pair, type Pairs, type Series } from "../case";

/** Of 103 connections 3 are reserved. */
const connections = (used: number): Series => ({
  [of("pgplatform_server_connections", primary)]: always(used),
  [of("pgplatform_server_max_connections", primary)]: always(103),
  [of("pgplatform_server_reserved_connections", primary)]: always(3),
});
const app = { ...both, database: "app" };
const database = (metric: string): string => of(`pgplatform_${metric}`, `${primary},database="app"`);

const age = (
  metric: string,
  seconds: number,
  summary: string,
  labels: Readonly<Record<string, string>> = app,
): Pair => {
  const name = of(
    `pgplatform_${metric}`,
    Object.entries(labels)
      .map(([key, value]) => `${key}="${value}"`)
      .join(","),
  );
  return {
    fires: () => ({ series: { [name]: always(seconds + 1) }, labels, summary }),
    quiet: () => ({ series: { [name]: always(seconds) } }),
  };
};

export const sessions: Pairs = {
  HighConnections: {
    fires: () => ({
      series: connections(81),
      labels: both,
      summary: "81% of the connections of main-1 are in use",
    }),
    quiet: () => ({ series: connections(80) }),
  },
  TooManyConnections: {
    fires: () => ({
      series: connections(96),
      labels: both,
      summary: "96% of the connections of main-1 are in use",
    }),
    quiet: () => ({ series: connections(95) }),
  },
  DatabaseConnectionsHigh: {
    fires: () => ({
      series: {
        [database("database_connections")]: always(9),
        [database("database_connection_limit")]: always(10),
      },
      labels: app,
      summary: "90% of the connections that the database app may have on main-1 are in use",
    }),
    // Another database has no limit.
    quiet: () => ({
      series: {
        [database("database_connections")]: always(8),
        [database("database_connection_limit")]: always(10),
        [of("pgplatform_database_connections", `${primary},database="other"`)]: always(90),
        [of("pgplatform_database_connection_limit", `${primary},database="other"`)]: always(-1),
      },
    }),
  },
  SlowQueries: age(
    "activity_longest_query_seconds",
    300,
    "a statement runs for 5m 1s on main-1, database app",
  ),
  LongTransaction: age(
    "activity_longest_transaction_seconds",
    3600,
    "a transaction is open for 1h 0m 1s on main-1, database app",
  ),
  IdleInTransaction: age(
    "activity_longest_idle_in_transaction_seconds",
    600,
    "a session is idle in a transaction for 10m 1s on main-1, database app",
  ),
  BlockedSessions: age(
    "blocked_longest_seconds",
    60,
    "a session waits for another one's lock for 1m 1s on main-1, database app",
  ),
  Deadlocks: {
    fires: () => ({
      from: 15,
      series: { [database("database_deadlocks_total")]: "3x14 9x60" },
      labels: { instance: "main-1", database: "app" },
      summary: "6 deadlocks within 15m in the database app",
    }),
    quiet: () => ({ from: 15, series: { [database("database_deadlocks_total")]: "3x14 8x60" } }),
    more: [
      () => ({
        title: "not at the threshold where the count is extrapolated",
        from: 15,
        series: { [database("database_deadlocks_total")]: "_x1 3x12 8x60" },
      }),
      () => ({
        title: "right after a failover, before the new primary was read for the first time",
        from: 15,
        series: {
          [of("pgplatform_database_deadlocks_total", 'instance="main-1",role="standby",database="app"')]:
            "0x14 stale",
          [of("pgplatform_database_deadlocks_total", `${primary},database="app"`)]: "_x15 6x60",
        },
        labels: { instance: "main-1", database: "app" },
        summary: "6 deadlocks within 15m in the database app",
      }),
    ],
  },
  PreparedTransactionOld: age(
    "prepared_oldest_seconds",
    900,
    "a prepared transaction waits for 15m 1s on main-1",
    both,
  ),
};
