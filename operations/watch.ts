import { setTimeout as delay } from "node:timers/promises";
import { clusterLabel } from "../components/names";
import { type OperatorPlan } from "../components/engine";
import { UserError } from "../stacks/userError";
import { plannedCluster, type Subject } from "./health";
import { isReady, type KubeObject, resourceOf, selectorOf } from "./kubectl";
import { type StepContext } from "./progress";
import { givenUp, Patience, stuck, type Stuck } from "./stuck";

const EVERY_MS = 5_000;

/** The pods of a platform: those of its engine, its poolers, and its operator where one is given. */
export async function podsOf(
  { kubectl, settings, plan }: Subject,
  operator?: OperatorPlan,
): Promise<KubeObject[]> {
  const { namespace, name } = settings.cluster;
  const lists = await Promise.all([
    plan.pods.kind === "pods" ? kubectl.list("pods", namespace, selectorOf(plan.pods.labels)) : [],
    kubectl.list("pods", namespace, `${clusterLabel}=${name}`),
    operator ? kubectl.list("pods", operator.namespace, selectorOf(operator.podLabels)) : [],
  ]);
  return [
    ...new Map(lists.flat().map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod])).values(),
  ];
}

/**
 * Takes an instance away, with the volumes of its copy, that never starts and that nobody wants any more: the operator would
 * wait for it before it takes any away. Only when as many instances as are wanted are ready, the primary among them.
 */
async function removeSurplus(subject: Subject, seen: readonly Stuck[], context: StepContext): Promise<void> {
  const idle = seen.filter(({ everRan, ofJob, claims }) => !everRan && !ofJob && claims.length > 0);
  if (idle.length === 0) return;
  const live = await clusterObject(subject);
  const shape = live && subject.engine.shape(live);
  const ready = (await instances(subject)).filter(isReady).map(({ metadata }) => metadata.name);
  if (shape?.primary === undefined || !ready.includes(shape.primary) || ready.length < shape.instances)
    return;
  for (const { pod, claims } of idle) {
    context.say(`${pod} never started and is one more than wanted: it is taken away with its volumes`);
    await remove(subject, ["persistentvolumeclaim", ...claims]);
    await removePod(subject, pod);
  }
}

/** How often the cluster object's specification has been changed, by the API server's count. */
async function generation(subject: Subject): Promise<number | undefined> {
  return ((await clusterObject(subject))?.metadata as { generation?: number } | undefined)?.generation;
}

/** The live object of the database cluster. */
async function clusterObject(subject: Subject): Promise<KubeObject | undefined> {
  const { apiVersion, kind, metadata } = plannedCluster(subject).object;
  const { name, namespace = "" } = metadata;
  // Before the first installation the kind isn't known.
  return subject.kubectl.get(resourceOf(apiVersion, kind), namespace, name).catch(() => undefined);
}

/**
 * Does `work` and looks at the platform's pods meanwhile. A pod that doesn't start (an image that isn't there, no node …) ends
 * the work after the patience for its reason, with one sentence: neither Pulumi nor the operator would give up before many minutes.
 *
 * An instance that an earlier, given-up update left behind without ever starting is deleted once the new specification is
 * there: the operator waits for such a pod for ever, and makes it anew, on its volume, when it is gone. `changesCluster` says
 * whether the work changes that specification.
 */
export async function whileWatching<T>(
  subject: Subject,
  operator: OperatorPlan | undefined,
  changesCluster: boolean,
  context: StepContext,
  work: (signal: AbortSignal) => Promise<T>,
  { everyMs = EVERY_MS, now = Date.now }: { everyMs?: number; now?: () => number } = {},
): Promise<T> {
  const end = new AbortController();
  const over = new AbortController();
  const patience = new Patience();
  let reasons: Stuck[] = [];
  const before = await leftovers(subject);
  const first = await generation(subject);
  const look = async () => {
    const seen = (await podsOf(subject, operator)).flatMap((pod) => stuck(pod) ?? []);
    const left = seen.filter(({ uid }) => before.has(uid));
    if (left.length > 0 && (!changesCluster || (await generation(subject)) !== first))
      for (const { pod, reason } of left) {
        context.say(`${pod} never started (${reason}): it is deleted, and the operator makes it anew`);
        await removePod(subject, pod);
      }
    await removeSurplus(
      subject,
      seen.filter(({ uid }) => !before.has(uid)),
      context,
    );
    const fresh = seen.filter((one) => !left.includes(one));
    reasons = patience.exhausted(fresh, now());
    if (reasons.length > 0) end.abort();
  };
  const watching = (async () => {
    while (!over.signal.aborted && !end.signal.aborted) {
      // Looking is a help only: an API server that is silent for a moment ends no update.
      await look().catch((error: unknown) =>
        context.detail(`looking at the pods: ${(error as Error).message}`),
      );
      await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    return await work(end.signal);
  } catch (error) {
    throw reasons.length > 0 ? new UserError(givenUp(reasons)) : error;
  } finally {
    over.abort();
    await watching;
  }
}

/** The engine's pods; none when they can't be looked at. */
async function instances({ kubectl, settings, plan }: Subject): Promise<KubeObject[]> {
  if (plan.pods.kind !== "pods") return [];
  return kubectl.list("pods", settings.cluster.namespace, selectorOf(plan.pods.labels)).catch(() => []);
}

/** Instances that are stuck and have never run, by the ids of their pods. */
async function leftovers(subject: Subject): Promise<Set<string>> {
  const found = (await instances(subject)).flatMap((pod) => stuck(pod) ?? []);
  return new Set(found.filter(({ everRan, ofJob }) => !everRan && !ofJob).map(({ uid }) => uid));
}

const removePod = (subject: Subject, pod: string): Promise<void> => remove(subject, ["pod", pod]);

async function remove({ kubectl, settings }: Subject, what: readonly string[]): Promise<void> {
  const at = ["-n", settings.cluster.namespace, "delete", ...what];
  await kubectl.run([...at, "--ignore-not-found", "--wait=false"]);
}
