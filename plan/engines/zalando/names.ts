/** Names that the Zalando operator gives things, and those of ours beside them. */

export const apiVersion = "acid.zalan.do/v1";
export const operatorNamespace = "postgres-operator";
export const deploymentName = "postgres-operator";
export const operatorPodLabels: Record<string, string> = { name: "postgres-operator" };
export const configurationName = "postgresql-operator-default-configuration";

/** Ports of an instance; 8008 is Patroni's. */
export const ports = { postgres: 5432, status: 8008, metrics: 9187 } as const;

/** Account of the instances' pods, with which Patroni holds the leader's lock. */
export const podAccount = "postgres-pod";

export const superuser = "postgres";
export const replicator = "standby";

/** Selects the instances of a cluster; Patroni and the operator take every such pod for an instance. */
export const instanceLabels = (cluster: string): Record<string, string> => ({
  application: "spilo",
  "cluster-name": cluster,
});

export const standbyLabels = (cluster: string): Record<string, string> => ({
  ...instanceLabels(cluster),
  "spilo-role": "replica",
});

export const services = {
  primary: (cluster: string): string => cluster,
  standbys: (cluster: string): string => `${cluster}-repl`,
  /** Ours: every instance, and Patroni's port. */
  any: (cluster: string): string => `${cluster}-any`,
  metrics: (cluster: string): string => `${cluster}-metrics`,
} as const;

/** Secret with the password of the exporter's role. */
export const metricsSecret = (cluster: string): string => `${cluster}-metrics`;

/** Secret in which the operator looks for the password of a role. */
export const operatorSecret = (cluster: string, role: string): string =>
  `${role.replaceAll("_", "-")}.${cluster}.credentials.postgresql.acid.zalan.do`;

/** Annotation by which a cluster object says how its instances keep apart, which is a setting of the operator alone. */
export const spreadAnnotation = "pgplatform.io/spread";
