import type { Settings } from "../../../stacks/schema";
import { preloadParameters } from "../../postgres/extensions";
import { derivedParameters, ownParameters } from "../../postgres/parameters";

const byOperator = "CloudNativePG sets it";
const byPlatform = "the platform sets it";
const byReplication = "pgplatform:cluster.durability decides it";

/** Parameters that the operator refuses or that the platform owns. */
export const ownedParameters: Readonly<Record<string, string>> = {
  max_connections: "pgplatform:cluster.maxConnections is its setting",
  synchronous_standby_names: byReplication,
  synchronous_commit: byReplication,
  synchronized_standby_slots: byReplication,
  password_encryption: `${byPlatform} to scram-sha-256`,
  ssl: byOperator,
  "ssl_*": `${byOperator}; TLS 1.3 is its lowest`,
  shared_preload_libraries: byOperator,
  archive_mode: byOperator,
  archive_command: byOperator,
  archive_cleanup_command: byOperator,
  restore_command: byOperator,
  "recovery_target*": byOperator,
  recovery_end_command: byOperator,
  recovery_min_apply_delay: byOperator,
  "primary_*": byOperator,
  hot_standby: byOperator,
  cluster_name: byOperator,
  port: byOperator,
  listen_addresses: byOperator,
  "unix_socket_*": byOperator,
  data_directory: byOperator,
  config_file: byOperator,
  hba_file: byOperator,
  ident_file: byOperator,
  external_pid_file: byOperator,
  logging_collector: byOperator,
  log_destination: byOperator,
  log_directory: byOperator,
  log_filename: byOperator,
  log_file_mode: byOperator,
  "log_rotation_*": byOperator,
  log_truncate_on_rotation: byOperator,
  "syslog_*": byOperator,
  "bonjour*": byOperator,
  allow_system_table_mods: byOperator,
  data_sync_retry: byOperator,
  event_source: byOperator,
  jit_provider: byOperator,
  restart_after_crash: byOperator,
  temp_tablespaces: byOperator,
};

/** Server parameters: derived from sizes, tuned for short failovers, then the user's own. */
export const parametersOf = ({ cluster }: Settings): Record<string, string> => ({
  ...derivedParameters(cluster),
  password_encryption: "scram-sha-256",
  // A standby that lost its primary asks again this soon; the default of 5 s is the tail of one failover in four.
  wal_retrieve_retry_interval: "200ms",
  // How soon either end notices a replication connection that has gone silent.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "5s",
  ...preloadParameters(cluster),
  ...ownParameters(cluster),
});
