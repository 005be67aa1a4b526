/** A metric that others make. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** Those that it has beside the labels of what was scraped. */
  readonly labels: readonly string[];
}

/** Labels of every sample of a pooler. */
export const poolerTargetLabels = ["namespace", "cluster", "pooler", "instance", "job"] as const;

const of =
  (prefix: string, labels: readonly string[], type: Metric["type"] = "gauge") =>
  (name: string, help: string): Metric => ({ name: `pgbouncer_${prefix}${name}`, type, help, labels });

const whole = of("", []);
const pool = of("pools_", ["database", "user"]);
const database = of("databases_", ["database", "force_user", "host", "name", "pool_mode", "port"]);
const total = of("stats_totals_", ["database"], "counter");

/**
 * Metrics of PgBouncer that can be relied on, as they are named after scraping: both exporters have them, the published 0.12.1 and Debian's 0.10.2, and
 * PgBouncer from 1.23 on.
 */
export const poolerMetrics: readonly Metric[] = [
  whole("up", "Whether the exporter could log in at PgBouncer and ask it all."),
  { ...whole("version_info", "Version of PgBouncer."), labels: ["version"] },
  whole("config_max_client_connections", "Most clients of one pod: max_client_conn."),
  whole("config_max_user_connections", "Most server connections of one user; 0 is no limit."),
  whole("databases", "Databases that it knows."),
  whole("users", "Users that it knows."),
  whole("pools", "Pools that there are, one for each pair of database and user."),
  whole("used_clients", "Clients that are connected."),
  whole("login_clients", "Clients that are logging in."),
  whole("used_servers", "Server connections that there are."),
  pool("client_active_connections", "Clients that have a server connection, or need none at the moment."),
  pool("client_waiting_connections", "Clients that wait for a server connection."),
  pool("client_active_cancel_connections", "Requests to cancel that wait for the server's answer."),
  pool("client_waiting_cancel_connections", "Requests to cancel that aren't sent yet."),
  pool("client_maxwait_seconds", "How long the client that waits longest has waited, in whole seconds."),
  pool("server_active_connections", "Server connections that a client has."),
  pool("server_active_cancel_connections", "Server connections that carry a request to cancel."),
  pool("server_being_canceled_connections", "Server connections that wait for the end of a cancellation."),
  pool("server_idle_connections", "Server connections that can be given to a client at once."),
  pool("server_used_connections", "Server connections that were idle for long and are tested before use."),
  pool("server_testing_connections", "Server connections that are being reset or tested."),
  pool("server_login_connections", "Server connections that are logging in."),
  database("current_connections", "Server connections of the database; `name` is the pooler's name of it."),
  database("pool_size", "Most server connections of one user of the database."),
  database("max_connections", "Most server connections of the database; 0 is no limit."),
  database("paused", "Whether the database is paused."),
  database("disabled", "Whether the database is disabled."),
  total("queries_pooled_total", "Statements of clients."),
  total("queries_duration_seconds_total", "Time that servers took for statements."),
  total("sql_transactions_pooled_total", "Transactions of clients."),
  total("server_in_transaction_seconds_total", "Time that servers were in transactions."),
  total("client_wait_seconds_total", "Time that clients have waited for a server connection."),
  total("received_bytes_total", "Bytes from clients."),
  total("sent_bytes_total", "Bytes to clients."),
];

/** Before 0.11 the exporter named the totals otherwise, as Debian's does: what both names begin with, as a regular expression, and what they become. */
export const totals = {
  regex: "pgbouncer_stats_(?:totals_)?(.+)",
  replacement: "pgbouncer_stats_totals_$1",
} as const;
