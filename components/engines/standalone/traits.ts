import type { EngineTraits } from "../../engine";

const byPlatform = "the platform sets it";
const alone = "it is one PostgreSQL server in a StatefulSet, which nothing replicates";

/** One server without an operator. */
export const standalone: EngineTraits = {
  name: "standalone",
  postgresVersions: ["15", "16", "17", "18"],
  can: {
    standbys: {
      because: alone,
      instead: "set cluster.instances to 1 and cluster.durability to async, or choose cnpg",
    },
    quorumFailover: {
      because: alone,
      instead: "set cluster.durability to async, or choose cnpg",
    },
    walVolume: true,
    zoneSpread: { because: alone, instead: "choose cnpg" },
    severalDatabases: true,
    podSecurityRestricted: true,
  },
  clusterKind: { apiVersion: "apps/v1", kind: "StatefulSet" },
  instancePods: {
    labels: (cluster) => ({ "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": cluster }),
  },
  longestClusterName: 50,
  ownedParameters: {
    max_connections: "pgplatform:cluster.maxConnections is its setting",
    synchronous_standby_names: alone,
    synchronized_standby_slots: alone,
    password_encryption: `${byPlatform} to scram-sha-256`,
    ssl: byPlatform,
    "ssl_*": `${byPlatform}; TLS 1.3 is its lowest`,
    shared_preload_libraries: `${byPlatform} from the extensions of the databases`,
    archive_mode: byPlatform,
    archive_command: byPlatform,
    "recovery_target*": byPlatform,
    restore_command: byPlatform,
    "primary_*": alone,
    port: byPlatform,
    listen_addresses: byPlatform,
    "unix_socket_*": byPlatform,
    data_directory: byPlatform,
    config_file: byPlatform,
    hba_file: byPlatform,
    ident_file: byPlatform,
    external_pid_file: byPlatform,
    logging_collector: byPlatform,
    log_destination: byPlatform,
  },
};
