import type { Settings } from "../../../settings/schema";
import { needsRestart } from "../../../settings/catalogue";
import { preloadLibraries, preloadParameters } from "../../postgres/extensions";
import {
  archiveParameters,
  derivedParameters,
  owned,
  ownedEverywhere,
  ownParameters,
} from "../../postgres/parameters";
import { loggingParameters } from "../../postgres/logging";
import { logicalParameters } from "../../postgres/replication";

const byPlatform = "the platform sets it";
const alone = "it is one PostgreSQL server in a StatefulSet, which nothing replicates";

/** Parameters that the platform owns. */
export const ownedParameters: Readonly<Record<string, string>> = {
  ...ownedEverywhere,
  ...owned(alone, "synchronous_standby_names synchronized_standby_slots primary_*"),
  password_encryption: `${byPlatform} to scram-sha-256`,
  ...owned(
    byPlatform,
    `ssl archive_mode archive_command archive_library recovery_target* restore_command port listen_addresses
    unix_socket_* data_directory config_file hba_file ident_file external_pid_file cluster_name
    logging_collector log_destination log_directory log_filename log_file_mode log_rotation_*
    log_truncate_on_rotation allow_alter_system allow_system_table_mods`,
  ),
  "ssl_*": `${byPlatform}; TLS 1.3 is its lowest`,
  shared_preload_libraries: `${byPlatform} from the extensions of the databases`,
  lc_messages: `${byPlatform}; it reads the server's messages in English`,
};

/** Parameters as postgresql.conf has them, apart from the names of files. */
export function parametersOf(settings: Settings): Record<string, string> {
  const { cluster } = settings;
  const libraries = preloadLibraries(settings);
  return {
    ...derivedParameters(cluster),
    ...preloadParameters(settings),
    password_encryption: "scram-sha-256",
    ...(libraries.length > 0 && { shared_preload_libraries: libraries.join(",") }),
    cluster_name: cluster.name,
    listen_addresses: "*",
    ssl: "on",
    ssl_min_protocol_version: "TLSv1.3",
    archive_mode: "on",
    // How old the archive may be while little is written.
    archive_timeout: "60s",
    ...archiveParameters(settings),
    ...loggingParameters(settings),
    ...logicalParameters(cluster),
    // JSON that holds whole messages, however many lines they have; only the collector writes it.
    log_destination: "jsonlog",
    logging_collector: "on",
    log_rotation_age: "0",
    log_rotation_size: "0",
    lc_messages: "C",
    // What initdb would write.
    timezone: "Etc/UTC",
    default_text_search_config: "pg_catalog.english",
    // What the settings say is what holds.
    ...(Number(cluster.postgresVersion) >= 17 && { allow_alter_system: "off" }),
    ...ownParameters(cluster),
  };
}

/** Those of which a change needs a restart. */
export const restartParameters = ({ cluster }: Settings, parameters: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(parameters).filter(([name]) => needsRestart(cluster.postgresVersion, name)),
  );
