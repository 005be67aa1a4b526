import { setTimeout as delay } from "node:timers/promises";
import { primaryOf } from "../plan/engines/acts";
import type { Shape } from "../plan/engines/live";
import type { StepContext } from "../shell/progress";
import { sameInPods } from "../plan/changes/cluster";
import { bestStandby, membersOf, run, sceneAt } from "./act";
import { handOver, runStep, writingPoolers } from "./handOver";
import { plannedCluster, type Subject } from "./health";
import { clusterObject } from "./platform";
import { BusyError } from "./quiet";

/** How long a rolling restart waits for transactions that last long, before it ends them, in seconds. */
const BUSY_SECONDS = 120;
const SETTLES_MS = 10_000;

/** Whether the engine still leaves the primary's restarts to an update that was killed. */
export async function isLeft(subject: Subject): Promise<boolean> {
  const object = await clusterObject(subject).catch(() => undefined);
  return object !== undefined && subject.live.rolling?.isLeft(object) === true;
}

/**
 * Does `work`, an update. Where it restarts the primary and the engine can leave that to somebody else, it is done here while the poolers hold their
 * clients, by a switchover, or in its place. Without poolers, and for other engines, the engine does it.
 */
export async function whileRolling<T>(
  subject: Subject,
  live: Shape | undefined,
  context: StepContext,
  signal: AbortSignal,
  work: () => Promise<T>,
  settlesMs = SETTLES_MS,
): Promise<T> {
  const { rolling } = subject.live;
  const planned = plannedCluster(subject).shape;
  const found = { platform: subject, subject };
  if (live === undefined || rolling?.fits(live, planned) !== true) return work();
  if ((await writingPoolers(found)).pods.length === 0) return work();
  const { name } = subject.settings.cluster;
  const leave = (on: boolean) =>
    // That it is given back isn't to be interrupted.
    runStep(subject, rolling.leave(name, on), context, on ? signal : new AbortController().signal);
  // Once: a restart in its place that didn't do leaves a pod that has to be made again, as after the operator's own upgrade.
  let inPlace = sameInPods(live, planned);
  let done = 0;
  const endTurn = async (busySince: number) => {
    const object = await clusterObject(subject);
    // What the object says right after a turn may be older than that.
    if (object === undefined || Date.now() - done < settlesMs || !rolling.waits(object)) return undefined;
    const members = await membersOf(subject);
    const instance = bestStandby(members)?.name;
    const scene = sceneAt(subject, object, members, instance);
    const act = rolling.end(scene, inPlace);
    const leader = inPlace || instance === undefined ? primaryOf(scene) : instance;
    const steps = async () => {
      for (const step of act.steps) await run(subject, step, context, signal);
    };
    try {
      await handOver(found, scene, act, leader, steps, context, signal);
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      if (Date.now() - busySince < BUSY_SECONDS * 1000) {
        context.detail(`the primary's restart waits: ${error.message}`);
        return busySince;
      }
      context.say(`warning: ${error.message}: it is interrupted`);
      await steps();
    }
    done = Date.now();
    inPlace = false;
    return undefined;
  };
  await leave(true);
  const over = new AbortController();
  const turns = (async () => {
    let busySince: number | undefined;
    while (!over.signal.aborted && !signal.aborted) {
      busySince = await endTurn(busySince ?? Date.now()).catch((error: unknown) => {
        context.detail(`the primary's turn: ${(error as Error).message}`);
        return undefined;
      });
      await delay(500, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await turns;
    await leave(false).catch((error: unknown) =>
      context.say(
        `warning: the engine still leaves the primary's restarts to \`make up\`: ${(error as Error).message}`,
      ),
    );
  }
}
