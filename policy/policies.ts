import type {
  Policies,
  PolicyConfigSchema,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { KubernetesObject } from "../plan/objects";
import type { BaseBackupFacts, EngineReader, Facts, StoreFacts } from "../plan/engines/reader";
import { readers } from "../plan/engines/readers";
import { pgbouncerFacts } from "../plan/pooler/facts";
import { type Problem, sentence } from "../settings/problem";
import { bucketFacts, cloudResource, type CloudResource } from "./buckets";
import { invariants, valuesOf } from "./invariants";
import type { Invariant, StackFacts, StackInvariant, Values } from "./invariants/invariant";
import { titleOf } from "./kubernetes";

/**
 * The invariants as CrossGuard policies. Resources are told apart by their type's text, since custom resources have no
 * class that Pulumi would match. Reading a value that a preview doesn't know throws: Pulumi then says that the policy
 * couldn't run, as a warning. Nothing here reads more than a policy needs.
 */

const readerList = Object.values(readers);

/** What the first reader that knows the object says of it. */
function firstOf<T>(read: (reader: EngineReader) => T | undefined): T | undefined {
  for (const reader of readerList) {
    const facts = read(reader);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

const clusterFacts = (object: KubernetesObject): Facts | undefined =>
  firstOf((reader) => reader.facts(object));
const storeFacts = (object: KubernetesObject): StoreFacts | undefined =>
  firstOf((reader) => reader.storeFacts(object));
const baseBackupFacts = (object: KubernetesObject): BaseBackupFacts | undefined =>
  firstOf((reader) => reader.baseBackupFacts(object));

/**
 * A copy of a resource's properties. Pulumi wraps them in proxies on which list methods fail; here only a value that isn't
 * known yet throws, when it is read.
 */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const source = value as Record<string, unknown>;
  const copy = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
  for (const key of Object.keys(source))
    try {
      copy[key] = plain(source[key]);
    } catch (error) {
      Object.defineProperty(copy, key, {
        enumerable: true,
        configurable: true,
        get() {
          throw error;
        },
      });
    }
  return copy;
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
  if (typeof props.kind !== "string" || typeof props.apiVersion !== "string") return undefined;
  const object = plain(props) as KubernetesObject;
  object.metadata ??= { name };
  try {
    object.metadata.name ??= name;
  } catch {
    Object.defineProperty(object.metadata, "name", { value: name, enumerable: true });
  }
  return object;
}

/** Everything that a stack's objects claim; `clouds` are its resources at providers of buckets. */
export function stackFacts(
  objects: readonly KubernetesObject[],
  clouds: readonly CloudResource[] = [],
): StackFacts {
  return {
    objects,
    clusters: objects.flatMap((object) => clusterFacts(object) ?? []),
    poolers: [
      ...objects.flatMap((object) => readerList.flatMap((reader) => reader.poolerFacts(object) ?? [])),
      ...pgbouncerFacts(objects),
    ],
    stores: objects.flatMap((object) => storeFacts(object) ?? []),
    baseBackups: objects.flatMap((object) => baseBackupFacts(object) ?? []),
    get buckets() {
      return bucketFacts(clouds);
    },
  };
}

function checked(
  invariant: Exclude<Invariant, StackInvariant>,
  object: KubernetesObject,
  values: Values,
): Problem[] {
  switch (invariant.on) {
    case "object":
      return invariant.check(object, values, clusterFacts(object));
    case "cluster": {
      const facts = clusterFacts(object);
      return facts ? invariant.check(facts, values) : [];
    }
    case "store": {
      const facts = storeFacts(object);
      return facts ? invariant.check(facts, values) : [];
    }
    case "schedule": {
      const facts = baseBackupFacts(object);
      return facts ? invariant.check(facts, values) : [];
    }
  }
}

/** Problems of one object, each with its sentence's beginning: what the object is called. */
export function problemsOfObject(invariant: Invariant, object: KubernetesObject, given: object): Problem[] {
  if (invariant.on === "stack") return [];
  return checked(invariant, object, valuesOf(invariant, given)).map((problem) => ({
    ...problem,
    path: `${titleOf(object)}: ${problem.path}`,
  }));
}

const schemaOf = ({ options }: Invariant): { configSchema?: PolicyConfigSchema } =>
  options ? { configSchema: { properties: options } } : {};

function policyOf(invariant: Invariant): ResourceValidationPolicy | StackValidationPolicy {
  const described = {
    name: invariant.name,
    description: invariant.description,
    severity: invariant.severity,
    remediationSteps: invariant.remediation,
    url: "docs/policies.md",
    enforcementLevel: invariant.mandatory === "nowhere" ? ("advisory" as const) : ("mandatory" as const),
    ...schemaOf(invariant),
  };
  if (invariant.on === "stack")
    return {
      ...described,
      validateStack: (args, report) => {
        const objects = args.resources.flatMap(({ type, name, props }) => objectOf(type, name, props) ?? []);
        const clouds = args.resources.flatMap(
          ({ type, name, opts: { protect }, props, provider }) =>
            cloudResource(
              { type, name, protect },
              () => plain(props) as Record<string, unknown>,
              () => plain(provider?.props) as Record<string, unknown> | undefined,
            ) ?? [],
        );
        invariant
          .check(stackFacts(objects, clouds), valuesOf(invariant, args.getConfig()))
          .forEach((problem) => report(sentence(problem)));
      },
    };
  return {
    ...described,
    validateResource: (args, report) => {
      const object = objectOf(args.type, args.name, args.props);
      if (object)
        problemsOfObject(invariant, object, args.getConfig()).forEach((problem) => report(sentence(problem)));
    },
  };
}

export const policies: Policies = invariants.map(policyOf);
