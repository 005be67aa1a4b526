import { isReady, type KubeObject } from "../kubectl";

/** What Kubernetes says of a pod. */

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount?: number;
  readonly containerID?: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: {
    readonly terminated?: {
      readonly reason?: string;
      readonly exitCode?: number;
      readonly finishedAt?: string;
    };
  };
}

interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly conditions?: readonly { type: string; status: string; message?: string }[];
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
}

export const statusOf = ({ status = {} }: KubeObject): PodStatus => status;

const containers = (pod: KubeObject): ContainerStatus[] => {
  const { initContainerStatuses = [], containerStatuses = [] } = statusOf(pod);
  return [...initContainerStatuses, ...containerStatuses];
};

export const restartsOf = (pod: KubeObject): number =>
  containers(pod).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);

/** The containers that have begun, sidecars that stand among the initial ones included. */
export const begunContainers = (pod: KubeObject): string[] =>
  containers(pod)
    .filter(({ containerID = "" }) => containerID !== "")
    .map(({ name }) => name);

export const nodeNameOf = ({ spec }: KubeObject): string | undefined =>
  (spec as { nodeName?: string } | undefined)?.nodeName;

/** The latest end of one of its containers, with its reason. */
export function lastEnd(pod: KubeObject): { at: string; why: string } | undefined {
  const ends = containers(pod).flatMap(({ name, lastState }) => {
    const { finishedAt, reason = "ended", exitCode } = lastState?.terminated ?? {};
    return finishedAt === undefined
      ? []
      : [{ at: finishedAt, why: `container ${name}: ${reason}, exit code ${exitCode}` }];
  });
  return ends.sort((one, other) => other.at.localeCompare(one.at))[0];
}

/** Why a pod isn't ready, in a few words; undefined where it is. */
export function unreadiness(pod: KubeObject): string | undefined {
  if ("deletionTimestamp" in pod.metadata) return "it is being deleted";
  if (isReady(pod)) return undefined;
  const { phase = "unknown", reason, conditions = [] } = statusOf(pod);
  const waiting = containers(pod).find(({ state }) => state?.waiting?.reason !== undefined);
  if (waiting !== undefined) return `container ${waiting.name}: ${waiting.state?.waiting?.reason}`;
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") return `no node takes it: ${scheduled.message ?? ""}`.trim();
  if (phase !== "Running") return reason ?? phase;
  const ended = containers(pod).find(({ state }) => state?.terminated !== undefined);
  if (ended?.state?.terminated !== undefined && ended.state.terminated.exitCode !== 0)
    return `container ${ended.name} has ended: ${ended.state.terminated.reason}`;
  const unready = (statusOf(pod).containerStatuses ?? []).filter(({ ready }) => !ready);
  return `not ready: ${unready.map(({ name }) => name).join(", ") || "no container says why"}`;
}
