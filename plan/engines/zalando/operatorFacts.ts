import { found } from "../../lists";
import { type KubernetesObject } from "../../objects";
import { goBooleanOf } from "../../../settings/goBoolean";
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
function flat(record: Record<string, unknown>): Record<string, unknown> {
  const into: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(Object.getOwnPropertyDescriptors(record)))
    if (isRecord(field.value)) Object.defineProperties(into, Object.getOwnPropertyDescriptors(field.value));
    else Object.defineProperty(into, key, field);
  return into;
}

/** The group in which a switch is whose default the API fills in, but only where the group is there. */
const loadBalancers = "load_balancer";
/** What counts where the configuration, or that group of it, leaves it out. */
const defaults: OperatorFacts = { enable_master_load_balancer: true };

/** The configuration that an object is; undefined for others. */
export function operatorFacts(object: KubernetesObject): OperatorFacts | undefined {
  if (object.kind === "OperatorConfiguration" && object.apiVersion === apiVersion) {
    const { configuration } = object;
    if (!isRecord(configuration)) return {};
    const given = flat(configuration);
    const group = Object.getOwnPropertyDescriptor(configuration, loadBalancers);
    return isRecord(group?.value) ? filledIn(given) : given;
  }
  if (object.kind !== "ConfigMap" || object.apiVersion !== "v1") return undefined;
  const { data } = object;
  if (!isRecord(data)) return undefined;
  const keys = Object.keys(data);
  return marks.filter((key) => keys.includes(key)).length > 1 ? filledIn(flat(data)) : undefined;
}

function filledIn(facts: Record<string, unknown>): OperatorFacts {
  for (const [key, value] of Object.entries(defaults)) if (!Object.hasOwn(facts, key)) facts[key] = value;
  return facts;
}

/** What a cluster's object leaves to its operator; without the stack's objects it can't be said. */
export function askOperator(
  field: string,
  objects: readonly KubernetesObject[] | undefined,
): OperatorFacts | undefined {
  if (objects === undefined) throw new Deferred(field);
  // What can't be read yet may be the configuration only where no other is.
  return found(objects, operatorFacts);
}

/** Groups of an OperatorConfiguration in which something is that is asked for here. */
const groups = [
  "kubernetes",
  loadBalancers,
  "patroni",
  "postgres_pod_resources",
  "connection_pooler",
  "aws_or_gcp",
];

/** What the configuration says under a key. A group that isn't known yet, and throws when it is read, may have it. */
export function saidOf(facts: OperatorFacts, key: string): unknown {
  if (Object.hasOwn(facts, key)) return facts[key];
  // Those that are known were laid side by side.
  for (const group of groups) void facts[group];
  return undefined;
}

/** A switch of the configuration. With a word that it doesn't know the operator doesn't start: it counts as left out. */
export const isOn = (facts: OperatorFacts, key: string, otherwise: boolean): boolean =>
  goBooleanOf(saidOf(facts, key)) ?? otherwise;

export const textOf = (facts: OperatorFacts | undefined, key: string): string | undefined => {
  const value = facts && saidOf(facts, key);
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** Texts under names, which a ConfigMap writes as `name:text,name:text`. */
export function textsOf(facts: OperatorFacts, key: string): Readonly<Record<string, string>> {
  const value = saidOf(facts, key);
  const pairs = isRecord(value)
    ? Object.entries(value)
    : (typeof value === "string" ? value : "").split(",").map((pair) => pair.trim().split(":"));
  return Object.fromEntries(
    pairs.flatMap(([name, text]) => (name && typeof text === "string" ? [[name, text]] : [])),
  );
}
