import type { EngineTraits } from "../../engine";

const byPatroni = "Patroni sets it";
const bySpilo = "the image sets it";
const byReplication = "pgplatform:cluster.durability decides it";

/** The Zalando operator 1.15 with Patroni in its Spilo image. */
export const zalando: EngineTraits = {
  name: "zalando",
  postgresVersions: ["15", "16", "17"],
  can: {
    standbys: true,
    // Patroni's strict synchronous mode: only a standby that holds every acknowledged commit takes over.
    quorumFailover: true,
    archiveVolume: {
      because: "it archives to an object store",
      instead: "leave archiveSize out",
    },
    walVolume: {
      because: "its custom resource has one volume for each instance",
      instead: "leave walSize out, and make size larger by as much",
    },
    zoneSpread: {
      because:
        "its custom resource has no topology spread, only one anti-affinity key for the whole operator",
      instead: "choose cnpg",
    },
    severalDatabases: true,
    podSecurityRestricted: {
      because: "the Spilo image starts as root",
      instead: "choose cnpg, or waive the policy for its namespace",
    },
  },
  clusterKind: { apiVersion: "acid.zalan.do/v1", kind: "postgresql" },
  instancePods: {
    labels: (cluster) => ({ application: "spilo", "cluster-name": cluster }),
    role: { label: "spilo-role", primary: "master" },
  },
  longestClusterName: 53,
  ownedParameters: {
    max_connections: "pgplatform:cluster.maxConnections is its setting",
    synchronous_standby_names: byReplication,
    synchronous_commit: byReplication,
    synchronized_standby_slots: byReplication,
    password_encryption: "the platform sets it to scram-sha-256",
    ssl: bySpilo,
    "ssl_*": `${bySpilo}; TLS 1.2 is its lowest`,
    shared_preload_libraries: bySpilo,
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
  },
};
