/** Names that CloudNativePG gives things. */

export const apiVersion = "postgresql.cnpg.io/v1";
/** The plugin that archives, and its object. */
export const pluginName = "barman-cloud.cloudnative-pg.io";
export const storeApiVersion = "barmancloud.cnpg.io/v1";
export const operatorNamespace = "cnpg-system";
export const deploymentName = "cnpg-controller-manager";
export const operatorPodLabels: Record<string, string> = { "app.kubernetes.io/name": "cloudnative-pg" };

/** Ports of an instance; 8000 is its status port. */
export const ports = { postgres: 5432, status: 8000, metrics: 9187 } as const;

/** Selects every pod of a cluster: instances, and the jobs that make them. */
export const clusterPodLabels = (cluster: string): Record<string, string> => ({ "cnpg.io/cluster": cluster });

/** Selects the instances alone. */
export const instanceLabels = (cluster: string): Record<string, string> => ({
  "cnpg.io/cluster": cluster,
  "cnpg.io/podRole": "instance",
});

const appLabels = (cluster: string, component: string): Record<string, string> => ({
  "app.kubernetes.io/name": "postgresql",
  "app.kubernetes.io/instance": cluster,
  "app.kubernetes.io/component": component,
  "app.kubernetes.io/managed-by": "cloudnative-pg",
});

/** Labels that the operator gives to every instance alike. */
export const instancePodLabels = (cluster: string): Record<string, string> => ({
  ...instanceLabels(cluster),
  ...appLabels(cluster, "database"),
});

/** Labels that the operator gives to the pods of its pooler. */
export const poolerPodLabels = (pooler: string, cluster: string): Record<string, string> => ({
  "cnpg.io/poolerName": pooler,
  "cnpg.io/cluster": cluster,
  "cnpg.io/podRole": "pooler",
  ...appLabels(cluster, "pooler"),
});
