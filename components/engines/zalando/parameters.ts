import type { Settings } from "../../../stacks/schema";
import { preloadLibraries, preloadParameters } from "../../postgres/extensions";
import { derivedParameters, ownParameters } from "../../postgres/parameters";

const byPatroni = "Patroni sets it";
const bySpilo = "the image sets it";
const byPlatform = "the platform sets it";
const byReplication = "pgplatform:cluster.durability decides it";

/** Parameters that Patroni or its image sets, or that the platform owns. */
export const ownedParameters: Readonly<Record<string, string>> = {
  max_connections: "pgplatform:cluster.maxConnections is its setting",
  synchronous_standby_names: byReplication,
  synchronous_commit: byReplication,
  synchronized_standby_slots: byReplication,
  password_encryption: `${byPlatform} to scram-sha-256`,
  ssl: bySpilo,
  "ssl_*": `${byPlatform}; TLS 1.3 is its lowest`,
  shared_preload_libraries: `${byPlatform} from the extensions of the databases`,
  archive_mode: bySpilo,
  archive_command: bySpilo,
  "recovery_target*": byPatroni,
  restore_command: byPatroni,
  "primary_*": byPatroni,
  hot_standby: byPatroni,
  wal_level: byPatroni,
  wal_log_hints: byPatroni,
  track_commit_timestamp: byPatroni,
  cluster_name: byPatroni,
  port: byPatroni,
  listen_addresses: byPatroni,
  "unix_socket_*": bySpilo,
  data_directory: byPatroni,
  config_file: byPatroni,
  hba_file: byPatroni,
  ident_file: byPatroni,
  external_pid_file: bySpilo,
  logging_collector: bySpilo,
  log_destination: bySpilo,
  log_directory: bySpilo,
  log_filename: bySpilo,
  "log_rotation_*": bySpilo,
  log_truncate_on_rotation: bySpilo,
  "bg_mon.*": bySpilo,
};

/** What Spilo preloads by itself; naming one library means naming all. */
const preloaded: readonly string[] = [
  ..."bg_mon pg_stat_statements pgextwlist pg_auth_mon set_user timescaledb pg_cron pg_stat_kcache".split(
    " ",
  ),
];

function preloading(cluster: Settings["cluster"]): Record<string, string> {
  const further = preloadLibraries(cluster).filter((name) => name !== "pg_stat_statements");
  return {
    ...(further.length > 0 && {
      shared_preload_libraries: [...new Set([...preloaded, ...further])].join(","),
    }),
    ...preloadParameters(cluster),
  };
}

/** Server parameters: derived from sizes, tuned for short failovers, then the user's own. */
export const parametersOf = ({ cluster }: Settings): Record<string, string> => ({
  ...derivedParameters(cluster),
  // The operator and its image both take md5 for granted where they are told nothing.
  password_encryption: "scram-sha-256",
  ssl_min_protocol_version: "TLSv1.3",
  archive_timeout: "5min",
  // A standby that lost its primary asks again this soon; the default of 5 s is the tail of one failover in four.
  wal_retrieve_retry_interval: "200ms",
  // How soon either end notices a connection that has gone silent.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "5s",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "1",
  tcp_keepalives_count: "3",
  ...preloading(cluster),
  ...ownParameters(cluster),
});
