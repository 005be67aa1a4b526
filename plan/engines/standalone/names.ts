import { clusterLabel } from "../../names";

/** Names of what a standalone server is made of. */

export const ports = { postgres: 5432, metrics: 9187 } as const;
/** Where the container that speaks to the object store listens, within the pod alone. */
export const storePort = 7071;

/** Selects the server's pod. */
export const podLabels = (cluster: string): Record<string, string> => ({
  "app.kubernetes.io/name": "postgresql",
  "app.kubernetes.io/instance": cluster,
  [clusterLabel]: cluster,
});

/** Role of what makes base backups. */
export const baseBackupRole = "base-backup";

/** Services, ConfigMaps and volumes beside the StatefulSet, which has the cluster's own name. */
export const names = {
  headless: (cluster: string): string => `${cluster}-pods`,
  metrics: (cluster: string): string => `${cluster}-metrics`,
  config: (cluster: string): string => `${cluster}-config`,
  sql: (cluster: string): string => `${cluster}-sql`,
  /** What the metrics exporter asks. */
  queries: (cluster: string): string => `${cluster}-exporter-queries`,
  data: (cluster: string): string => `${cluster}-data`,
  wal: (cluster: string): string => `${cluster}-wal`,
  archive: (cluster: string): string => `${cluster}-archive`,
  /** The CronJob that makes base backups. */
  base: (cluster: string): string => `${cluster}-base`,
};

/** Annotation of the StatefulSet: what its configuration says, as JSON, for everyone who reads the object. */
export const serverAnnotation = "pgplatform.io/server";

/** Where things are in the pod. */
export const paths = {
  /** Mount of the data volume; the data are a folder of it, so that a lock and half-made data can lie beside them. */
  volume: "/var/lib/postgresql/data",
  data: "/var/lib/postgresql/data/pgdata",
  wal: "/var/lib/postgresql/wal",
  archive: "/var/lib/postgresql/archive",
  config: "/etc/pgplatform/config",
  tls: "/etc/pgplatform/tls",
  sql: "/etc/pgplatform/sql",
  passwords: "/etc/pgplatform/passwords",
  socket: "/run/postgresql",
  log: "/run/log",
  state: "/run/pgplatform",
  /** Where the CAs of object stores are, by their targets' names. */
  stores: "/etc/pgplatform/stores",
  spool: "/run/spool",
} as const;
