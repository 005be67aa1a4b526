import type { PoolerSettings, Settings } from "../../settings/schema";
import type { Plan } from "../plan";
import { poolerPorts, roles } from "../names";
import { loginConnections, poolerShares } from "../../settings/sums/poolers";

/** Where things are mounted in the pooler's containers. */
export const paths = {
  config: "/etc/pgbouncer",
  certificate: "/etc/pgbouncer-tls",
  ca: "/etc/pgbouncer-ca",
  users: "/etc/pgbouncer-users",
  socket: "/run/pgbouncer",
} as const;

/** Alias of the database in which logins are looked up; the HBA lets no client reach it. */
export const loginAlias = "pgplatform_auth";

/** Whether a server does what the pooler is for. */
const question = {
  primary: "SELECT NOT pg_is_in_recovery()",
  standbys: "SELECT pg_is_in_recovery()",
};

/** Fails where a connection no longer fits: on a standby, whose answer to a write would be "read-only", or for reads on a primary. */
const fits = {
  primary: "SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END",
  standbys: "SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END",
};

/** What `hold.sh` asks while the server is away, where and as whom. */
export const holdVariables = ({ reads }: PoolerSettings, { endpoints, poolerLogin }: Plan) => {
  const { service, port } = endpoints[reads];
  return {
    POOLER_SERVER: `host=${service} port=${port} dbname=${poolerLogin.database} sslmode=verify-full sslrootcert=${paths.ca}/ca.crt`,
    POOLER_USERS: `${paths.users}/userlist.txt`,
    POOLER_LOGIN: poolerLogin.role,
    POOLER_QUESTION: question[reads],
  };
};

/**
 * Gives the next client nothing of the last one's session. It keeps what DISCARD ALL would drop without need: prepared statements, which PgBouncer tracks,
 * and plans.
 */
const resetQuery =
  "RESET ALL; RESET SESSION AUTHORIZATION; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP";

/**
 * Ends a connection to a standby before a client gets it: a primary that stepped down keeps its Service's address until another one leads, and a
 * connection that is never idle isn't checked again. PgBouncer ignores an error of this query, so the backend ends itself.
 */
const primaryOnly = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE pg_is_in_recovery()";

/**
 * Longest that looking a login up may take, and that the one connection for it lasts, in seconds. PgBouncer waits without a limit for the answer to its
 * test of an idle connection: one to a server that hangs would keep every new client waiting for as long as the server hangs.
 */
const LOGIN_SECONDS = 5;

const ini = (section: string, values: Record<string, string | number>): string =>
  [`[${section}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`)].join("\n");

/** `pgbouncer.ini` of each pod. */
export function pgbouncerIni(
  pooler: PoolerSettings,
  plan: Plan,
  { connections }: Pick<Settings["monitoring"]["logs"], "connections">,
): string {
  const shares = poolerShares(pooler);
  const { tuning } = pooler;
  const { service, port } = plan.endpoints[pooler.reads];
  const server = `host=${service} port=${port}`;
  const databases = ini("databases", {
    [pooler.database]: [
      `${server} dbname=${pooler.database} pool_size=${shares.poolSize} max_db_connections=${shares.serverConnections}`,
      ...(pooler.reads === "primary" ? [`connect_query='${primaryOnly}'`] : []),
    ].join(" "),
    [loginAlias]: `${server} dbname=${plan.poolerLogin.database} pool_size=${loginConnections} max_db_connections=${loginConnections} server_lifetime=${LOGIN_SECONDS}`,
  });
  const users = ini("users", { [plan.poolerLogin.role]: `query_timeout=${LOGIN_SECONDS}` });
  const settings = ini("pgbouncer", {
    listen_addr: "*",
    listen_port: poolerPorts.postgres,
    unix_socket_dir: paths.socket,
    unix_socket_mode: "0770",
    pool_mode: pooler.mode,
    max_client_conn: shares.maxClients,
    default_pool_size: shares.poolSize,
    max_db_connections: shares.serverConnections,
    max_prepared_statements: tuning.maxPreparedStatements,

    auth_type: "hba",
    auth_hba_file: `${paths.config}/pg_hba.conf`,
    auth_file: `${paths.users}/userlist.txt`,
    auth_user: plan.poolerLogin.role,
    auth_dbname: loginAlias,
    auth_query: plan.poolerLogin.query,
    stats_users: roles.poolerStats,

    client_tls_sslmode: "require",
    client_tls_cert_file: `${paths.certificate}/tls.crt`,
    client_tls_key_file: `${paths.certificate}/tls.key`,
    client_tls_protocols: "secure",
    server_tls_sslmode: "verify-full",
    server_tls_ca_file: `${paths.ca}/ca.crt`,
    server_tls_protocols: "secure",

    server_login_retry: tuning.serverLoginRetrySeconds,
    server_connect_timeout: tuning.serverConnectTimeoutSeconds,
    server_lifetime: tuning.serverLifetimeSeconds,
    server_idle_timeout: tuning.serverIdleTimeoutSeconds,
    server_check_delay: tuning.serverCheckDelaySeconds,
    server_check_query: fits[pooler.reads],
    server_fast_close: 1,
    query_wait_timeout: tuning.queryWaitTimeoutSeconds,
    // A client that logs in while the server is away waits as long as the others.
    client_login_timeout: tuning.queryWaitTimeoutSeconds + LOGIN_SECONDS,
    // A storm of clients waits for its TLS handshakes; the kernel drops what doesn't fit.
    listen_backlog: 4096,
    dns_max_ttl: tuning.dnsMaxTtlSeconds,
    // The kernel gives a probed connection up after tcp_user_timeout, whatever tcp_keepcnt is.
    tcp_keepalive: 1,
    tcp_keepidle: tuning.tcpKeepaliveIdleSeconds,
    tcp_keepintvl: 1,
    tcp_keepcnt: 2,
    tcp_user_timeout: tuning.tcpUserTimeoutMilliseconds,

    // Drivers send it at the start (JDBC, the exporter's), and it changes nothing that the pooler must carry over.
    ignore_startup_parameters: [...new Set(["extra_float_digits", ...tuning.ignoreStartupParameters])].join(
      ",",
    ),
    track_extra_parameters: tuning.trackStartupParameters.join(","),
    ...(tuning.resetSessions === "always" && {
      server_reset_query: resetQuery,
      server_reset_query_always: 1,
    }),
    // The statistics say who is connected; a line for each connection would drown everything else.
    log_connections: connections ? 1 : 0,
    // run.sh reads there that the server is away, and keeps the lines out of the container's log where nobody asked for them.
    log_disconnections: 1,
  });
  return `${databases}\n\n${users}\n\n${settings}\n%include ${paths.socket}/peers.ini\n`;
}

/** Over the network: this pooler's database alone, with TLS and scram. On the socket: the exporter alone. */
export const pgbouncerHba = (pooler: PoolerSettings): string =>
  [
    `local pgbouncer ${roles.poolerStats} scram-sha-256`,
    `hostssl ${pooler.database} all 0.0.0.0/0 scram-sha-256`,
    `hostssl ${pooler.database} all ::/0 scram-sha-256`,
    "",
  ].join("\n");
