import { setTimeout as delay } from "node:timers/promises";
import {
  type Act,
  type ActName,
  type ActScene,
  type Member,
  type Refused,
  type Step,
} from "../plan/engines/acts";
import { type Progress, type StepContext } from "../shell/progress";
import { UserError } from "../shell/userError";
import { confirm } from "./confirm";
import { handOver, runStep } from "./handOver";
import { isReady, type KubeObject } from "./kubectl";
import { BusyError } from "./quiet";
import { clusterObject, type Found, instancePods, isCalledPrimary, type Platform, placeOf } from "./platform";
import { askInstance, type Answer, writeRow } from "./status/ask";
import { age, size } from "./status/words";

/** What acts on a running cluster: it looks, says what will happen, asks, does it, and waits until it can be seen. */

export interface Wanted {
  readonly act: ActName;
  /** As the user names the command. */
  readonly command: string;
  readonly instance?: string | undefined;
  readonly instances?: number | undefined;
}

/** An instance with what it answers. */
export interface Asked extends Member {
  readonly ready: boolean;
  readonly answer?: Answer;
}

export async function membersOf(platform: Platform): Promise<Asked[]> {
  const pods = await instancePods(platform);
  return Promise.all(
    pods.map(async (pod): Promise<Asked> => {
      const { name } = pod.metadata;
      const { answer } = await askInstance(platform, name);
      return {
        name,
        primary: isCalledPrimary(platform.engine, pod),
        ready: isReady(pod),
        ...(answer && { answer }),
      };
    }),
  );
}

const isRefused = (act: Refused | ((scene: ActScene) => Act)): act is Refused => typeof act !== "function";

/** The standby that has most: one that confirms commits before others. */
export function bestStandby(members: readonly Asked[]): Asked | undefined {
  const confirms = members
    .flatMap(({ answer }) => answer?.standbys ?? [])
    .filter(({ sync }) => sync === "sync" || sync === "quorum")
    .map(({ name }) => name);
  const rank = ({ name, ready, answer }: Asked): number[] => [
    answer === undefined ? 0 : 1,
    confirms.includes(name) ? 1 : 0,
    ready ? 1 : 0,
    answer?.lsn ?? 0,
  ];
  return members
    .filter(({ primary }) => !primary)
    .sort((one, other) => {
      const [mine, theirs] = [rank(one), rank(other)];
      const index = mine.findIndex((value, at) => value !== theirs[at]);
      return index < 0 ? one.name.localeCompare(other.name) : (theirs[index] ?? 0) - (mine[index] ?? 0);
    })[0];
}

const refuse = (what: string, value: string, allowed: string, fix: string): never => {
  throw new UserError([`${what}: "${value}" is not allowed. Allowed: ${allowed}. Fix: ${fix}.`]);
};

const listOf = (members: readonly Member[]): string =>
  members
    .map(({ name }) => name)
    .sort()
    .join(", ") || "none";

/** The instance that an act is about; a sentence where it can't be that one. */
export function instanceFor({ act, instance }: Wanted, members: readonly Asked[]): string | undefined {
  const standbys = members.filter(({ primary }) => !primary);
  const primary = members.find((one) => one.primary);
  const known = (among: readonly Asked[], what: string) =>
    among.some(({ name }) => name === instance)
      ? instance
      : refuse(what, instance ?? "", listOf(among), "name one of them");
  switch (act) {
    case "switchover":
    case "failover": {
      if (instance !== undefined) return known(standbys, "--to");
      const best = bestStandby(members);
      if (best === undefined)
        throw new UserError(["There is no standby that could lead: `pgp status` says why."]);
      return best.name;
    }
    case "reinit":
      return known(standbys, "standby");
    case "restart":
      return instance === undefined ? primary?.name : known(members, "instance");
    case "fence":
      return known(members, "instance");
    case "unfence":
      return instance ?? "*";
    default:
      return undefined;
  }
}

/** What a switchover or a failover may lose, and whether it can be. */
export function promotionNotes(act: ActName, to: string, members: readonly Asked[]): string[] {
  const primary = members.find((one) => one.primary);
  const target = members.find(({ name }) => name === to);
  const [mine, theirs] = [primary?.answer, target?.answer];
  if (act === "switchover") {
    if (mine === undefined)
      throw new UserError([
        `${primary?.name ?? "The primary"} does not answer, so it can't hand over. Fix: \`pgp failover\`, which says what may be lost.`,
      ]);
    if (theirs?.standby !== true || !theirs.streams)
      throw new UserError([
        `${to} does not stream from the primary, so it can't take over. Fix: name another standby with --to.`,
      ]);
    return [];
  }
  if (theirs === undefined)
    throw new UserError([
      `${to} does not answer, so it can't be promoted. Fix: name another standby with --to.`,
    ]);
  if (mine?.lsn != null && theirs.lsn !== null) {
    const behind = Math.max(0, mine.lsn - theirs.lsn);
    return [
      behind === 0
        ? `${to} has replayed all that ${primary?.name} has written by now: nothing is lost of what was acknowledged so far. ${primary?.name} answers: \`pgp switchover\` hands over in order.`
        : `${to} has yet to replay ${size(behind)} of what ${primary?.name} has written: MAY BE LOST. \`pgp switchover\` loses nothing.`,
    ];
  }
  const last = theirs.lastCommit;
  return [
    `The primary doesn't answer: what it acknowledged and ${to} doesn't have IS LOST.` +
      (last === null ? "" : ` The newest commit that ${to} has is ${age(theirs.now - last)} old.`),
  ];
}

/** What is acted on, as it is at this moment. */
export const sceneAt = (
  { settings }: Platform,
  object: KubeObject,
  members: readonly Member[],
  instance: string | undefined,
): ActScene => ({
  cluster: settings.cluster.name,
  object,
  members: members.map(({ name, primary }) => ({ name, primary })),
  ...(instance !== undefined && { instance }),
  now: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
});

/** The act's scene and its plan, before anything is done. */
export async function planOf(found: Found, wanted: Wanted): Promise<{ act: Act; scene: ActScene }> {
  const { platform, subject } = found;
  const { act: name, command } = wanted;
  const how = platform.live.acts[name];
  if (isRefused(how))
    throw new UserError([
      `\`pgp ${command}\`: the engine ${platform.engine.name} can't: ${how.because}. Instead: ${how.instead}.`,
    ]);
  const [object, members] = await Promise.all([clusterObject(platform), membersOf(platform)]);
  if (object === undefined) throw new UserError([`There is no cluster ${placeOf(platform)}.`]);
  const instance = instanceFor(wanted, members);
  const instances = wanted.instances ?? subject?.settings.cluster.instances;
  const scene: ActScene = {
    ...sceneAt(platform, object, members, instance),
    ...(instances !== undefined && { instances }),
  };
  const act = how(scene);
  const notes =
    name === "switchover" || name === "failover" ? promotionNotes(name, instance ?? "", members) : [];
  return { act: { ...act, plan: [...act.plan, ...notes] }, scene };
}

const WAIT_MS = 10 * 60_000;

/** Waits until nothing is missing, and says meanwhile what is; what is still missing when the time is over. */
export async function missingAfter(
  waitMs: number,
  why: () => Promise<string | undefined>,
  context: StepContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const end = Date.now() + waitMs; ;) {
    const missing = await why().catch((error: unknown) => (error as Error).message);
    if (missing === undefined) return undefined;
    context.detail(missing);
    if (signal.aborted) throw new Error("interrupted");
    if (Date.now() > end) return missing;
    await delay(500, undefined, { signal }).catch(() => undefined);
  }
}

/** Waits until something can be seen, and says meanwhile why not yet. */
export async function until(
  why: () => Promise<string | undefined>,
  context: StepContext,
  signal: AbortSignal,
  waitMs = WAIT_MS,
): Promise<void> {
  const missing = await missingAfter(waitMs, why, context, signal);
  if (missing !== undefined)
    throw new UserError([`It is begun and not seen to be done: ${missing}. \`pgp status\` says more.`]);
}

/** Does one step of an act. */
export async function run(
  platform: Platform,
  step: Step,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> {
  if ("wait" in step) return until(() => unready(platform), context, signal);
  return runStep(platform, step, context, signal);
}

/** Why not every instance is ready; undefined when all are. */
async function unready(platform: Platform, wanted?: number): Promise<string | undefined> {
  const pods = await instancePods(platform);
  const waiting = pods.find((pod) => !isReady(pod));
  if (waiting !== undefined) return `${waiting.metadata.name} is not ready`;
  return wanted !== undefined && pods.length !== wanted
    ? `${pods.length} of ${wanted} instances are there`
    : undefined;
}

/** Why writes don't work at the primary, or at this one; undefined when they do. */
export async function unwritable(found: Found, at?: string): Promise<string | undefined> {
  const { platform, subject } = found;
  const pods = await instancePods(platform);
  const primary = pods.find((pod) => isCalledPrimary(platform.engine, pod))?.metadata.name;
  if (primary === undefined) return "no instance is called the primary";
  if (at !== undefined && primary !== at) return `${primary} is still called the primary`;
  const database = subject?.settings.cluster.databases[0]?.name ?? (subject ? "postgres" : "");
  const { milliseconds, why } = await writeRow(platform, primary, database);
  return milliseconds === undefined ? `${primary}: ${why}` : undefined;
}

/** What is waited for after an act: why it isn't so yet. */
function seen(found: Found, { act }: Wanted, scene: ActScene): () => Promise<string | undefined> {
  const { platform } = found;
  const shape = platform.live.shape(scene.object);
  switch (act) {
    case "switchover":
    case "failover":
      return () => unwritable(found, scene.instance);
    case "hibernate":
      return async () => {
        const pods = await instancePods(platform);
        return pods.length === 0 ? undefined : `${pods.length} pods are still there`;
      };
    case "fence":
    case "reload":
      return () => Promise.resolve(undefined);
    case "scale":
      return () => unready(platform, scene.instances);
    case "wake":
      return async () => {
        const pods = await instancePods(platform);
        if (pods.length === 0) return "no pod is there yet";
        // An object that said 0 until now doesn't say how many there will be.
        const all = shape?.instances === 0 ? undefined : shape?.instances;
        return (await unready(platform, all)) ?? (await unwritable(found));
      };
    default:
      return async () => (await unready(platform, shape?.instances)) ?? (await unwritable(found));
  }
}

/** Whether PostgreSQL of an instance has been started since. */
async function startedSince(
  platform: Platform,
  names: readonly string[],
  since: ReadonlyMap<string, number>,
) {
  for (const name of names) {
    const { answer } = await askInstance(platform, name);
    if (answer === undefined) return `${name} does not answer yet`;
    if (answer.startedAt <= (since.get(name) ?? 0)) return `${name} has not been restarted yet`;
  }
  return undefined;
}

export interface Done {
  readonly seconds: number;
  readonly scene: ActScene;
}

/** The instance that leads after what clients of poolers wait through; undefined for everything else. */
const leaderAfter = (act: ActName, { instance, members }: ActScene): string | undefined =>
  act === "switchover" || (act === "restart" && members.some((one) => one.primary && one.name === instance))
    ? instance
    : undefined;

/** Shows the plan, asks, does it and waits until it can be seen. */
export async function perform(
  found: Found,
  wanted: Wanted,
  progress: Progress,
  signal: AbortSignal,
): Promise<Done> {
  const { platform, context } = found;
  const planned = await planOf(found, wanted);
  progress.line(`${wanted.command} of ${placeOf(platform)} (${platform.engine.name}, context ${context}):`);
  planned.act.plan.forEach((sentence) => progress.line(`  ${sentence}`));
  if (wanted.act !== "reload" && wanted.act !== "unfence" && wanted.act !== "wake")
    await confirm(`${wanted.command} ${placeOf(platform)} now?`);
  return carryOut(found, wanted, planned, progress, signal);
}

/** Does what was planned, and waits until it can be seen. */
export async function carryOut(
  found: Found,
  wanted: Wanted,
  { act, scene }: { readonly act: Act; readonly scene: ActScene },
  progress: Progress,
  signal: AbortSignal,
): Promise<Done> {
  const { platform } = found;
  const before = await membersOf(platform);
  const starts = new Map(before.map(({ name, answer }) => [name, answer?.startedAt ?? 0]));
  const begun = Date.now();
  await progress.step(wanted.command, async (step) => {
    const steps = async () => {
      for (const one of act.steps) await run(platform, one, step, signal);
    };
    const leader = leaderAfter(wanted.act, scene);
    if (leader === undefined) await steps();
    else
      await handOver(found, scene, act, leader, steps, step, signal).catch((error: unknown) => {
        if (!(error instanceof BusyError)) throw error;
        throw new UserError([
          `Nothing was changed: ${error.message}. Fix: wait until it has ended, or end it: \`pgp blockers\` shows it.`,
        ]);
      });
    if (wanted.act === "restart" || wanted.act === "restartAll") {
      const names = wanted.act === "restart" ? [scene.instance ?? ""] : scene.members.map(({ name }) => name);
      await until(() => startedSince(platform, names, starts), step, signal);
    }
    if (wanted.act === "reinit")
      await until(() => copied(platform, scene.instance ?? "", before), step, signal);
    await until(seen(found, wanted, scene), step, signal);
  });
  return { seconds: (Date.now() - begun) / 1000, scene };
}

/** Whether a standby was made again: under its name it was started later, or it is another that streams. */
async function copied(
  platform: Platform,
  instance: string,
  before: readonly Asked[],
): Promise<string | undefined> {
  const now = await membersOf(platform);
  const old = before.find(({ name }) => name === instance)?.answer?.startedAt ?? 0;
  const same = now.find(({ name }) => name === instance);
  const fresh = now.find(({ name }) => !before.some((one) => one.name === name));
  const made = same ?? fresh;
  if (made?.answer === undefined) return `${made?.name ?? "the new standby"} does not answer yet`;
  if (made === same && made.answer.startedAt <= old) return `${instance} has not begun yet`;
  return made.answer.standby && made.answer.streams ? undefined : `${made.name} does not stream yet`;
}
