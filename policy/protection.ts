import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { remadeBy } from "../plan/changes/fixed";
import { type Allowance, keptByGuardOnly, standing, thingOf, told, unknownNames } from "../plan/guarded";
import { namespace, type Problem, sentence } from "../settings/problem";
import { isRecord } from "../settings/record";
import { protectionName } from "./arguments";
import { tierOf } from "./levels";
import { plain } from "./objects";
import type { State, StateResource } from "./stackConfig";

/**
 * What is protected in the state is neither deleted nor replaced. Pulumi shows policies what there will be and not what there was: that is read from the state. A
 * replacement is refused before it is made; a deletion at the preview, since the engine deletes before it asks policies about the stack.
 */

type Config = Readonly<Record<string, string>>;

export interface ProtectionSources {
  readonly config: () => Config;
  /** `YYYY-MM-DD` */
  readonly today: () => string;
  /** The state before the update. @default - it isn't read: the stack has no settings of the platform */
  readonly state?: () => Promise<State> | undefined;
}

const page = "docs/changes.md#protection";
const way =
  "by `make up` once pgplatform:allow names it and there is a verified backup, whose age only `make up` reads";

function parsed(config: Config, key: string): unknown {
  const text = config[`${namespace}:${key}`];
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isEnabled = (config: Config): boolean => {
  const given = parsed(config, "protection");
  const enabled = isRecord(given) ? given.enabled : undefined;
  return typeof enabled === "boolean" ? enabled : tierOf(config) === "prod";
};

function allowances(config: Config): { readonly allow: readonly Allowance[]; readonly problems: Problem[] } {
  const given = parsed(config, "allow") ?? [];
  const isEntry = (one: unknown): one is Allowance =>
    isRecord(one) && typeof one.what === "string" && typeof one.until === "string";
  if (Array.isArray(given) && given.every(isEntry)) return { allow: given, problems: [] };
  const form = { allowed: "a list of { what, until }", fix: "write it so, or remove it" };
  return { allow: [], problems: [{ path: `${namespace}:allow`, value: given, ...form }] };
}

/** Whether the guard still holds it; `make up` lifts both, once it has looked for a backup. */
const isHeld = (resource: StateResource): boolean =>
  resource.protect === true || (resource.retainOnDelete === true && keptByGuardOnly(resource));

/** What the guard holds, by its URN. */
const findHeld = (
  resources: readonly StateResource[],
): Map<string, { thing: string; resource: StateResource }> =>
  new Map(
    resources.flatMap((resource) => {
      const thing = isHeld(resource) ? thingOf(resource) : undefined;
      return thing === undefined ? [] : [[resource.urn, { thing, resource }] as const];
    }),
  );

const heldOnce = new WeakMap<object, ReturnType<typeof findHeld>>();
function heldIn(resources: readonly StateResource[]): ReturnType<typeof findHeld> {
  const held = heldOnce.get(resources) ?? findHeld(resources);
  heldOnce.set(resources, held);
  return held;
}

const refusal = (thing: string, what: string): Problem => ({
  path: thing,
  value: undefined,
  wrong: what,
  allowed: way,
  fix: "undo the change, or make it that way",
});

const message = (problem: Problem): string => `${sentence(problem)}\nSee ${page}`;

/** A value that isn't known yet compares with nothing; the engine refuses then, since the resource is protected. */
function remade(type: string, before: object, props: unknown): string | undefined {
  try {
    return remadeBy(type, before, plain(props) as object);
  } catch {
    return undefined;
  }
}

/** The thing that a registered resource is, where that is known. */
function thingKnown(urn: string, props: unknown): readonly string[] {
  try {
    const thing = thingOf({ urn, inputs: plain(props) as object });
    return thing === undefined ? [] : [thing];
  } catch {
    return [];
  }
}

export function protectionPolicies({
  config,
  today,
  state,
}: ProtectionSources): (ResourceValidationPolicy | StackValidationPolicy)[] {
  const described = {
    enforcementLevel: "mandatory" as const,
    severity: "critical" as const,
    url: page,
  };
  const protectedData = {
    ...described,
    name: protectionName,
    displayName: "Protected data",
    description: "What is protected in the stack's state is neither deleted nor replaced.",
    remediationSteps: `Undo the change, or make it ${way}.`,
    validateResource: async (args, report) => {
      const before = await state?.();
      if (before === undefined || "why" in before) return;
      const held = heldIn(before.resources);
      const former = [args.urn, ...(args.opts.aliases ?? [])].flatMap((urn) => held.get(urn) ?? [])[0];
      const field = former && remade(args.type, former.resource.inputs ?? {}, args.props);
      if (former !== undefined && field !== undefined)
        report(message(refusal(former.thing, `the update replaces it, since ${field} changes`)));
    },
    validateStack: async (args, report) => {
      const before = await state?.();
      if (before === undefined) return;
      const { allow, problems } = allowances(config());
      const stood = standing(allow, today());
      [...problems, ...stood.problems].forEach((problem) => report(sentence(problem)));
      if ("why" in before) {
        if (isEnabled(config()))
          report(
            sentence({
              path: `${namespace}:protection`,
              value: undefined,
              wrong: `the stack's state can't be read (${before.why})`,
              allowed: "an update whose deletions can be seen",
              fix: "run it where `pulumi stack export` works",
            }),
          );
        return;
      }
      const there = new Set(args.resources.flatMap(({ urn, opts }) => [urn, ...(opts.aliases ?? [])]));
      const held = heldIn(before.resources);
      for (const { thing, resource } of held.values())
        if (!there.has(resource.urn)) report(message(refusal(thing, "the update deletes it")));
      const now = allow.length === 0 ? [] : before.resources.flatMap((one) => thingOf(one) ?? []);
      // From nothing there is nothing that an entry could name.
      if (now.length === 0) return;
      const known = new Set([...now, ...args.resources.flatMap(({ urn, props }) => thingKnown(urn, props))]);
      unknownNames(allow, known).forEach((problem) => report(sentence(problem)));
    },
  } satisfies ResourceValidationPolicy & Pick<StackValidationPolicy, "validateStack">;
  return [
    protectedData,
    {
      ...described,
      name: "allowed",
      enforcementLevel: "advisory",
      severity: "medium",
      description: "Says what the stack allows to be deleted or replaced for a time.",
      validateStack: (_args, report) =>
        standing(allowances(config()).allow, today()).allowed.forEach((one) => report(told(one))),
    },
  ];
}
