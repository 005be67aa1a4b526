import type { Settings } from "../../settings/schema";
import type { KubernetesObject } from "../objects";
import { clusterLabel } from "../names";
import { type Store, storesOf } from "./store";

/**
 * A role of AWS in place of an access key (IRSA): EKS gives the pods of an annotated account a token, and variables that tell every tool of it.
 * Those of AWS's own libraries take a key before a role where a container has both. Never run: there was no EKS.
 */

const roleAnnotation = "eks.amazonaws.com/role-arn";
/** Annotation of pods: names of containers that get nothing of the role. */
const skippedAnnotation = "eks.amazonaws.com/skip-containers";
/** Annotation of pods that take the role when they start: which one. */
const startedAnnotation = "pgplatform.io/role-arn";

/** The role by which these stores are spoken to, which is one at most; undefined where all of them have keys. */
export const roleOf = (stores: readonly (Store | undefined)[]): string | undefined =>
  stores.flatMap((store) => (store && "roleArn" in store.login ? [store.login.roleArn] : []))[0];

/** What an account says whose pods take the role. */
export const accountAnnotations = (roleArn: string): Record<string, string> => ({
  [roleAnnotation]: roleArn,
});

/** The account of the platform's own pods that speak to the stores; it has no right in Kubernetes. */
export const roleAccountName = (cluster: string): string => `${cluster}-backups`;

export function roleAccount({ cluster }: Settings, roleArn: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name: roleAccountName(cluster.name),
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
      annotations: accountAnnotations(roleArn),
    },
    automountServiceAccountToken: false,
  };
}

/** What a pod of that account needs, but for containers that speak to no store; nothing where no store has a role. */
export function podsRole(
  settings: Settings,
  without: readonly string[],
  stores: readonly (Store | undefined)[] = storesOf(settings),
): {
  readonly annotations: Record<string, string>;
  readonly account: { readonly serviceAccountName?: string };
} {
  const roleArn = roleOf(stores);
  if (roleArn === undefined) return { annotations: {}, account: {} };
  return {
    annotations: { [startedAnnotation]: roleArn, [skippedAnnotation]: without.join(",") },
    account: { serviceAccountName: roleAccountName(settings.cluster.name) },
  };
}
