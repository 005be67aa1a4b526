import {
  type Allowance,
  keptByGuardOnly,
  type Loss,
  standing,
  thingOf,
  told,
  unknownNames,
} from "../plan/guarded";
import { dayAt, today } from "../settings/day";
import { namespace, type Problem, sentence } from "../settings/problem";
import type { Settings } from "../settings/schema";
import { type StepContext } from "../shell/progress";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { allowDestructive, lossOf } from "./plannedSteps";
import { type PlannedStep, ProtectedPlan, type Stack, type StateResource } from "./pulumi";
import { execInWatcher } from "./targets";

/** What deletes or replaces something protected: refused, unless the stack names it and a backup was found good a short time ago. */

const HOUR = 3_600_000;
/** How far the clock of the watcher's node may be ahead of ours. */
const AHEAD_MS = 5 * 60_000;

/** The newest verified backup: when a restore of it was found good, in milliseconds since 1970, or why that isn't known. */
export type Verified = { readonly at: number } | { readonly why: string };

const READ_VERIFIED = "grep '^pgplatform_backup_verified_timestamp_seconds' /state/metrics.txt; true";

/** What the watcher's metrics say of verified backups. */
export function verifiedIn(metrics: string): Verified {
  const moments = metrics
    .split("\n")
    .flatMap(
      (line) =>
        /^pgplatform_backup_verified_timestamp_seconds\{[^}]*\} (\d+(?:\.\d+)?(?:e\+?\d+)?)$/.exec(
          line,
        )?.[1] ?? [],
    )
    .map((seconds) => Number(seconds) * 1000);
  return moments.length === 0
    ? { why: "no restore of a backup of this archive was found good yet" }
    : { at: Math.max(...moments) };
}

/** Asks the watcher of the backups, which reads it in the targets. */
export async function newestVerified(subject: Subject): Promise<Verified> {
  if ((subject.settings.backup?.targets.length ?? 0) === 0) return { why: "the stack has no backups" };
  try {
    const { stdout, exitCode } = await execInWatcher(subject, ["sh", "-c", READ_VERIFIED], 30_000);
    return exitCode === 0 ? verifiedIn(stdout) : { why: "the watcher of the backups doesn't answer" };
  } catch {
    return { why: "the watcher of the backups doesn't answer" };
  }
}

/** What steps delete or replace of what is protected, each once. `enabled`: whether the settings protect what the state doesn't yet. */
export function lossesIn(
  steps: readonly PlannedStep[],
  resources: readonly StateResource[],
  enabled: boolean,
): Loss[] {
  const before = new Map(resources.map((resource) => [resource.urn, resource]));
  const found = steps.flatMap(({ op, urn, oldState }): Loss[] => {
    const resource = before.get(urn);
    const thing = thingOf({ urn, inputs: resource?.inputs ?? oldState?.inputs });
    const what = lossOf[op];
    if (thing === undefined || what === undefined) return [];
    return enabled || resource?.protect === true ? [{ thing, op: what, urn }] : [];
  });
  return [...new Map(found.map((loss) => [loss.urn, loss])).values()];
}

/** The entries that stand, each told; refuses those that have expired. */
export function toldAllowances({ allow }: Pick<Settings, "allow">, say: (line: string) => void): void {
  const { allowed, problems } = standing(allow, today());
  if (problems.length > 0) throw new UserError(problems.map(sentence));
  allowed.forEach((one) => say(told(one)));
}

export interface Judged {
  readonly settings: Pick<Settings, "allow" | "protection">;
  readonly losses: readonly Loss[];
  readonly allowed: readonly Allowance[];
  readonly verified: Verified;
  readonly now: number;
}

const hours = (milliseconds: number): string => {
  const whole = Math.floor(milliseconds / HOUR);
  return `${whole} ${whole === 1 ? "hour" : "hours"}`;
};

/** Why losses are refused; empty where all of them may be. */
export function refusals({ settings, losses, allowed, verified, now }: Judged): Problem[] {
  const { enabled, verifiedWithinHours: limit } = settings.protection;
  const names = new Set(allowed.map(({ what }) => what));
  const unnamed = [
    ...new Map(losses.filter(({ thing }) => !names.has(thing)).map((one) => [one.thing, one])).values(),
  ];
  const refused = unnamed.map(({ thing, op }): Problem => ({
    path: `${namespace}:allow`,
    value: undefined,
    wrong: `the plan ${op} ${thing}, which is protected${enabled ? "" : " until an update with protection.enabled: false has ended"}`,
    allowed: "what an entry names, with a verified backup that is young enough",
    fix: `undo the change, or add { what: ${thing}, until: ${dayAt(new Date(now))} }`,
  }));
  if (losses.length === unnamed.length) return refused;
  const age = "at" in verified ? now - verified.at : undefined;
  const why =
    "why" in verified
      ? `can't be read, since ${verified.why}`
      : age! < -AHEAD_MS
        ? "can't be told, since its clock is ahead of this machine's"
        : `is ${hours(Math.max(age!, 0))}`;
  const young = age !== undefined && age >= -AHEAD_MS && age < limit * HOUR;
  if (young) return refused;
  return [
    ...refused,
    {
      path: `${namespace}:protection.verifiedWithinHours`,
      value: limit,
      wrong: `the age of the newest verified backup ${why}, and the plan ${losses.map(({ op, thing }) => `${op} ${thing}`).join(", ")}; the limit`,
      allowed: `a backup of which a restore was found good less than ${limit} hours ago`,
      fix: "run `make backup` and `make verify`, and then this again; where there can be no backup, first make an update with protection.enabled: false",
    },
  ];
}

/** What the stack has now, or will have, by the names of `allow`; nothing where it has nothing yet. */
function knownIn(resources: readonly StateResource[], steps: readonly PlannedStep[] = []): Set<string> {
  const now = resources.flatMap((one) => thingOf(one) ?? []);
  const later = steps.flatMap(({ urn, newState }) => thingOf({ urn, inputs: newState?.inputs }) ?? []);
  return new Set(now.length === 0 ? [] : [...now, ...later]);
}

/** Refuses entries that name nothing, and losses that may not be. */
export async function judge(
  subject: Subject,
  losses: readonly Loss[],
  known: ReadonlySet<string>,
  verified: (subject: Subject) => Promise<Verified> = newestVerified,
): Promise<void> {
  const { settings } = subject;
  const now = Date.now();
  const { allowed, problems } = standing(settings.allow, dayAt(new Date(now)));
  // From nothing there is nothing that an entry could name.
  const wrong = [...problems, ...(known.size === 0 ? [] : unknownNames(settings.allow, known))];
  if (losses.length > 0)
    wrong.push(
      ...refusals({
        settings,
        losses,
        allowed,
        verified: losses.some(({ thing }) => allowed.some(({ what }) => what === thing))
          ? await verified(subject)
          : { why: "it was not asked for" },
        now,
      }),
    );
  if (wrong.length > 0) throw new UserError(wrong.map(sentence));
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** What it deletes or replaces of what is protected, all of it allowed. */
  readonly losses: readonly Loss[];
}

/** A plan, also one that Pulumi refuses for what is protected in it. Throws where something of that isn't allowed. */
export async function judgedPlan(
  stack: Pick<Stack, "preview" | "resources">,
  subject: Subject,
  plan: () => Promise<readonly PlannedStep[]>,
): Promise<Plan> {
  let steps: readonly PlannedStep[];
  let refusal: ProtectedPlan | undefined;
  try {
    steps = await plan();
  } catch (error) {
    if (!(error instanceof ProtectedPlan)) throw error;
    refusal = error;
    ({ steps } = error);
  }
  const { allow, protection } = subject.settings;
  // Most updates: the state needn't be read.
  if (refusal === undefined && allow.length === 0 && !steps.some(({ op }) => op in lossOf))
    return { steps, losses: [] };
  const resources = await stack.resources();
  const losses = lossesIn(steps, resources, protection.enabled);
  await judge(subject, losses, knownIn(resources, steps));
  // The engine protects something that the guard doesn't know: its own words are the ones to show.
  if (refusal !== undefined && losses.length === 0) throw refusal;
  return { steps, losses };
}

/** Whether a resource stays in any case when the stack lets go of it. */
export const staysAnyway = (resource: StateResource): boolean => !keptByGuardOnly(resource);

/** Plans the update, and asks about what it deletes; what may be deleted or replaced is no longer protected then. */
export async function plannedUpdate(
  stack: Stack,
  subject: Subject,
  context: StepContext,
): Promise<readonly PlannedStep[]> {
  const preview = () => stack.preview({ refresh: false, context });
  const { steps, losses } = await judgedPlan(stack, subject, preview);
  await allowDestructive(steps, context);
  if (losses.length === 0) return steps;
  await stack.lift(
    losses.map(({ urn }) => urn),
    staysAnyway,
  );
  return preview();
}

/** What `make destroy` deletes of what is protected: it stands for all of the stack, whose cluster the entry must name. */
export async function judgeDestroy(
  resources: readonly StateResource[],
  subject: () => Promise<Subject>,
  verified?: (subject: Subject) => Promise<Verified>,
): Promise<readonly string[]> {
  const held = resources.filter(({ protect }) => protect === true);
  const things = held.flatMap(({ urn, inputs }): Loss[] => {
    const thing = thingOf({ urn, inputs });
    return thing === undefined ? [] : [{ thing, op: "deletes", urn }];
  });
  if (things.length === 0) return [];
  const clusters = things.filter(({ thing }) => thing.startsWith("cluster "));
  const losses = clusters.length > 0 ? clusters : things;
  await judge(await subject(), losses, knownIn(resources), verified);
  return things.map(({ urn }) => urn);
}
