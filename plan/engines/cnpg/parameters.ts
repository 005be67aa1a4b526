import type { Settings } from "../../../settings/schema";
import { preloadParameters } from "../../postgres/extensions";
import {
  archiveParameters,
  derivedParameters,
  owned,
  ownedEverywhere,
  ownParameters,
  replicationParameters,
} from "../../postgres/parameters";
import { loggingParameters } from "../../postgres/logging";
import { slotsFollow } from "../../postgres/replication";

const byOperator = "CloudNativePG sets it";
const byPlatform = "the platform sets it";
const byReplication = "pgplatform:cluster.durability decides it";

/** Parameters that the operator refuses or that the platform owns. */
export const ownedParameters: Readonly<Record<string, string>> = {
  ...ownedEverywhere,
  ...owned(byReplication, "synchronous_standby_names synchronous_commit synchronized_standby_slots"),
  password_encryption: `${byPlatform} to scram-sha-256`,
  ...owned(
    byOperator,
    `ssl shared_preload_libraries archive_mode archive_command archive_cleanup_command restore_command
    recovery_target* recovery_end_command recovery_min_apply_delay primary_* hot_standby cluster_name port
    listen_addresses unix_socket_* data_directory config_file hba_file ident_file external_pid_file
    logging_collector log_destination log_directory log_filename log_file_mode log_rotation_*
    log_truncate_on_rotation syslog_* bonjour* allow_system_table_mods data_sync_retry event_source
    jit_provider restart_after_crash temp_tablespaces`,
  ),
  "ssl_*": `${byOperator}; TLS 1.3 is its lowest`,
};

/** Server parameters: derived from sizes, tuned for short failovers, then the user's own. */
export const parametersOf = (settings: Settings): Record<string, string> => ({
  ...derivedParameters(settings.cluster),
  ...archiveParameters(settings),
  ...loggingParameters(settings),
  password_encryption: "scram-sha-256",
  ...replicationParameters,
  ...preloadParameters(settings),
  // The operator has wal_level at logical, and writes synchronized_standby_slots itself.
  ...(slotsFollow(settings.cluster) && { hot_standby_feedback: "on", sync_replication_slots: "on" }),
  ...ownParameters(settings.cluster),
});
