import type {
  Policies,
  PolicyConfigSchema,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { KubernetesObject } from "../plan/objects";
import { type Problem, sentence } from "../settings/problem";
import { cloudResource, type CloudResource } from "./buckets";
import { groupOf, invariants, valuesOf } from "./invariants";
import type { Invariant, StackFacts, StackInvariant, Values } from "./invariants/invariant";
import { titleOf } from "./kubernetes";
import { isPatch, objectOf, plain } from "./objects";
import { Partly } from "./notKnown";
import { isDeferred, Run } from "./run";
import { type PackConfig, unknownNames } from "./options";
import { type ProtectionSources, protectionPolicies } from "./protection";
import { registered } from "./shape";
import { baseBackupFacts, clusterFacts, stackFacts, storeFacts } from "./stackFacts";
import { told, waiversIn } from "./waivers";

/**
 * The invariants as CrossGuard policies. Resources are told apart by their type's text, since custom resources have no
 * class that Pulumi would match.
 */

type One = Exclude<Invariant, StackInvariant>;

/** What an object must be for an invariant to say something about it. */
const subjects: Readonly<Record<One["on"], string>> = {
  object: "Kubernetes objects",
  cluster: "PostgreSQL clusters",
  store: "stores of backups",
  schedule: "schedules of base backups",
};

/** Undefined where the object isn't what the invariant is about. */
function checked(
  invariant: One,
  object: KubernetesObject,
  values: Values,
  all: readonly KubernetesObject[] | undefined,
): readonly Problem[] | undefined {
  switch (invariant.on) {
    case "object":
      return invariant.check(object, values, clusterFacts(object, all), all);
    case "cluster": {
      const facts = clusterFacts(object, all);
      return facts && invariant.check(facts, values);
    }
    case "store": {
      const facts = storeFacts(object, all);
      return facts && invariant.check(facts, values);
    }
    case "schedule": {
      const facts = baseBackupFacts(object, all);
      return facts && invariant.check(facts, values);
    }
  }
}

/** A problem's sentence begins with what the object is called. */
function named(object: KubernetesObject, check: () => readonly Problem[] | undefined): Problem[] | undefined {
  const about = (problems: readonly Problem[]): Problem[] =>
    problems.map((problem) => ({ ...problem, path: `${titleOf(object)}: ${problem.path}` }));
  try {
    const problems = check();
    return problems && about(problems);
  } catch (error) {
    if (error instanceof Partly) throw new Partly(about(error.problems), error.unread);
    throw error;
  }
}

/** Problems of one object; undefined where it isn't what the invariant is about. */
const judgedObject = (
  invariant: One,
  object: KubernetesObject,
  given: object,
  all?: readonly KubernetesObject[],
): Problem[] | undefined => named(object, () => checked(invariant, object, valuesOf(invariant, given), all));

/** What is a problem whatever isn't known yet. */
function certain(check: () => readonly Problem[] | undefined): readonly Problem[] {
  try {
    return check() ?? [];
  } catch (error) {
    return error instanceof Partly ? error.problems : [];
  }
}

/** Problems of one object by itself. */
export const problemsOfObject = (
  invariant: Invariant,
  object: KubernetesObject,
  given: object,
): readonly Problem[] => (invariant.on === "stack" ? [] : (judgedObject(invariant, object, given) ?? []));

/** Whether an object's judgement waits for the rest of the stack. */
function waits(check: () => unknown): boolean {
  try {
    check();
    return false;
  } catch (error) {
    return isDeferred(error);
  }
}

/** Kinds that leave something to other objects. */
const mayWait = new Set(["postgresql", "StatefulSet", "Service", "CronJob"]);

/** Problems of objects that leave something to others of the stack; what they say by themselves was judged before. */
export const problemsOfWaiting = (
  invariant: One,
  objects: readonly KubernetesObject[],
  given: object,
  run: Run,
): readonly Problem[] =>
  objects
    .filter(({ kind }) => mayWait.has(kind))
    .filter((object) => waits(() => judgedObject(invariant, object, given)))
    .flatMap((object) => {
      const before = new Set(certain(() => judgedObject(invariant, object, given)).map(sentence));
      return run
        .judged(invariant.name, titleOf(object), () => judgedObject(invariant, object, given, objects) ?? [])
        .filter((problem) => !before.has(sentence(problem)));
    });

const schemaOf = ({ options }: Invariant): { configSchema?: PolicyConfigSchema } =>
  options ? { configSchema: { properties: options } } : {};

export const page = "docs/policies.md";
const framework = (number: string) => ({
  name: "PostgreSQL on Kubernetes, highly available",
  version: "1",
  reference: number,
  specification: page,
});

/** Pulumi prints a message, and neither steps nor address. */
const message = ({ name, remediation }: Invariant, problem: Problem): string =>
  `${sentence(problem)}\nSteps: ${remediation}\nSee ${page}#${name}`;

/** Says that a policy has nothing to judge. It is no error, and needs no trace of where it was said, which would take longer than the policy. */
function skip({ notApplicable }: { notApplicable: (reason: string) => never }, reason: string): never {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return notApplicable(reason);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What the SDK gives of a resource. */
interface Registered {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly props: Record<string, unknown>;
}

/** The object is made once for all policies: each of them gets the same resource, one after the other. */
class Objects {
  private urn: string | undefined;
  private asked = new Set<string>();
  private object: KubernetesObject | undefined;

  of(policy: string, { urn, type, name, props }: Registered): KubernetesObject | undefined {
    if (urn !== this.urn || this.asked.has(policy)) {
      this.urn = urn;
      this.asked = new Set();
      this.object = objectOf(type, name, props);
    }
    this.asked.add(policy);
    return this.object;
  }
}

interface Resource extends Registered {
  readonly opts: { readonly protect: boolean };
  readonly provider?: { readonly props: Record<string, unknown> };
}

/** A stack's facts, made once for all policies. */
class Stacks {
  private asked = new Set<string>();
  private facts: StackFacts | undefined;

  of(policy: string, resources: readonly Resource[]): StackFacts {
    if (this.facts === undefined || this.asked.has(policy)) {
      this.asked = new Set();
      const objects = resources.flatMap((one) => {
        const object = objectOf(one.type, one.name, one.props);
        return object === undefined || isPatch(one.type, object) ? [] : [object];
      });
      const clouds = resources.flatMap(
        ({ type, name, opts: { protect }, props, provider }): CloudResource[] => {
          const cloud = cloudResource(
            { type, name, protect },
            () => plain(props) as Record<string, unknown>,
            () => plain(provider?.props) as Record<string, unknown> | undefined,
          );
          return cloud === undefined ? [] : [cloud];
        },
      );
      this.facts = stackFacts(objects, clouds);
    }
    this.asked.add(policy);
    return this.facts;
  }
}

/** The configurations and the stack's state as they are when a policy runs, and the day. */
export interface Circumstances extends ProtectionSources {
  /** The pack's own configuration. @default - it has none */
  readonly given?: () => PackConfig;
}

/** All policies of the pack, and what they say together at the end. */
export function policiesOf({ config, today, state, given = () => ({}) }: Circumstances): Policies {
  const run = new Run();
  const objects = new Objects();
  const stacks = new Stacks();
  const names = invariants.map(({ name }) => name);
  const read = () => waiversIn(config(), names, today());
  // The same objects as long as they hold, since they are counted by.
  let last: { key: string; value: ReturnType<typeof read> } | undefined;
  const waivers = () => {
    const key = `${today()} ${config()["pgplatform:waivers"] ?? ""}`;
    if (last?.key !== key) last = { key, value: read() };
    return last.value;
  };
  const standing = (invariant: Invariant, problems: readonly Problem[]): Problem[] =>
    run.standing(invariant.name, problems, waivers().waivers);

  const policyOf = (invariant: Invariant): ResourceValidationPolicy | StackValidationPolicy => {
    const { name, description, severity, remediation, number, remedy } = invariant;
    const described = {
      name,
      displayName: name.replaceAll("-", " ").replace(/^./, (first) => first.toUpperCase()),
      description,
      severity,
      remediationSteps: remediation,
      url: `${page}#${name}`,
      framework: framework(number),
      tags: ["postgresql", "kubernetes", groupOf(invariant)],
      enforcementLevel: invariant.mandatory === "nowhere" ? ("advisory" as const) : ("mandatory" as const),
      ...schemaOf(invariant),
    };
    if (invariant.on === "stack")
      return {
        ...described,
        validateStack: (args, report) => {
          const facts = stacks.of(name, args.resources);
          if (facts.objects.length === 0) skip(args, "The stack has no Kubernetes objects.");
          const found = run.judged(name, "Stack", () =>
            invariant.check(facts, valuesOf(invariant, args.getConfig())),
          );
          standing(invariant, found).forEach((problem) => report(message(invariant, problem)));
        },
      };
    const policy: ResourceValidationPolicy = {
      ...described,
      validateResource: (args, report) => {
        const object = objects.of(name, args);
        if (object === undefined) return skip(args, "It is no Kubernetes object.");
        registered(object, args.opts.protect);
        if (isPatch(args.type, object) && invariant.whole !== false)
          skip(args, "It only changes some fields of an object that something else makes.");
        let isSubject = true;
        const found = run.judged(name, titleOf(object), () => {
          const problems = judgedObject(invariant, object, args.getConfig());
          isSubject = problems !== undefined;
          return problems ?? [];
        });
        if (!isSubject) skip(args, `It is about ${subjects[invariant.on]} only.`);
        standing(invariant, found).forEach((problem) => report(message(invariant, problem)));
      },
      ...(remedy && {
        // Only what the policy refuses is changed, and nothing that a waiver lets pass.
        remediateResource: (args) => {
          const object = objectOf(args.type, args.name, args.props);
          if (object === undefined || isPatch(args.type, object)) return undefined;
          const found = certain(() => judgedObject(invariant, object, args.getConfig()));
          const refused = new Run().standing(name, found, waivers().waivers);
          return refused.length > 0 && remedy(args.props) ? args.props : undefined;
        },
      }),
    };
    const validateStack: StackValidationPolicy["validateStack"] = (args, report) => {
      const facts = stacks.of(name, args.resources);
      const found = problemsOfWaiting(invariant, facts.objects, args.getConfig(), run);
      standing(invariant, found).forEach((problem) => report(message(invariant, problem)));
    };
    // What an object leaves to others is judged when they are there, too. The SDK walks through the whole stack for each policy that has this function.
    return Object.defineProperty(policy, "validateStack", {
      get: () => (run.hasDeferred(name) ? validateStack : undefined),
    });
  };

  const notices: StackValidationPolicy[] = [
    {
      name: "options",
      description: "Each policy and each option that the pack's configuration names is there.",
      enforcementLevel: "mandatory",
      severity: "high",
      url: `${page}#setting-levels-and-options`,
      validateStack: (_args, report) =>
        unknownNames(
          given(),
          policies.map((policy) => policy.name),
          invariants,
        ).forEach((problem) => report(sentence(problem))),
    },
    {
      name: "waivers",
      description: "Each waiver names policy, resource, reason, last day and a person, and hasn't expired.",
      enforcementLevel: "mandatory",
      severity: "high",
      url: `${page}#waivers`,
      validateStack: (_args, report) => waivers().problems.forEach((problem) => report(sentence(problem))),
    },
    {
      name: "waived",
      description: "Says which violations the stack's waivers let pass.",
      enforcementLevel: "advisory",
      severity: "medium",
      url: `${page}#waivers`,
      validateStack: (_args, report) =>
        run.waivedBy(waivers().waivers).forEach(({ waiver, count }) => report(told(waiver, count))),
    },
    {
      name: "judged-later",
      description: "Says what can't be judged before the update, since values aren't known yet.",
      enforcementLevel: "advisory",
      severity: "low",
      url: `${page}#what-it-doesnt-see`,
      validateStack: (_args, report) => run.later().forEach((line) => report(line)),
    },
  ];
  const policies = [
    ...invariants.map(policyOf),
    ...notices,
    ...protectionPolicies({ config, today, ...(state && { state }) }),
  ];
  return policies;
}
