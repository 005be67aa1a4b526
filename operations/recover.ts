import * as builtIn from "../local/cluster/cluster";
import { stackImages } from "../plan/images";
import { poolerLabels } from "../plan/names";
import type { Labels } from "../plan/network";
import { storeNamespace } from "../plan/backup/storeNames";
import type { Progress, StepContext } from "../shell/progress";
import { UserError } from "../shell/userError";
import { missingAfter } from "./act";
import { chooseCluster, type ClusterChoice, inspectMachine } from "./choice";
import { readSettings, subjectWith } from "./context";
import { type Subject, waitUntilDone, writeAndRead } from "./health";
import { isReady, type KubeObject, type Kubectl, selectorOf } from "./kubectl";
import { Stack } from "./pulumi";
import { reconnectPoolers } from "./reconnect";
import { type Seen, type StuckPod, stuckAfterRestart } from "./stuckAfterRestart";
import { findCluster, hasK3dCluster, startCluster } from "./target";
import { prepareTools } from "./up";

/** After a restart of the machine or of k3d: brings the platform of a stack back, step by step, each where it is needed. */

/** One step of a recovery: what it found, and what it did about that. */
export interface Recovered {
  readonly step: string;
  readonly found: string;
  /** @default - nothing was to be done */
  readonly did?: string;
}

const NODES_SECONDS = 120;
const POOLERS_SECONDS = 90;

/** Refuses to make what isn't there: a recovery never begins with an empty database. */
async function presentCluster(): Promise<Exclude<ClusterChoice, { kind: "none" }>> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  const made =
    choice.kind === "built-in"
      ? (await builtIn.status()).state !== "absent"
      : choice.kind === "context" || (await hasK3dCluster());
  if (!made)
    throw new UserError([
      `There is no ${choice.kind} cluster that could be recovered. \`pgp up\` makes one, with an empty database; \`pgp restore\` makes one out of a backup.`,
    ]);
  return choice;
}

const nodesOf = async (kubectl: Kubectl): Promise<KubeObject[]> => {
  const { items } = JSON.parse((await kubectl.run(["get", "nodes", "-o", "json"])).stdout) as {
    items: KubeObject[];
  };
  return items;
};

/** The namespaces whose pods the platform needs. */
function namespacesOf({ settings, engine }: Pick<Subject, "settings" | "engine">): string[] {
  const { cluster, monitoring, backup } = settings;
  const all = [
    "kube-system",
    engine.operatorNamespace,
    cluster.namespace,
    monitoring.prometheus === "install" ? monitoring.namespace : undefined,
    backup?.targets.some(({ kind }) => kind === "local") === true ? storeNamespace(cluster) : undefined,
  ];
  return [...new Set(all.filter((one) => one !== undefined))];
}

const seen = async (kubectl: Kubectl, namespace: string, labels?: Labels): Promise<Seen[]> =>
  (
    await kubectl.query("pods", namespace, labels === undefined ? {} : { labelSelector: selectorOf(labels) })
  ).map((pod) => ({ namespace, pod }));

/** Deletes pods that don't get on by themselves, so that what made them makes them again. */
async function clean(
  kubectl: Kubectl,
  pods: readonly Seen[],
  readyNodes: ReadonlySet<string>,
  keep: (one: StuckPod) => boolean = () => false,
): Promise<Omit<Recovered, "step">> {
  const bad = stuckAfterRestart(pods, readyNodes, new Date()).filter((one) => !keep(one));
  for (const { namespace, pod, forced } of bad)
    await kubectl.run(
      [
        ...["-n", namespace, "delete", "pod", pod.metadata.name, "--ignore-not-found", "--wait=false"],
        ...(forced ? ["--grace-period=0", "--force"] : []),
      ],
      { timeoutMs: 30_000 },
    );
  if (bad.length === 0) return { found: `none of ${pods.length} is stuck` };
  return {
    found: bad.map(({ namespace, pod, why }) => `${namespace}/${pod.metadata.name} ${why}`).join(", "),
    did: `deleted ${bad.length === 1 ? "it" : `these ${bad.length}`}: what made ${bad.length === 1 ? "it makes it" : "them makes them"} again`,
  };
}

/** Which pooler pods aren't ready. */
async function unreadyPoolers({
  kubectl,
  settings: { cluster, poolers },
}: Subject): Promise<string | undefined> {
  for (const { name } of poolers) {
    const pods = await kubectl.list("pods", cluster.namespace, selectorOf(poolerLabels(cluster.name, name)));
    const unready = pods.filter((pod) => !isReady(pod));
    if (pods.length === 0) return `pooler ${name} has no pod`;
    if (unready.length > 0) return `pooler ${name}: ${unready.length} of ${pods.length} pods not ready`;
  }
  return undefined;
}

/** A row written through the pooler. Where that fails the poolers are told to log in again, and then their pods are made again. */
async function pooled(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
): Promise<Omit<Recovered, "step">> {
  const { kubectl, settings } = subject;
  const { cluster, poolers } = settings;
  const waiting = await missingAfter(POOLERS_SECONDS * 1000, () => unreadyPoolers(subject), context, signal);
  const fails = async (): Promise<string | undefined> => {
    try {
      await writeAndRead(subject, context);
      return undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      return (error as Error).message;
    }
  };
  const first = waiting ?? (await fails());
  if (first === undefined) return { found: "a client writes" };
  if (poolers.length === 0) throw new Error(first);
  context.say(`${first}: server connections are made again`);
  await reconnectPoolers(subject);
  if ((await fails()) === undefined) return { found: first, did: "had the poolers log in again" };
  context.say("the poolers' pods are made again, one after another");
  for (const { name } of poolers)
    for (const pod of await kubectl.list(
      "pods",
      cluster.namespace,
      selectorOf(poolerLabels(cluster.name, name)),
    )) {
      await kubectl.run(["-n", cluster.namespace, "delete", "pod", pod.metadata.name, "--ignore-not-found"]);
      await missingAfter(POOLERS_SECONDS * 1000, () => unreadyPoolers(subject), context, signal);
    }
  const last = await fails();
  if (last !== undefined) throw new Error(`${last}. \`pgp status\` says what is wrong.`);
  return { found: first, did: "made the poolers' pods again" };
}

/** The recovery. Returns the closing line, and what each step found. */
export async function recover(
  stackName: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ line: string; steps: readonly Recovered[] }> {
  const began = Date.now();
  const choice = await presentCluster();
  const toolFolders = await prepareTools(progress, [], signal);
  const stack = new Stack(stackName, toolFolders, signal);
  if (!(await stack.exists()))
    throw new UserError([
      `Stack ${stackName} has not been made, so nothing of it can be recovered. Fix: \`pgp up\` makes it.`,
    ]);
  const settings = await readSettings(stack);

  const steps: Recovered[] = [];
  const step = async (title: string, work: (context: StepContext) => Promise<Omit<Recovered, "step">>) =>
    progress.step(title, async (context) => {
      const result = await work(context);
      steps.push({ step: title, ...result });
      context.say(`${result.found}${result.did === undefined ? "" : `: ${result.did}`}`);
    });

  const before = findCluster(choice);
  const subject = subjectWith(settings, before, toolFolders, signal);
  const { kubectl, engine } = subject;
  await step("Kubernetes", async (context) => {
    const there =
      choice.kind === "built-in" ? (await builtIn.status()).state === "running" : await kubectl.answers();
    const images = stackImages(settings, engine);
    if (there && choice.kind !== "built-in") return { found: "it answers" };
    await startCluster({ choice, images, toolFolders }, context, signal);
    return there ? { found: "it runs" } : { found: "it didn't answer", did: "started it" };
  });
  await step("nodes", async (context) => {
    const waiting = await missingAfter(
      NODES_SECONDS * 1000,
      async () => {
        const unready = (await nodesOf(kubectl)).filter((node) => !isReady(node));
        return unready.length === 0
          ? undefined
          : `${unready.map(({ metadata }) => metadata.name).join(", ")} not ready`;
      },
      context,
      signal,
    );
    return { found: waiting ?? `${(await nodesOf(kubectl)).length} ready` };
  });
  const ready = new Set((await nodesOf(kubectl)).filter(isReady).map(({ metadata }) => metadata.name));
  await step("stuck pods", async () => {
    const pods = await Promise.all(namespacesOf(subject).map((one) => seen(kubectl, one)));
    // An instance that crashes is its engine's to start again.
    const instance = Object.entries(engine.instancePods.labels(settings.cluster.name));
    const isInstance = ({ metadata: { labels = {} } }: KubeObject) =>
      instance.every(([key, value]) => labels[key] === value);
    return clean(kubectl, pods.flat(), ready, ({ pod, crashes }) => crashes && isInstance(pod));
  });
  await step("PostgreSQL", async (context) => {
    const since = Date.now();
    await waitUntilDone(subject, context, signal);
    const seconds = Math.round((Date.now() - since) / 1000);
    return { found: `every instance is healthy${seconds > 5 ? ` after ${seconds} s` : ""}` };
  });
  await step("poolers", (context) => pooled(subject, context, signal));
  if (settings.clients.length > 0)
    await step("applications", async () => {
      const pods = await Promise.all(
        settings.clients.map(({ namespace, labels }) => seen(kubectl, namespace, labels)),
      );
      return clean(kubectl, pods.flat(), ready);
    });
  const done = steps.filter(({ did }) => did !== undefined).length;
  const seconds = Math.round((Date.now() - began) / 1000);
  const { name, namespace } = settings.cluster;
  return {
    line: `PostgreSQL ${namespace}/${name} works: a row was written after ${seconds} s; ${done === 0 ? "nothing was to be done" : `${done} of ${steps.length} steps had to do something`}.`,
    steps,
  };
}
