import type { Settings } from "../../settings/schema";
import { clusterLabel, roleLabel } from "../names";

/** Names of stores: those that run beside the cluster, and the Secrets of all. */

/** Name of a local target's StatefulSet, Service and Secrets; of the Secrets alone for other kinds. */
export const storeName = (cluster: string, target: string): string => `${cluster}-store-${target}`;

export const storeLabels = (cluster: string, target: string): Record<string, string> => ({
  "app.kubernetes.io/name": "versitygw",
  "app.kubernetes.io/instance": storeName(cluster, target),
  [clusterLabel]: cluster,
  [roleLabel]: "store",
});

/**
 * Namespace of the stores that run beside the cluster. It is not the cluster's, and outlives the stack: who deletes the databases doesn't
 * delete their backups with them.
 */
export const storeNamespace = ({ namespace, name, makeNamespace }: Settings["cluster"]): string =>
  // Another cluster in the same namespace has stores of its own.
  makeNamespace ? `${namespace}-backups` : `${namespace}-${name}-backups`;

/** Size of a local target's volume. */
export const defaultSize = "10Gi";
export const localStorePort = 7070;
/** The only bucket of a local target. */
export const localBucket = "backups";
