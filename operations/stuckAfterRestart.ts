import type { KubeObject } from "./kubectl";
import { ownerOf, stuck } from "./stuck";

/** Pods that a restart has left in a state that they don't leave by themselves, or only after minutes. */

export interface Seen {
  readonly namespace: string;
  readonly pod: KubeObject;
}

export interface StuckPod extends Seen {
  readonly why: string;
  /** Whether its kubelet has forgotten it, so that nothing would end it. */
  readonly forced: boolean;
  /** Whether it waits before it starts once more: what made it may do without its deletion. */
  readonly crashes: boolean;
}

/** How much longer than it was told a pod may take to end, in seconds. */
const LATE_SECONDS = 60;

interface ContainerStatus {
  state?: { running?: object };
}

/** Whether something of it may still run. */
function runs({ status }: KubeObject): boolean {
  const { containerStatuses = [], initContainerStatuses = [] } = (status ?? {}) as Record<
    string,
    ContainerStatus[] | undefined
  >;
  return [...containerStatuses, ...initContainerStatuses].some(({ state }) => state?.running !== undefined);
}

/** Of these pods those that are stuck. A Job's are its own: it counts what failed. One on a node that isn't ready may still run there. */
export function stuckAfterRestart(
  pods: readonly Seen[],
  readyNodes: ReadonlySet<string>,
  now: Date,
): StuckPod[] {
  return pods.flatMap(({ namespace, pod }): StuckPod[] => {
    const found = (why: string, { forced = false, crashes = false } = {}) => [
      { namespace, pod, why, forced, crashes },
    ];
    const { deletionTimestamp } = pod.metadata;
    const { nodeName } = (pod.spec ?? {}) as { nodeName?: string };
    if (deletionTimestamp !== undefined) {
      const late = (now.getTime() - Date.parse(deletionTimestamp)) / 1000;
      const forgotten =
        late > LATE_SECONDS && !runs(pod) && (nodeName === undefined || readyNodes.has(nodeName));
      return forgotten
        ? found(`has been ending for ${Math.round(late)} s longer than it may`, { forced: true })
        : [];
    }
    const owner = ownerOf(pod);
    if (owner === undefined || owner.kind === "Job") return [];
    const { phase, reason } = (pod.status ?? {}) as { phase?: string; reason?: string };
    if (phase === "Failed" || phase === "Succeeded") return found(`has ended (${reason ?? phase})`);
    const waits = stuck(pod);
    return waits?.reason === "CrashLoopBackOff"
      ? found("waits with CrashLoopBackOff", { crashes: true })
      : [];
  });
}
