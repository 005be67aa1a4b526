import { near, type Limits } from "./limits";
import { above, noneWanted, query, series, stat, type Dashboard, type Query } from "./model";
import { failovers } from "./marks";
import { labels, needs, ofCluster, peak, variables, mean } from "./selectors";

const { poolers, poolerDatabases, poolerPods } = labels;
const rate = "[$__rate_interval]";

/** Every panel needs a pooler. */
const ask = (expr: string, legend: string): Query => query(expr, legend, { needsEvent: needs.poolers });
const total = (metric: string, by: string): string =>
  `sum by (${by}) (rate(pgbouncer_stats_totals_${metric}{${poolerDatabases}}${rate}))`;
const pool = (metric: string): string => `sum(pgbouncer_pools_${metric}{${poolerDatabases}})`;

export const pooler = (limits: Limits): Dashboard => ({
  id: "pooler",
  title: "PostgreSQL: poolers",
  description: "PgBouncer: clients, server connections, waits and throughput.",
  variables: [
    ...ofCluster,
    variables.pooler,
    {
      ...variables.database,
      series: `pgbouncer_pools_client_active_connections{${poolers}, database!="pgbouncer"}`,
      needsEvent: needs.poolers,
    },
  ],
  marks: [failovers],
  rows: [
    {
      title: "Now",
      panels: [
        stat(
          "Poolers up",
          "none",
          "Pods whose PgBouncer answers.",
          [ask(`sum(pgbouncer_up{${poolers}})`, "up")],
          {
            steps: [
              [null, "red"],
              [1, "green"],
            ],
          },
        ),
        stat(
          "Clients",
          "none",
          "Clients that are connected, on all pods.",
          [ask(`sum(pgbouncer_used_clients{${poolers}})`, "clients")],
          {},
        ),
        stat(
          "Clients waiting",
          "none",
          "Clients that wait for a server connection.",
          [ask(pool("client_waiting_connections"), "waiting")],
          { steps: above(1, 10) },
        ),
        stat(
          "Longest wait",
          "s",
          "How long the first client in the queue has waited.",
          [ask(`max(pgbouncer_pools_client_maxwait_seconds{${poolerDatabases}})`, "wait")],
          { steps: near(limits.poolerWait) },
        ),
        stat(
          "Client connections used",
          "percentunit",
          "Of maxClients, on the fullest pod.",
          [
            ask(
              `max(max by (pooler, instance) (pgbouncer_used_clients{${poolers}}) / max by (pooler, instance) (pgbouncer_config_max_client_connections{${poolers}}))`,
              "used",
            ),
          ],
          { steps: near(limits.poolerUsed) },
        ),
        stat(
          "Server connections used",
          "percentunit",
          "Of what a database may have, on the fullest pod.",
          [
            ask(
              `max(max by (pooler, instance, database) (pgbouncer_databases_current_connections{${poolerDatabases}}) / (max by (pooler, instance, database) (pgbouncer_databases_max_connections{${poolerDatabases}}) > 0))`,
              "used",
            ),
          ],
          { steps: near(limits.poolerUsed) },
        ),
      ],
    },
    {
      title: "Clients",
      panels: [
        series(
          "Client connections",
          "none",
          "By what they do.",
          [
            ask(pool("client_active_connections"), "active or idle"),
            ask(`sum(${peak(`pgbouncer_pools_client_waiting_connections{${poolerDatabases}}`)})`, "waiting"),
          ],
          { min: 0, stacked: true },
        ),
        series(
          "Longest wait",
          "s",
          "How long the first client in the queue has waited, by pooler and database.",
          [
            ask(
              `max by (pooler, database) (${peak(`pgbouncer_pools_client_maxwait_seconds{${poolerDatabases}}`)})`,
              "{{pooler}} {{database}}",
            ),
          ],
          { min: 0, steps: near(limits.poolerWait) },
        ),
        series(
          "Clients by pod",
          "none",
          "Connected clients, and how many may be.",
          [
            ask(`max by (instance) (pgbouncer_used_clients{${poolers}})`, "{{instance}}"),
            ask(`max(pgbouncer_config_max_client_connections{${poolers}})`, "most"),
          ],
          { min: 0 },
        ),
        series(
          "Clients that log in",
          "none",
          "Clients whose login isn't done: many mean that the look-up of passwords fails.",
          [ask(`max by (instance) (pgbouncer_login_clients{${poolers}})`, "{{instance}}")],
          { min: 0, steps: above(5, 20) },
        ),
      ],
    },
    {
      title: "Server connections",
      panels: [
        series(
          "Server connections",
          "none",
          "Connections to PostgreSQL, by what they do.",
          [
            ask(pool("server_active_connections"), "active"),
            ask(pool("server_idle_connections"), "idle"),
            ask(pool("server_used_connections"), "to be checked"),
            ask(pool("server_testing_connections"), "being checked"),
            ask(pool("server_login_connections"), "logging in"),
          ],
          { min: 0, stacked: true },
        ),
        series(
          "Server connections by database",
          "none",
          "What each database has, and may have, on all pods.",
          [
            ask(
              `sum by (database) (pgbouncer_databases_current_connections{${poolerDatabases}})`,
              "{{database}}",
            ),
            ask(
              `sum by (database) (pgbouncer_databases_max_connections{${poolerDatabases}} > 0)`,
              "{{database}} most",
            ),
          ],
          { min: 0 },
        ),
        series(
          "Size of pools",
          "none",
          "Server connections that a pool may have, by database, on each pod.",
          [ask(`max by (database) (pgbouncer_databases_pool_size{${poolerDatabases}})`, "{{database}}")],
          { min: 0 },
        ),
        series(
          "Paused or disabled databases",
          "none",
          "Databases that PgBouncer holds back.",
          [
            ask(
              `sum by (database) (pgbouncer_databases_paused{${poolerDatabases}} + pgbouncer_databases_disabled{${poolerDatabases}})`,
              "{{database}}",
            ),
          ],
          { min: 0, steps: noneWanted },
        ),
      ],
    },
    {
      title: "Throughput",
      panels: [
        series(
          "Transactions",
          "ops",
          "By database.",
          [ask(total("sql_transactions_pooled_total", "database"), "{{database}}")],
          {
            min: 0,
            width: 8,
          },
        ),
        series(
          "Queries",
          "reqps",
          "By pod: clients should be spread evenly.",
          [ask(total("queries_pooled_total", "instance"), "{{instance}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Mean time of a query",
          "s",
          "What PostgreSQL takes for one.",
          [
            ask(
              mean(
                total("queries_duration_seconds_total", "database"),
                total("queries_pooled_total", "database"),
              ),
              "{{database}}",
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Mean wait of a transaction",
          "s",
          "What a client waits for a server connection.",
          [
            ask(
              mean(
                total("client_wait_seconds_total", "database"),
                total("sql_transactions_pooled_total", "database"),
              ),
              "{{database}}",
            ),
          ],
          { min: 0, width: 8, steps: above(0.1, 1) },
        ),
        series(
          "Servers in transactions",
          "none",
          "Server connections that are in a transaction, on average.",
          [ask(total("server_in_transaction_seconds_total", "database"), "{{database}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Bytes of clients",
          "Bps",
          "What clients sent and were sent.",
          [
            ask(
              `sum(rate(pgbouncer_stats_totals_received_bytes_total{${poolerDatabases}}${rate}))`,
              "received",
            ),
            ask(`sum(rate(pgbouncer_stats_totals_sent_bytes_total{${poolerDatabases}}${rate}))`, "sent"),
          ],
          { min: 0, width: 8 },
        ),
      ],
    },
    {
      title: "Pods",
      panels: [
        series(
          "CPU",
          "cores",
          "By pod; PgBouncer uses one core at most.",
          [
            ask(
              `sum by (pod) (rate(container_cpu_usage_seconds_total{${poolerPods}, container="pgbouncer"}${rate}))`,
              "{{pod}}",
            ),
          ],
          { min: 0 },
        ),
        series(
          "Memory",
          "bytes",
          "By pod.",
          [
            ask(
              `sum by (pod) (container_memory_working_set_bytes{${poolerPods}, container="pgbouncer"})`,
              "{{pod}}",
            ),
          ],
          { min: 0 },
        ),
      ],
    },
  ],
});
