import { counted, of, recent, recently, type Alert } from "./alert";
import type { Settings } from "../../../settings/schema";

const used = (s: Settings): string =>
  `${of("pgplatform_server_connections", s)} / (${of("pgplatform_server_max_connections", s)} - ${of("pgplatform_server_reserved_connections", s)})`;

const oldest = (what: string, s: Settings, than: number): string =>
  `${of(`pgplatform_activity_longest_${what}_seconds`, s)} > ${than}`;

/** What sessions do to each other. */
export const sessions: readonly Alert[] = [
  {
    name: "HighConnections",
    severity: "warning",
    for: 300,
    expr: (t, s) => `${used(s)} > ${t.connectionsHigh}`,
    summary: "{{ $value | humanizePercentage }} of the connections of {{ $labels.instance }} are in use",
    description: "When all are, logins are refused.",
  },
  {
    name: "TooManyConnections",
    severity: "critical",
    for: 60,
    expr: (t, s) => `${used(s)} > ${t.connectionsFull}`,
    summary: "{{ $value | humanizePercentage }} of the connections of {{ $labels.instance }} are in use",
    description: "Logins are refused, or will be with the next burst.",
  },
  {
    name: "DatabaseConnectionsHigh",
    severity: "warning",
    for: 300,
    expr: (t, s) =>
      `${of("pgplatform_database_connections", s)} / (${of("pgplatform_database_connection_limit", s)} > 0) > ${t.connectionsHigh}`,
    summary:
      "{{ $value | humanizePercentage }} of the connections that the database {{ $labels.database }} may have on {{ $labels.instance }} are in use",
    description: "Its connectionLimit refuses further ones, though the server has room.",
  },
  {
    name: "SlowQueries",
    severity: "warning",
    for: 60,
    expr: (t, s) => oldest("query", s, t.slowQuery),
    summary:
      "a statement runs for {{ $value | humanizeDuration }} on {{ $labels.instance }}, database {{ $labels.database }}",
    description: "It keeps a connection, and what it has locked, until it ends.",
  },
  {
    name: "LongTransaction",
    severity: "warning",
    for: 60,
    expr: (t, s) => oldest("transaction", s, t.longTransaction),
    summary:
      "a transaction is open for {{ $value | humanizeDuration }} on {{ $labels.instance }}, database {{ $labels.database }}",
    description:
      "VACUUM can't remove what was deleted since: tables grow, and transaction numbers aren't freed.",
  },
  {
    name: "IdleInTransaction",
    severity: "warning",
    for: 60,
    expr: (t, s) => oldest("idle_in_transaction", s, t.idleInTransaction),
    summary:
      "a session is idle in a transaction for {{ $value | humanizeDuration }} on {{ $labels.instance }}, database {{ $labels.database }}",
    description: "Its program began a transaction and forgot it: its locks stay.",
  },
  {
    name: "BlockedSessions",
    severity: "warning",
    for: 60,
    expr: (t, s) => `${of("pgplatform_blocked_longest_seconds", s)} > ${t.blocked}`,
    summary:
      "a session waits for another one's lock for {{ $value | humanizeDuration }} on {{ $labels.instance }}, database {{ $labels.database }}",
    description: "Whatever comes behind it waits, too: a queue on one table stops an application.",
  },
  {
    name: "Deadlocks",
    severity: "warning",
    for: 0,
    expr: (t, s) => `${counted("pgplatform_database_deadlocks_total", s, recent(t))} > ${t.deadlocks}`,
    summary: (t) =>
      `{{ $value | humanize }} deadlocks within ${recently(t)} in the database {{ $labels.database }}`,
    description: "PostgreSQL ended one transaction of each: its program sees an error.",
  },
  {
    name: "PreparedTransactionOld",
    severity: "warning",
    for: 60,
    expr: (t, s) => `${of("pgplatform_prepared_oldest_seconds", s)} > ${t.preparedTransaction}`,
    summary: "a prepared transaction waits for {{ $value | humanizeDuration }} on {{ $labels.instance }}",
    description: "Its locks stay, also after a restart, until it is committed or rolled back.",
  },
];
