import type { KubernetesObject } from "../objects";
import { planners } from "../engines/select";

/** Kind that stands for a bucket of a backup target: it is made by the cloud's own provider, and no object of Kubernetes. */
export const bucketKind = { apiVersion: "pgplatform.io/bucket", kind: "Bucket" } as const;

/** Kind of a bucket that was there before the stack, which never deletes it. */
export const usedBucketKind = "BucketInUse";

type Kind = Pick<KubernetesObject, "apiVersion" | "kind">;

/** Kinds whose deletion or replacement loses data: the engines' clusters, and what takes volumes along. */
export const kindsWithData: readonly Kind[] = [
  ...Object.values(planners).map(({ clusterKind }) => clusterKind),
  { apiVersion: "v1", kind: "Namespace" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  bucketKind,
];

export const holdsData = ({ apiVersion, kind }: Kind): boolean =>
  kindsWithData.some((one) => one.apiVersion === apiVersion && one.kind === kind);
