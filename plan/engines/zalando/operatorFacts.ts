import { type KubernetesObject } from "../../objects";
import { Deferred } from "../reader";
import { apiVersion } from "./names";
import { isRecord } from "../../../settings/record";

/**
 * What a stack says of the operator's configuration, which holds for every cluster of that operator: an OperatorConfiguration, or a ConfigMap with the
 * same keys in one level.
 */
export type OperatorFacts = Readonly<Record<string, unknown>>;

/** Keys of the ConfigMap; few other ConfigMaps have two of them. */
const marks = [
  "cluster_labels",
  "cluster_name_label",
  "docker_image",
  "enable_crd_registration",
  "enable_pod_antiaffinity",
  "enable_spilo_wal_path_compat",
  "pod_role_label",
  "pod_service_account_name",
  "resync_period",
  "spilo_privileged",
  "super_username",
  "watched_namespace",
];

/** Groups of settings laid side by side: each key is in one group. A value that throws when it is read, since it isn't known yet, still does. */
function flat(record: Record<string, unknown>, into: Record<string, unknown> = {}): OperatorFacts {
  for (const [key, field] of Object.entries(Object.getOwnPropertyDescriptors(record)))
    if (isRecord(field.value) && !key.endsWith("_policy")) flat(field.value, into);
    else Object.defineProperty(into, key, field);
  return into;
}

/** The configuration that an object is; undefined for others. */
export function operatorFacts(object: KubernetesObject): OperatorFacts | undefined {
  if (object.kind === "OperatorConfiguration" && object.apiVersion === apiVersion)
    return isRecord(object.configuration) ? flat(object.configuration) : {};
  if (object.kind !== "ConfigMap" || object.apiVersion !== "v1") return undefined;
  const { data } = object;
  if (!isRecord(data)) return undefined;
  const keys = Object.keys(data);
  return marks.filter((key) => keys.includes(key)).length > 1 ? flat(data) : undefined;
}

/** What a cluster's object leaves to its operator; without the stack's objects it can't be said. */
export function askOperator(
  field: string,
  objects: readonly KubernetesObject[] | undefined,
): OperatorFacts | undefined {
  if (objects === undefined) throw new Deferred(field);
  const unread: unknown[] = [];
  for (const object of objects)
    try {
      const facts = operatorFacts(object);
      if (facts !== undefined) return facts;
    } catch (error) {
      unread.push(error);
    }
  // What can't be read yet may be the configuration only where no other is.
  if (unread[0] instanceof Error) throw unread[0];
  return undefined;
}

/** A switch of the configuration, which a ConfigMap writes as text. */
export const isOn = (facts: OperatorFacts, key: string, otherwise: boolean): boolean =>
  facts[key] === undefined ? otherwise : facts[key] === true || facts[key] === "true";

export const textOf = (facts: OperatorFacts | undefined, key: string): string | undefined => {
  const value = facts?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
};
