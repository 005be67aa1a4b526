import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { keep, Watch, type Observation } from "../e2e/kit/observation";
import { say, until } from "../e2e/kit/wait";
import { type Leadership } from "../e2e/kit/cluster";
import { type Fault } from "./fault";
import { Scene } from "./scene";
import { waitWhole } from "./whole";

/** How often a run that doesn't count is repeated before it is given up. */
const REPEATS = 2;
/** Longest wait for a fault's own effect. */
const EFFECT_SECONDS = 90;

/** One run of a fault that counts. */
export interface FaultRun extends Observation {
  fault: string;
  name: string;
  before: Leadership;
  after: Leadership;
  /** What the fault's effect was. */
  effect: string;
  /** Seconds from the fault to its effect, and to all instances, poolers and nodes whole again. */
  effectSeconds: number;
  wholeSeconds: number;
  figures: Record<string, number>;
  notes: Record<string, number | string>;
  /** How long this run took with everything around it. */
  runSeconds: number;
}

/** What a run needs besides the fault; `clients` changes when client pods must move to other nodes. */
export interface Setting {
  env: Environment;
  clients: Clients;
}

async function placeClients({ clients }: Setting, nodes: readonly string[]): Promise<Clients> {
  const [pooled, direct] = await Promise.all([
    clients.pooled.awayFrom(nodes),
    clients.direct.awayFrom(nodes),
  ]);
  return { ...clients, pooled, direct };
}

/** Takes the fault back, again and again while what it needs is still coming up. */
async function takeBack(fault: Fault, scene: Scene): Promise<void> {
  await until(`${fault.id}: taken back`, 120, async () => {
    await fault.heal?.(scene);
    return { done: undefined };
  });
}

async function attempt(setting: Setting, fault: Fault): Promise<FaultRun | string> {
  const { env } = setting;
  const began = Date.now();
  await waitWhole(env);
  await env.cluster.freshPods();
  const scene = await Scene.observe(env, setting.clients);
  setting.clients = scene.clients = await placeClients(setting, fault.nodes?.(scene) ?? []);
  let watch: Watch | undefined;
  let broken = false;
  try {
    broken = fault.prepare !== undefined || fault.arm !== undefined;
    await fault.prepare?.(scene);
    scene.watch = watch = await Watch.start(env, setting.clients, { revive: fault.takesClients === true });
    await fault.arm?.(scene);

    const { primary, startedAt } = await env.cluster.leadership();
    if (primary !== scene.before.primary || startedAt !== scene.before.startedAt) {
      if (broken) await takeBack(fault, scene);
      await watch.abandon();
      return "the primary was another one, or a restarted one, before the fault was there";
    }
    await watch.mark();
    broken = true;
    const injected = Date.now();
    await fault.inject(scene);
    const effect = await until(`${fault.name}: its effect`, EFFECT_SECONDS, () => fault.effect(scene), 250);
    const effectSeconds = (Date.now() - injected) / 1000;
    await fault.hold?.(scene);
    if (fault.heal !== undefined) {
      if (fault.takesClients !== true) await watch.heal();
      await takeBack(fault, scene);
    }
    broken = false;
    await waitWhole(env);
    const wholeSeconds = (Date.now() - injected) / 1000;

    const after = await env.cluster.leadership();
    const seen = await watch.finish();
    await fault.after?.(scene);
    if (typeof seen === "string") return seen;
    const { logs, ...observation } = seen;
    return {
      fault: fault.id,
      name: fault.name,
      before: scene.before,
      after,
      effect,
      effectSeconds,
      wholeSeconds,
      ...observation,
      figures: fault.figures?.(scene, logs) ?? {},
      notes: scene.notes,
      runSeconds: (Date.now() - began) / 1000,
    };
  } catch (error) {
    if (broken) await takeBack(fault, scene).catch((failure: Error) => say(failure.message));
    await watch?.abandon();
    throw error;
  }
}

/** One run that counts: repeated when the writers were too slow for it to prove anything. */
export async function runFault(setting: Setting, fault: Fault): Promise<FaultRun> {
  const reasons: string[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const result = await attempt(setting, fault);
    if (typeof result !== "string") {
      await keep(result.run, { "result.json": JSON.stringify(result, undefined, 2) });
      return result;
    }
    reasons.push(result);
    say(`${fault.id} doesn't count: ${result}`);
  }
  throw new Error(`${fault.id}, ${fault.name}: no run counts: ${reasons.join("; ")}`);
}
