import * as z from "zod";
import { atOnce, documented, oneOf, label, quantity, rollsPooler, sqlName, integer } from "./types";

const ignored = documented(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.]*$/)
    .max(63),
  {
    means: "Name of a parameter as clients send it, or options for what PGOPTIONS brings.",
    change: rollsPooler,
    allowed: "the name of a parameter such as search_path",
    fix: "write the name alone",
  },
);

/** What PgBouncer gives every server connection of a client's, whatever is tracked besides. */
export const alwaysTracked = [
  "application_name",
  "client_encoding",
  "DateStyle",
  "TimeZone",
  "standard_conforming_strings",
] as const;

/** What PostgreSQL reports of a session when it changes, as far as clients set it and PgBouncer doesn't track it anyway. */
const tracked = ["IntervalStyle", "default_transaction_read_only", "search_path"] as const;

const trackedName = oneOf(tracked, "Name of a parameter that PostgreSQL reports.", rollsPooler);

const tuning = z.strictObject({
  serverLoginRetrySeconds: integer(
    "After a failed login at the server, for how long clients are made to wait before the next try. Default: 1. " +
      "It is added to every failover.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(1),
  serverConnectTimeoutSeconds: integer(
    "How long connecting to the server may take before the next try. Default: 2.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(2),
  queryWaitTimeoutSeconds: integer(
    "How long a client waits for a server connection before it gets an error. While the server is away, clients wait in a queue: as long as this, and no longer, so " +
      "it must outlast a failover. Default: 120.",
    5,
    600,
    rollsPooler,
    "seconds",
  ).default(120),
  serverLifetimeSeconds: integer(
    "Age at which an idle server connection is replaced. A statement that a change of the schema has broken fails for that long at most, unless ./pgp pooler reconnect " +
      "replaces the connections at once. Default: 300.",
    60,
    86400,
    rollsPooler,
    "seconds",
  ).default(300),
  serverIdleTimeoutSeconds: integer(
    "How long an unused server connection is kept. Default: 300.",
    10,
    86400,
    rollsPooler,
    "seconds",
  ).default(300),
  serverCheckDelaySeconds: integer(
    "A server connection unused for longer is asked whether its server still takes writes before a client gets it. Default: 5.",
    0,
    60,
    rollsPooler,
    "seconds",
  ).default(5),
  tcpUserTimeoutMilliseconds: integer(
    "How long sent data may stay unacknowledged before the connection is given up, to a client and to a server. A client that reads nothing for longer, or a " +
      "server that takes nothing of a COPY, loses the connection; so does the one to a node that vanished. Default: 20000.",
    500,
    600000,
    rollsPooler,
    "milliseconds",
  ).default(20000),
  tcpKeepaliveIdleSeconds: integer(
    "Silence after which a connection is probed, every second; one that answers nothing for tcpUserTimeoutMilliseconds is given up. Default: 2.",
    1,
    600,
    rollsPooler,
    "seconds",
  ).default(2),
  dnsMaxTtlSeconds: integer(
    "How long a resolved address is used. Default: 5.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(5),
  maxPreparedStatements: integer(
    "Prepared statements that are tracked for each server connection in transaction mode; 0 turns tracking off. Default: 200.",
    0,
    10000,
    rollsPooler,
  ).default(200),
  ignoreStartupParameters: documented(z.array(ignored), {
    means:
      "Parameters that clients may send when they connect and that PgBouncer then ignores, beside extra_float_digits: without it such a client is refused, with it " +
      "what it asked for has no effect. Give a role such a setting in PostgreSQL (ALTER ROLE … SET), or connect directly. Default: none.",
    change: rollsPooler,
    allowed: "a list of names of parameters, such as [search_path, statement_timeout]",
  }).default([]),
  trackStartupParameters: documented(z.array(trackedName), {
    means:
      "Parameters that clients may set, when they connect or by SET, and that PgBouncer then gives every server connection of theirs, beside " +
      `${alwaysTracked.slice(0, -1).join(", ")} and ${alwaysTracked.at(-1)}. ` +
      "PgBouncer can only track what PostgreSQL reports: search_path from PostgreSQL 18 on. Default: [IntervalStyle].",
    change: rollsPooler,
    allowed: `a list of ${tracked.join(", ")}`,
  }).default(["IntervalStyle"]),
  resetSessions: oneOf(
    ["session-end", "always"],
    "When a server connection forgets what its client set. session-end: when the session ends, in the mode session; in the mode transaction never, so that SET, temporary tables, advisory " +
      "locks and LISTEN of one client reach the next. always: after every transaction too, for one more round trip each. Default: session-end.",
    rollsPooler,
  ).default("session-end"),
  drainSeconds: integer(
    "How long a stopping pod lets running transactions continue. Default: 30.",
    1,
    300,
    rollsPooler,
    "seconds",
  ).default(30),
});

export const pooler = z.strictObject({
  name: label("Name of the pooler, unique in the stack; its Service is `<cluster>-pooler-<name>`.", 40),
  database: sqlName("Database that is reached through it; one of the cluster's databases.", rollsPooler),
  reads: oneOf(
    ["primary", "standbys"],
    "Which instances it connects to. primary: the one that takes writes; standbys: the others, for sessions that only read and may see " +
      "what was committed a moment ago; it has no instance to connect to while no standby is up. Default: primary.",
    rollsPooler,
  ).default("primary"),
  mode: oneOf(
    ["transaction", "session"],
    "When a server connection goes back to the pool: at the end of the transaction or of the session. Default: transaction.",
    rollsPooler,
  ).default("transaction"),
  instances: integer(
    "Number of PgBouncer pods, each on a node of its own; with autoscaling the least number. At least 2 in the tier prod. Default: 2.",
    1,
    9,
    "A change rolls the pods, since the totals below are divided by it; with autoscaling it does not.",
  ).default(2),
  autoscaling: z
    .strictObject({
      maxInstances: integer(
        "Most pods that a HorizontalPodAutoscaler may start when they are busy; the totals below are divided by this number. It needs " +
          "metrics-server, which the built-in cluster doesn't have: there the number stays at instances.",
        2,
        50,
        rollsPooler,
      ),
      cpuPercent: integer(
        "Share of one core, which is all that a PgBouncer can use, above which more pods are started. Default: 70.",
        10,
        100,
        atOnce,
        "percent",
      ).default(70),
    })
    .optional(),
  serverConnections: integer(
    "Most connections to PostgreSQL, of all pods together. Default: 40.",
    1,
    5000,
    rollsPooler,
  ).default(40),
  poolSize: integer(
    "Most connections to PostgreSQL for each role, of all pods together. Default: 30.",
    1,
    5000,
    rollsPooler,
  ).default(30),
  maxClients: integer(
    "Most client connections. Each pod takes as many, so that the clients of one that is lost find room at the others. Default: 1000.",
    1,
    100000,
    rollsPooler,
  ).default(1000),
  memory: quantity(
    "Memory limit of each pod's PgBouncer; half of it is reserved. Default: as much as maxClients and serverConnections can take (64Mi, 32Ki for each client and " +
      "128Ki for each server connection of the pod), at least 128Mi.",
    rollsPooler,
    "512Mi",
  ).optional(),
  tuning: tuning.prefault({}),
});
