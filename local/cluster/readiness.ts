import { run } from "../../shell/process";
import { addons } from "./addons";
import { runningSince } from "./nodes";
import { nodes, paths } from "./settings";

/**
 * After a restart the API still tells what was true before it, so that every answer is held against the time at which
 * the node concerned was started.
 */

interface Condition {
  type: string;
  status: string;
  lastHeartbeatTime?: string;
}

export interface NodeList {
  items: { metadata: { name: string }; status?: { conditions?: Condition[] } }[];
}

export interface PodList {
  items: {
    metadata: { name: string; deletionTimestamp?: string };
    spec: { nodeName?: string };
    status?: {
      conditions?: Condition[];
      containerStatuses?: { state?: { running?: { startedAt?: string } } }[];
    };
  }[];
}

type Started = ReadonlyMap<string, Date>;

/** The API writes whole seconds; a time in the second of the start counts as after it. */
const notBefore = (time: string | undefined, start: Date | undefined): boolean =>
  time !== undefined && start !== undefined && Date.parse(time) >= Math.floor(start.getTime() / 1000) * 1000;

const readyCondition = (conditions: Condition[] = []): Condition | undefined =>
  conditions.find((condition) => condition.type === "Ready" && condition.status === "True");

/** Names of the nodes that have reported to be Ready since they were started. */
export function readyNodes(list: NodeList, started: Started): string[] {
  return list.items
    .filter((node) => {
      const ready = readyCondition(node.status?.conditions);
      return notBefore(ready?.lastHeartbeatTime, started.get(node.metadata.name));
    })
    .map((node) => node.metadata.name);
}

/** How many pods are Ready with containers that were started in their node's present life. */
export function readyPods(list: PodList, started: Started): number {
  return list.items.filter((pod) => {
    const start = started.get(pod.spec.nodeName ?? "");
    const containers = pod.status?.containerStatuses ?? [];
    return (
      pod.metadata.deletionTimestamp === undefined &&
      readyCondition(pod.status?.conditions) !== undefined &&
      containers.length > 0 &&
      containers.every((container) => notBefore(container.state?.running?.startedAt, start))
    );
  }).length;
}

/** Runs kubectl with the cluster's own administrator. */
export function kubectl(program: string, args: readonly string[], input?: string) {
  return run(program, ["--kubeconfig", paths.kubeconfig, "--request-timeout=10s", ...args], {
    ...(input !== undefined && { input }),
    timeoutMs: 60_000,
  });
}

async function get<T>(program: string, args: readonly string[]): Promise<T> {
  const { stdout } = await kubectl(program, ["get", ...args, "--output=json"]);
  return JSON.parse(stdout) as T;
}

async function starts(): Promise<Started> {
  const started = new Map<string, Date>();
  for (const node of nodes) {
    const since = await runningSince(node);
    if (since) started.set(node.name, since);
  }
  return started;
}

export async function apiIsReady(program: string): Promise<boolean> {
  return kubectl(program, ["get", "--raw=/readyz"]).then(
    () => true,
    () => false,
  );
}

/** Names of the nodes that are ready now; none when the API doesn't answer. */
export async function findReadyNodes(program: string): Promise<string[]> {
  try {
    return readyNodes(await get<NodeList>(program, ["nodes"]), await starts());
  } catch {
    return [];
  }
}

/** Names of the add-ons that have too few ready pods. */
export async function missingAddons(program: string): Promise<string[]> {
  const started = await starts();
  const missing: string[] = [];
  for (const { namespace, label, replicas } of addons) {
    const ready = await get<PodList>(program, [
      "pods",
      `--namespace=${namespace}`,
      `--selector=${label}`,
    ]).then(
      (list) => readyPods(list, started),
      () => 0,
    );
    if (ready < replicas) missing.push(`${label} (${ready} of ${replicas})`);
  }
  return missing;
}
