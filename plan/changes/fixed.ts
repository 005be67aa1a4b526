import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../settings/record";

/** Fields that can't be changed in place. */

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
export const isReplaced = ({ kind }: { readonly kind: string }, path: string): boolean =>
  (fixed[kind] ?? []).some((beginning) => below(path, beginning));

/** Whether a path is in the pods that an object makes. */
export const inPods = (path: string): boolean => below(path, "spec.template");

/** The same of resources that are no objects of Kubernetes, by the end of their type. */
const fixedOfOthers: readonly [type: RegExp, fields: readonly string[]][] = [
  [/^aws:s3\/bucket/, ["bucket", "bucketPrefix", "region"]],
  [/^cloudflare:index\/r2Bucket:/, ["name", "accountId", "jurisdiction", "location"]],
  [/^random:/, ["keepers", "byteLength", "prefix"]],
];

const at = (object: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), object);

/** Which of a resource's fields makes it again, and not only changes it, as far as its type tells; undefined where none does. `leave`: fields that don't count. */
export function remadeBy(
  type: string,
  before: object,
  after: object,
  leave: readonly string[] = [],
): string | undefined {
  const { kind } = before as { kind?: unknown };
  const paths = type.startsWith("kubernetes:")
    ? ["metadata.name", "metadata.namespace", ...((typeof kind === "string" ? fixed[kind] : undefined) ?? [])]
    : (fixedOfOthers.find(([pattern]) => pattern.test(type))?.[1] ?? []);
  return paths.find((path) => !leave.includes(path) && !isDeepStrictEqual(at(before, path), at(after, path)));
}
