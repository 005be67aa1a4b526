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

/** Beginnings of paths that can't be changed in place, by kind: the object is made again. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  PersistentVolumeClaim: ["spec.storageClassName", "spec.accessModes", "spec.volumeMode", "spec.volumeName"],
  StatefulSet: ["spec.serviceName", "spec.selector", "spec.volumeClaimTemplates", "spec.podManagementPolicy"],
  Deployment: ["spec.selector"],
  Job: ["spec.template", "spec.selector"],
  Service: ["spec.clusterIP"],
  RoleBinding: ["roleRef"],
  ClusterRoleBinding: ["roleRef"],
  Secret: ["type"],
  Bucket: [""],
};

const below = (path: string, beginning: string): boolean =>
  beginning === "" ||
  path === beginning ||
  path.startsWith(`${beginning}.`) ||
  path.startsWith(`${beginning}[`);

/** Whether a change at a path makes the object again. */
export const isReplaced = ({ kind }: Kind, path: string): boolean =>
  (fixed[kind] ?? []).some((beginning) => below(path, beginning));

/** Whether a path is in the pods that an object makes. */
export const inPods = (path: string): boolean => below(path, "spec.template");
