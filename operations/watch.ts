import { setTimeout as delay } from "node:timers/promises";
import { clusterLabel } from "../components/names";
import { type OperatorPlan } from "../components/engine";
import { UserError } from "../stacks/userError";
import { type Subject } from "./health";
import { type KubeObject, resourceOf, selectorOf } from "./kubectl";
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

/** How often the cluster object's specification has been changed, by the API server's count. */
async function generation({ kubectl, engine, plan }: Subject): Promise<number | undefined> {
  const planned = plan.objects.map(({ object }) => object).find((object) => engine.shape(object));
  if (planned === undefined) return undefined;
  const { name, namespace = "" } = planned.metadata;
  const kind = resourceOf(planned.apiVersion, planned.kind);
  // Before the first installation the kind isn't known.
  const live = await kubectl.get(kind, namespace, name).catch(() => undefined);
  return (live?.metadata as { generation?: number } | undefined)?.generation;
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

/** Instances that are stuck and have never run, by the ids of their pods; none when they can't be looked at. */
async function leftovers(subject: Subject): Promise<Set<string>> {
  const { kubectl, settings, plan } = subject;
  if (plan.pods.kind !== "pods") return new Set();
  const pods = await kubectl
    .list("pods", settings.cluster.namespace, selectorOf(plan.pods.labels))
    .catch(() => []);
  return new Set(
    pods.flatMap((pod) => {
      const found = stuck(pod);
      return found && !found.everRan && !found.ofJob ? [found.uid] : [];
    }),
  );
}

async function removePod({ kubectl, settings }: Subject, pod: string): Promise<void> {
  const at = ["-n", settings.cluster.namespace, "delete", "pod", pod];
  await kubectl.run([...at, "--ignore-not-found", "--wait=false"]);
}
