import { type Act, type ActScene } from "../plan/engines/acts";
import { clusterLabel } from "../plan/names";
import { type Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { bestStandby, carryOut, membersOf, planOf, until, unwritable, type Wanted } from "./act";
import { confirm } from "./confirm";
import { type KubeObject } from "./kubectl";
import { type Found, instancePods, placeOf, type Platform } from "./platform";
import { readNodes } from "./status/gather";
import { nodeNameOf } from "./status/pods";

/** Empties a node: the primary's role leaves it first, while poolers hold their clients; then its pods. */

/** How long the pods may take to leave, in seconds: a pooler waits for its clients' transactions, a server for its shutdown. */
const DRAIN_SECONDS = 600;

/** The platform's pods: instances, poolers and jobs. */
async function platformPods(platform: Platform): Promise<KubeObject[]> {
  const { name, namespace } = platform.settings.cluster;
  const lists = await Promise.all([
    instancePods(platform),
    platform.kubectl.list("pods", namespace, `${clusterLabel}=${name}`),
  ]);
  return [...new Map(lists.flat().map((pod) => [pod.metadata.name, pod])).values()];
}

/** What leaves a node, before anything is done. */
export interface DrainPlan {
  /** Sentences. */
  readonly plan: readonly string[];
  /** The switchover that comes first. @default - the primary isn't there, or nobody could lead in its place */
  readonly switchover?: { readonly wanted: Wanted; readonly act: Act; readonly scene: ActScene };
}

export async function drainPlan(found: Found, node: string): Promise<DrainPlan> {
  const { platform, subject } = found;
  const nodes = (await readNodes(platform)).map(({ metadata }) => metadata.name);
  if (!nodes.includes(node))
    throw new UserError([
      `node: "${node}" is not allowed. Allowed: ${nodes.sort().join(", ")}. Fix: name one of them.`,
    ]);
  const [pods, members] = await Promise.all([platformPods(platform), membersOf(platform)]);
  const here = pods
    .filter((pod) => nodeNameOf(pod) === node)
    .map(({ metadata }) => metadata.name)
    .sort();
  const leaves = [
    here.length === 0
      ? `No pod of this platform runs on ${node}; those of others are evicted.`
      : `Evicted from ${node}: ${here.join(", ")}, and the pods of others there. One that is bound to this node by its volume waits until it is back.`,
    `${node} takes no new pods until \`${platform.kubectl.line(`uncordon ${node}`)}\`.`,
  ];
  const primary = members.find((one) => one.primary)?.name ?? "";
  if (!here.includes(primary)) return { plan: leaves };
  const to = bestStandby(members.filter((one) => one.primary || !here.includes(one.name)))?.name;
  if (to === undefined) {
    if (subject?.settings.cluster.drains === "wait")
      throw new UserError([
        `node: "${node}" can't be emptied: the only instance, ${primary}, runs there, and pgplatform:cluster.drains is "wait". Fix: set it to "allow" and run \`pgp up\`, or move nothing.`,
      ]);
    return {
      plan: [
        `${primary}, the primary, runs there, and no standby elsewhere could lead: PROGRAMS CAN'T CONNECT until its pod runs again.`,
        ...leaves,
      ],
    };
  }
  const wanted: Wanted = { act: "switchover", command: "switchover", instance: to };
  const { act, scene } = await planOf(found, wanted);
  return { plan: [...act.plan, ...leaves], switchover: { wanted, act, scene } };
}

/** Shows the plan, asks, and empties the node; resolves to the seconds that it took. */
export async function drain(
  found: Found,
  node: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const { platform, context } = found;
  const { plan, switchover } = await drainPlan(found, node);
  progress.line(`drain of ${node} for ${placeOf(platform)} (${platform.engine.name}, context ${context}):`);
  plan.forEach((sentence) => progress.line(`  ${sentence}`));
  await confirm(`drain ${node} now?`);
  const begun = Date.now();
  // Before the node takes no more pods: an operator that sees that moves the role at once, and holds no clients.
  if (switchover) await carryOut(found, switchover.wanted, switchover, progress, signal);
  await progress.step("drain", async (step) => {
    const flags = ["--ignore-daemonsets", "--delete-emptydir-data", `--timeout=${DRAIN_SECONDS}s`];
    await platform.kubectl
      .run(["drain", node, ...flags], {
        onLine: (line) => step.detail(line),
        signal,
        timeoutMs: (DRAIN_SECONDS + 30) * 1000,
      })
      .catch((error: unknown) => {
        throw new UserError([
          `${node} is not empty: ${(error as Error).message.trim().split("\n").at(-1)}. It takes no new pods; \`${platform.kubectl.line(`uncordon ${node}`)}\` ends that.`,
        ]);
      });
    await until(() => unwritable(found), step, signal);
  });
  return (Date.now() - begun) / 1000;
}
