import type {
  Policies,
  PolicyConfigSchema,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Facts, KubernetesObject } from "../components/engine";
import { engines } from "../components/engines";
import { pgbouncerFacts } from "../components/pgbouncer/facts";
import { type Problem, sentence } from "../stacks/checks/problem";
import { invariants, valuesOf } from "./invariants";
import type { Invariant, StackFacts } from "./invariants/invariant";
import { titleOf } from "./kubernetes";

/**
 * The invariants as CrossGuard policies. Resources are told apart by their type's text, since custom resources have no
 * class that Pulumi would match. Reading a value that a preview doesn't know throws: Pulumi then says that the policy
 * couldn't run, as a warning. Nothing here reads more than a policy needs.
 */

const engineList = Object.values(engines);

function clusterFacts(object: KubernetesObject): Facts | undefined {
  for (const engine of engineList) {
    const facts = engine.facts(object);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

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

/** Everything that a stack's objects claim. */
export function stackFacts(objects: readonly KubernetesObject[]): StackFacts {
  return {
    objects,
    clusters: objects.flatMap((object) => clusterFacts(object) ?? []),
    poolers: [
      ...objects.flatMap((object) => engineList.flatMap((engine) => engine.poolerFacts(object) ?? [])),
      ...pgbouncerFacts(objects),
    ],
  };
}

/** Problems of one object, each with its sentence's beginning: what the object is called. */
export function problemsOfObject(invariant: Invariant, object: KubernetesObject, given: object): Problem[] {
  if (invariant.on === "stack") return [];
  const facts = clusterFacts(object);
  const values = valuesOf(invariant, given);
  const problems =
    invariant.on === "object"
      ? invariant.check(object, values, facts)
      : facts
        ? invariant.check(facts, values)
        : [];
  return problems.map((problem) => ({ ...problem, path: `${titleOf(object)}: ${problem.path}` }));
}

const schemaOf = ({ options }: Invariant): { configSchema?: PolicyConfigSchema } =>
  options ? { configSchema: { properties: options } } : {};

function policyOf(invariant: Invariant): ResourceValidationPolicy | StackValidationPolicy {
  const described = {
    name: invariant.name,
    description: invariant.description,
    severity: invariant.severity,
    remediationSteps: invariant.remediation,
    url: `docs/policies.md#${invariant.name}`,
    enforcementLevel: invariant.mandatory === "nowhere" ? ("advisory" as const) : ("mandatory" as const),
    ...schemaOf(invariant),
  };
  if (invariant.on === "stack")
    return {
      ...described,
      validateStack: (args, report) => {
        const objects = args.resources.flatMap(({ type, name, props }) => objectOf(type, name, props) ?? []);
        invariant
          .check(stackFacts(objects), valuesOf(invariant, args.getConfig()))
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
