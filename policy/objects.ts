import { Secret } from "@pulumi/policy/policy";
import * as proxy from "@pulumi/policy/proxy";
import type { KubernetesObject } from "../plan/objects";
import { NotKnown, throwing } from "./notKnown";
import { shaped } from "./shape";

/** Resources as Pulumi's SDK of policies gives them, made plain. */

/** Its own names for them, which its types leave out. */
const {
  isSpecialProxy = "",
  getSpecialProxyTarget = "",
  ...values
} = proxy as unknown as Readonly<Record<string, string>>;
const unknowns = new Set<unknown>(
  Object.entries(values).flatMap(([name, value]) => (/^unknown.*Value$/.test(name) ? [value] : [])),
);

/** More than any API takes. */
const DEEPEST = 100;

/** What the SDK wraps into proxies, on which list methods fail. */
const unwrapped = (value: object): object =>
  (value as Record<string, unknown>)[isSpecialProxy] === true
    ? (value as Record<string, object>)[getSpecialProxyTarget]!
    : value;

/**
 * A copy of a resource's properties, in which a value that isn't known yet throws `NotKnown` when it is read. Null is left out of a record, as the
 * API reads it.
 */
export function plain(value: unknown, path = "", above: readonly object[] = []): unknown {
  if (typeof value !== "object" || value === null) return value;
  const source = unwrapped(value) as Record<string, unknown>;
  // What holds itself never ends.
  if (above.length > DEEPEST || above.includes(source)) return undefined;
  const within = [...above, source];
  const isList = Array.isArray(source);
  const copy = (isList ? [] : {}) as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const at = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    let inner: unknown;
    try {
      inner = source[key];
      if (unknowns.has(inner)) throw new NotKnown(at);
      // A remediation gets secrets with their mark, which counts for nothing here.
      inner = plain(inner instanceof Secret ? inner.value : inner, at, within);
    } catch (error) {
      throwing(copy, key, error instanceof NotKnown ? error : new NotKnown(at, error));
      continue;
    }
    if (inner === null && !isList) continue;
    if (key === "__proto__") Object.defineProperty(copy, key, { value: inner, enumerable: true });
    else copy[key] = inner;
  }
  return copy;
}

/** A text that is known, or undefined. */
function known(record: Record<string, unknown>, key: string): unknown {
  try {
    return record[key];
  } catch {
    return undefined;
  }
}

/** Metadata with a name: the resource's own where it has none, or one that isn't known yet. Where nothing of it is known, only the name is. */
function withName(object: Record<string, unknown>, name: string): Record<string, unknown> {
  let metadata: unknown;
  try {
    ({ metadata } = object);
  } catch (error) {
    metadata = {};
    for (const key of ["namespace", "labels", "annotations"])
      throwing(metadata as object, key, error as NotKnown);
  }
  const named = (
    typeof metadata === "object" && metadata !== null && !Array.isArray(metadata) ? metadata : {}
  ) as Record<string, unknown>;
  const own = known(named, "name");
  Object.defineProperty(named, "name", {
    value: typeof own === "string" && own !== "" ? own : name,
    enumerable: true,
  });
  return named;
}

/**
 * The Kubernetes object of a resource; undefined for anything else, and for CRDs, which claim nothing and are long. An object
 * without a name, or with one that isn't known yet, goes by the resource's.
 */
export function objectOf(
  type: string,
  name: string,
  props: Record<string, unknown>,
): KubernetesObject | undefined {
  if (!type.startsWith("kubernetes:") || type.endsWith(":CustomResourceDefinition")) return undefined;
  const object = plain(props) as Record<string, unknown>;
  if (typeof known(object, "kind") !== "string" || typeof known(object, "apiVersion") !== "string")
    return undefined;
  Object.defineProperty(object, "metadata", { value: withName(object, name), enumerable: true });
  return shaped(object as unknown as KubernetesObject);
}

/** Whether the resource changes some fields of an object that something else makes, and is no object itself. */
export const isPatch = (type: string, { kind }: KubernetesObject): boolean => type.endsWith(`:${kind}Patch`);
