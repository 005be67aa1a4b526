import type { KubernetesObject } from "../../plan/objects";
import type { BaseBackupFacts, Facts, PoolerFacts, StoreFacts } from "../../plan/engines/reader";
import type { BucketFacts } from "../buckets";
import type { Problem } from "../../settings/problem";

/**
 * An invariant: a pure function from what rendered objects claim to problems, with the words that a user needs. A problem's
 * path begins at the object (`instances`, `containers[0].image`). Importing one costs nothing: no Pulumi, no engine.
 */
export type Invariant =
  ClusterInvariant | StoreInvariant | ScheduleInvariant | ObjectInvariant | StackInvariant;

/** One number or list that a user may set for an invariant, as JSON schema. */
export type Option = {
  readonly description: string;
} & (
  | { readonly type: "integer"; readonly minimum: number; readonly default: number }
  | { readonly type: "string"; readonly default: string }
  | { readonly type: "boolean"; readonly default: boolean }
  | {
      readonly type: "array";
      readonly items: { readonly type: "string" | "integer" };
      readonly default: readonly (string | number)[];
    }
);

interface Described {
  /** Its number in docs/policies.md. */
  readonly number: string;
  readonly name: string;
  readonly description: string;
  readonly severity: "low" | "medium" | "high" | "critical";
  /** How to fix a violation, step by step. */
  readonly remediation: string;
  /** Where a violation stops an update: everywhere, in prod only (a warning in dev), or nowhere. */
  readonly mandatory: "everywhere" | "prod" | "nowhere";
  readonly options?: Readonly<Record<string, Option>>;
  /**
   * Changes a resource's properties in place where one value alone is right, and says whether it did. It runs where a configuration asks for it by
   * the level `remediate`, for an object that the check refuses and no waiver lets pass.
   */
  readonly remedy?: (props: Fields) => boolean;
  /** False where some fields of an object are enough to be judged. @default true */
  readonly whole?: false;
}

/** A resource's properties, of any form. */
export interface Fields {
  [field: string]: unknown;
}

/** A field's own fields, where it has some. */
export const fieldsOf = (fields: Fields | undefined, ...path: readonly string[]): Fields | undefined =>
  path.reduce<Fields | undefined>((at, key) => {
    const inner = at?.[key];
    return typeof inner === "object" && inner !== null ? (inner as Fields) : undefined;
  }, fields);

/** Options as the invariant gets them: defaults filled in. */
export type Values = Readonly<Record<string, unknown>>;

/** About a database cluster, whatever its engine. */
export interface ClusterInvariant extends Described {
  readonly on: "cluster";
  check(facts: Facts, options: Values): Problem[];
}

/** About a place in an object store, whatever the engine that archives to it. */
export interface StoreInvariant extends Described {
  readonly on: "store";
  check(facts: StoreFacts, options: Values): Problem[];
}

/** About a schedule of base backups. */
export interface ScheduleInvariant extends Described {
  readonly on: "schedule";
  check(facts: BaseBackupFacts, options: Values): Problem[];
}

/** About any Kubernetes object; `facts` are there when it is a cluster, and `all` where the whole stack is judged. */
export interface ObjectInvariant extends Described {
  readonly on: "object";
  check(
    object: KubernetesObject,
    options: Values,
    facts: Facts | undefined,
    all?: readonly KubernetesObject[],
  ): Problem[];
}

/** What a whole stack claims. */
export interface StackFacts {
  /** Without those that only change some fields of another. */
  readonly objects: readonly KubernetesObject[];
  readonly clusters: readonly Facts[];
  readonly poolers: readonly PoolerFacts[];
  readonly stores: readonly StoreFacts[];
  readonly baseBackups: readonly BaseBackupFacts[];
  readonly buckets: readonly BucketFacts[];
}

/** About objects that only together are right or wrong; a problem's path begins with the object's name. */
export interface StackInvariant extends Described {
  readonly on: "stack";
  check(stack: StackFacts, options: Values): Problem[];
}

/** How messages name an object. */
export const displayName = (kind: string, { namespace, name }: { namespace: string; name: string }): string =>
  `${kind} ${namespace}/${name}`;

/** A field's text; empty where it has none. */
export const textAt = (fields: Fields | undefined, key: string): string => {
  const value = fields?.[key];
  return typeof value === "string" ? value : "";
};
