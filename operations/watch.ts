import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { clusterLabel } from "../plan/names";
import type { OperatorPlan } from "../plan/plan";
import { UserError } from "../shell/userError";
import { plannedCluster, type Subject } from "./health";
import { isReady, type KubeObject, resourceOf, selectorOf } from "./kubectl";
import { type StepContext } from "../shell/progress";
import { failedUpgrade } from "./upgrade";
import { givenUp, imagesIn, isIdle, ownerOf, Patience, stuck, type Stuck } from "./stuck";

const EVERY_MS = 5_000;
/** How much longer a pod may wait while the cluster object changes that waited before, or is a CronJob's run: the update gets to it later. */
const REPLACED_SECONDS = 180;

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
 * Removes an instance that never starts and is no longer wanted, with its volumes: the operator would wait for it before it
 * removes any. Only when as many instances as are wanted are ready, the primary among them.
 */
async function removeSurplus(subject: Subject, seen: readonly Stuck[], context: StepContext): Promise<void> {
  const idle = seen.filter((one) => isIdle(one) && one.claims.length > 0);
  if (idle.length === 0) return;
  const live = await clusterObject(subject);
  const shape = live && subject.live.shape(live);
  const ready = (await instances(subject)).filter(isReady).map(({ metadata }) => metadata.name);
  if (shape?.primary === undefined || !ready.includes(shape.primary) || ready.length < shape.instances)
    return;
  for (const { pod, claims } of idle) {
    context.say(`${pod} never started and is one more than wanted: it is removed with its volumes`);
    await remove(subject, ["persistentvolumeclaim", ...claims]);
    await removePod(subject, pod);
  }
}

interface CronSpec {
  jobTemplate: { spec: { template: { spec: Record<string, unknown> } } };
}

/**
 * Deletes a CronJob's run that never started and has other images than the next one: it would stay, and block the next.
 * Returns the ids of the runs' pods.
 */
async function removeFormerRuns(
  { kubectl, settings }: Subject,
  seen: readonly Stuck[],
  context: StepContext,
): Promise<Set<string>> {
  const { namespace } = settings.cluster;
  const runs = new Set<string>();
  for (const { uid, pod, owner, everRan, images } of seen) {
    if (everRan || owner?.kind !== "Job") continue;
    const job = await kubectl.get("job", namespace, owner.name);
    const maker = job && ownerOf(job);
    const cron = maker?.kind === "CronJob" ? await kubectl.get("cronjob", namespace, maker.name) : undefined;
    if (cron === undefined) continue;
    runs.add(uid);
    const { jobTemplate } = cron.spec as unknown as CronSpec;
    if (isDeepStrictEqual(imagesIn(jobTemplate.spec.template.spec), images)) continue;
    context.say(
      `${pod} never started, and CronJob ${cron.metadata.name} has another image by now: it is deleted`,
    );
    await remove({ kubectl, settings }, ["job", owner.name]);
  }
  return runs;
}

/** `metadata.generation` of what an instance is made by: its StatefulSet, or the cluster object. */
async function generation(subject: Subject, { owner }: Stuck): Promise<number | undefined> {
  const { kubectl, settings } = subject;
  const maker =
    owner?.kind === "StatefulSet"
      ? await kubectl.get("statefulset", settings.cluster.namespace, owner.name)
      : await clusterObject(subject);
  return (maker?.metadata as { generation?: number } | undefined)?.generation;
}

/** The live object of the database cluster. */
async function clusterObject(subject: Subject): Promise<KubeObject | undefined> {
  const { apiVersion, kind, metadata } = plannedCluster(subject).object;
  const { name, namespace = "" } = metadata;
  // Before the first installation the kind isn't known.
  return subject.kubectl.get(resourceOf(apiVersion, kind), namespace, name).catch(() => undefined);
}

/**
 * Does `work` and watches the platform's pods meanwhile. A pod that doesn't start (an image that isn't there, no node …) ends
 * the work after the patience for its reason, with one sentence: neither Pulumi nor the operator would give up before many minutes.
 *
 * An instance that an earlier, given-up update left behind without ever starting is deleted once the new specification is
 * there: the operator waits for such a pod for ever, and recreates it, on its volume, when it is gone. `changesCluster` says
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
  let upgradeFailed: string[] | undefined;
  const waited = new Set(
    (await podsOf(subject, operator).catch(() => [])).flatMap((pod) => stuck(pod)?.uid ?? []),
  );
  const before = await leftovers(subject);
  const checkPods = async () => {
    const seen = (await podsOf(subject, operator)).flatMap((pod) => stuck(pod) ?? []);
    const fresh = seen.filter(({ uid }) => !before.has(uid));
    for (const one of seen) {
      if (!before.has(one.uid)) continue;
      if (changesCluster && (await generation(subject, one)) === before.get(one.uid)) continue;
      context.say(`${one.pod} never started (${one.reason}): it is deleted, and the operator recreates it`);
      await removePod(subject, one.pod);
    }
    const runs = await removeFormerRuns(subject, seen, context);
    await removeSurplus(subject, fresh, context);
    reasons = patience.exhausted(fresh, now(), ({ uid }) =>
      changesCluster && (waited.has(uid) || runs.has(uid)) ? REPLACED_SECONDS : 0,
    );
    upgradeFailed = await failedUpgrade(subject, await clusterObject(subject));
    if (reasons.length > 0 || upgradeFailed !== undefined) end.abort();
  };
  const watching = (async () => {
    while (!over.signal.aborted && !end.signal.aborted) {
      // An API server that is silent for a moment ends no update.
      await checkPods().catch((error: unknown) =>
        context.detail(`checking the pods: ${(error as Error).message}`),
      );
      await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    return await work(end.signal);
  } catch (error) {
    if (upgradeFailed !== undefined) throw new UserError(upgradeFailed);
    throw reasons.length > 0 ? new UserError(givenUp(reasons)) : error;
  } finally {
    over.abort();
    await watching;
  }
}

/** The engine's pods; none when they can't be listed. */
async function instances({ kubectl, settings, plan }: Subject): Promise<KubeObject[]> {
  if (plan.pods.kind !== "pods") return [];
  return kubectl.list("pods", settings.cluster.namespace, selectorOf(plan.pods.labels)).catch(() => []);
}

/** Instances that are stuck and have never run, by the ids of their pods: the generation of what they are made by. */
async function leftovers(subject: Subject): Promise<Map<string, number | undefined>> {
  const found = (await instances(subject)).flatMap((pod) => stuck(pod) ?? []);
  const left = found.filter(isIdle);
  return new Map(
    await Promise.all(left.map(async (one) => [one.uid, await generation(subject, one)] as const)),
  );
}

const removePod = (subject: Subject, pod: string): Promise<void> => remove(subject, ["pod", pod]);

async function remove(
  { kubectl, settings }: Pick<Subject, "kubectl" | "settings">,
  what: readonly string[],
): Promise<void> {
  const at = ["-n", settings.cluster.namespace, "delete", ...what];
  await kubectl.run([...at, "--ignore-not-found", "--wait=false"]);
}
