import type { Settings } from "../../../settings/schema";
import { memoryOf } from "../../../settings/sums/memory";
import { preloadLibraries, preloadParameters, statementsExtension } from "../../postgres/extensions";
import {
  archiveParameters,
  derivedParameters,
  owned,
  ownedEverywhere,
  ownParameters,
  replicationParameters,
} from "../../postgres/parameters";
import { loggingParameters } from "../../postgres/logging";
import { logicalParameters } from "../../postgres/replication";
import { walGMemory } from "./backup";
import { logFolder } from "./follower";

const byPatroni = "Patroni sets it";
const bySpilo = "the image sets it";
const byPlatform = "the platform sets it";
const byReplication = "pgplatform:cluster.durability decides it";

/** Parameters that Patroni or its image sets, or that the platform owns. */
export const ownedParameters: Readonly<Record<string, string>> = {
  ...ownedEverywhere,
  ...owned(byReplication, "synchronous_standby_names synchronous_commit synchronized_standby_slots"),
  password_encryption: `${byPlatform} to scram-sha-256`,
  ...owned(bySpilo, "ssl archive_mode archive_command unix_socket_* external_pid_file bg_mon.*"),
  ...owned(
    byPlatform,
    "logging_collector log_destination log_directory log_filename log_rotation_* log_truncate_on_rotation",
  ),
  "cron.database_name": "Spilo makes pg_cron in the database postgres",
  "ssl_*": `${byPlatform}; TLS 1.3 is its lowest`,
  shared_preload_libraries: `${byPlatform} from the extensions of the databases`,
  ...owned(
    byPatroni,
    `recovery_target* restore_command primary_* hot_standby wal_level wal_log_hints track_commit_timestamp
    cluster_name port listen_addresses data_directory config_file hba_file ident_file`,
  ),
};

/** What Spilo preloads by itself; naming one library means naming all. */
const preloaded: readonly string[] = [
  ..."bg_mon pg_stat_statements pgextwlist pg_auth_mon set_user timescaledb pg_cron pg_stat_kcache".split(
    " ",
  ),
];

function preloading(settings: Settings): Record<string, string> {
  const further = preloadLibraries(settings).filter((name) => name !== statementsExtension);
  return {
    ...(further.length > 0 && {
      shared_preload_libraries: [...new Set([...preloaded, ...further])].join(","),
    }),
    ...preloadParameters(settings),
  };
}

/**
 * Whole records as JSON, in files that the container beside the server prints and deletes (follow.py), off the data volume. A file ends
 * when it is full; one that a new time began would be written over where its name is the same, and is begun by none.
 */
const collectorParameters: Readonly<Record<string, string>> = {
  logging_collector: "on",
  log_destination: "jsonlog",
  log_directory: logFolder,
  log_filename: "postgresql-%Y%m%d%H%M%S.log",
  log_rotation_size: "10MB",
  log_rotation_age: "0",
  log_truncate_on_rotation: "off",
};

/** Server parameters: derived from sizes, tuned for short failovers, then the user's own. */
export const parametersOf = (settings: Settings): Record<string, string> => ({
  ...derivedParameters(settings.cluster, walGMemory(settings)),
  // Spilo has five, each with as much memory as is reckoned for one of these.
  autovacuum_max_workers: String(memoryOf(settings.cluster).autovacuumWorkers),
  // The operator and its image both take md5 for granted where they are told nothing.
  password_encryption: "scram-sha-256",
  ssl_min_protocol_version: "TLSv1.3",
  ...collectorParameters,
  archive_timeout: "5min",
  ...archiveParameters(settings),
  ...loggingParameters(settings),
  ...replicationParameters,
  ...logicalParameters(settings.cluster),
  ...(settings.cluster.slots.length > 0 && { hot_standby_feedback: "on" }),
  // How soon a server notices that a client has gone silent.
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "1",
  tcp_keepalives_count: "3",
  ...preloading(settings),
  ...ownParameters(settings.cluster),
});
