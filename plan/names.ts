import type { Settings } from "../settings/schema";

/** Names and labels that more than one part relies on; other programs find the platform's objects by them. */

/** Label of every object of a cluster that is ours. */
export const clusterLabel = "pgplatform.io/cluster";
/** Label by which pods say what they are to the platform. */
export const roleLabel = "pgplatform.io/role";
/** Labels of what is to a cluster's platform as `role` says. */
export const roleLabels = (cluster: string, role: string): Record<string, string> => ({
  [clusterLabel]: cluster,
  [roleLabel]: role,
});
/** Roles of Deployments beside servers and poolers. */
export const helperRoles = {
  watchdog: "watchdog",
  monitor: "monitor",
  loginReloader: "login-reloader",
  /** Of the Zalando engine's exporters. */
  metrics: "metrics",
} as const;
/** Role of the Secret with the key to a target of backups, or of the ConfigMap in its place where that has a role, and where they say what the target is. */
export const targetRole = "backup-target";
export const targetAnnotations = {
  endpoint: "pgplatform.io/store-endpoint",
  bucket: "pgplatform.io/store-bucket",
  /** How far back every moment can be restored, in days. */
  windowDays: "pgplatform.io/recovery-window-days",
} as const;
/** Role of what restores backups to see whether they can be. */
export const verificationRole = "verification";
/** Annotation by which a server's object says what a drain of its node does. */
export const drainsAnnotation = "pgplatform.io/drains";
/** Annotation of a cluster object with the setting `cluster.durability`. */
export const durabilityAnnotation = "pgplatform.io/durability";
/** Annotation with the place of its archives, before the present one's name, where the object has no field for that. */
export const archiveAnnotation = "pgplatform.io/archive";
/** Annotations by which it says for how long the archive's store may be out: the settings below `cluster.storage`. */
export const outageAnnotations = {
  writeMiBPerSecond: "pgplatform.io/write-mib-per-second",
  hours: "pgplatform.io/tolerated-outage-hours",
} as const;
/** Labels of nodes: by them pods keep apart. */
export const topologyKeys = { host: "kubernetes.io/hostname", zone: "topology.kubernetes.io/zone" } as const;
/** Container of PostgreSQL in an instance's pod: the operators call it so, and so do we. */
export const serverContainer = "postgres";

/** Pods with this label, in the cluster's namespace, may check its health. */
export const healthCheckLabels: Record<string, string> = { [roleLabel]: "health-check" };

/** Annotation of an operator's Deployment: the cluster, as `<namespace>/<name>`, whose stack installed it. */
export const installedBy = "pgplatform.io/installed-by";

/** Roles inside PostgreSQL (and PgBouncer) that belong to the platform; no setting may use the prefix. */
export const rolePrefix = "pgp_";
export const roles = {
  admin: "pgp_admin",
  pooler: "pgp_pooler",
  health: "pgp_health",
  /** Reads statistics for a metrics exporter, where the engine has none of its own. */
  metrics: "pgp_metrics",
  /** Makes base backups over the network, where an engine's jobs do. */
  backup: "pgp_backup",
  /** Nobody logs in as it: what it may do to objects is audited. */
  audit: "pgp_audit",
  /** Gives logins the passwords that their source names, where the stack doesn't own them. */
  logins: "pgp_logins",
  /** Exists in PgBouncer only. */
  poolerStats: "pgp_stats",
} as const;

/** Schema for the platform's own objects, in the application's database and in `postgres`. */
export const platformSchema = "pgplatform";

/** Flow to what listens on the nodes themselves. */
export const kubeletFlow = "prometheus-kubelet";

/** Ports of the pooler's containers and of its Service. */
export const poolerPorts = { service: 5432, postgres: 6432, metrics: 9127 } as const;

/** Name of a pooler's Deployment, Service, disruption budget and ConfigMap. */
export const poolerName = (cluster: string, pooler: string): string => `${cluster}-pooler-${pooler}`;

/** Name of the Service that has the address of each of a pooler's pods. */
export const poolerPeersName = (cluster: string, pooler: string): string =>
  `${poolerName(cluster, pooler)}-peers`;

export const poolerLabels = (cluster: string, pooler: string): Record<string, string> => ({
  "app.kubernetes.io/name": "pgbouncer",
  "app.kubernetes.io/instance": poolerName(cluster, pooler),
  [clusterLabel]: cluster,
});

/** Name of what a client's namespace gets, unless the client's binding gives another. */
export const clientName = (cluster: string, client: string): string => `${cluster}-client-${client}`;

/** Secrets of a cluster. The first database's owner is "the application". */
export const secretNames = {
  application: (cluster: string): string => `${cluster}-app`,
  owner: (cluster: string, owner: string): string => `${cluster}-owner-${owner.replaceAll("_", "-")}`,
  role: (cluster: string, role: string): string => `${cluster}-role-${role.replaceAll("_", "-")}`,
  registries: (cluster: string): string => `${cluster}-registries`,
  admin: (cluster: string): string => `${cluster}-admin`,
  poolerAuth: (cluster: string): string => `${cluster}-pooler-auth`,
  poolerStats: (cluster: string): string => `${cluster}-pooler-stats`,
  health: (cluster: string): string => `${cluster}-health`,
  backup: (cluster: string): string => `${cluster}-base-backup`,
  /** A login that somebody else owns than the stack: no name of a generated one, which goes when the owner changes. */
  login: (cluster: string, id: string): string => `${cluster}-login-${id}`,
  /** Password of what gives these logins to PostgreSQL. */
  loginReloader: (cluster: string): string => `${cluster}-login-reloader`,
  /** Key with which External Secrets reads its store. */
  storeKey: (cluster: string): string => `${cluster}-secret-store`,
  /** The servers' certificate, where the platform signs it. */
  server: (cluster: string): string => `${cluster}-server`,
  /** The certificate of the CA that signed it, where the engine or the platform does. */
  ca: (cluster: string): string => `${cluster}-ca`,
  /** The servers' certificate, where cert-manager signs it. */
  signed: (cluster: string): string => `${cluster}-tls`,
  passwords: (cluster: string): string => `${cluster}-passwords`,
};

/** Host of a Service that holds in every namespace of any cluster, whatever its domain. */
export const serviceHost = (service: string, namespace: string): string => `${service}.${namespace}.svc`;

/** Names of a Service that clients may use. */
export const tlsNames = (service: string, namespace: string): string[] => {
  const host = serviceHost(service, namespace);
  return [service, `${service}.${namespace}`, host, `${host}.cluster.local`];
};

/** Names of the poolers' Services; the poolers show the servers' certificate. */
export const poolerTlsNames = ({ cluster, poolers }: Settings): string[] =>
  poolers.flatMap(({ name }) => tlsNames(poolerName(cluster.name, name), cluster.namespace));
