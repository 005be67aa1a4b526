import { run } from "../../operations/process";
import { addons } from "./addons";
import { runningSince } from "./nodes";
import { nodes, paths } from "./settings";

/**
 * After a restart the API still tells what was true before it, so that every answer is held against the time at which
 * the node concerned was started.
 */

interface NodeList {
  items: { metadata: { name: string }; status?: { conditions?: { type: string; status: string }[] } }[];
}

interface LeaseList {
  items: { metadata: { name: string }; spec?: { renewTime?: string } }[];
}

export interface PodList {
  items: {
    metadata: { name: string; deletionTimestamp?: string };
    spec: { nodeName?: string };
    status?: {
      conditions?: { type: string; status: string }[];
      containerStatuses?: { state?: { running?: { startedAt?: string } } }[];
    };
  }[];
}

type Started = ReadonlyMap<string, Date>;

/** The API writes whole seconds; a time in the second of the start counts as after it. */
const notBefore = (time: string | undefined, start: Date | undefined): boolean =>
  time !== undefined && start !== undefined && Date.parse(time) >= Math.floor(start.getTime() / 1000) * 1000;

const isReady = (conditions: { type: string; status: string }[] = []): boolean =>
  conditions.some((condition) => condition.type === "Ready" && condition.status === "True");

/** Names of the nodes that are Ready and have reported since they were started. */
export function readyNodes(list: NodeList, leases: LeaseList, started: Started): string[] {
  const renewed = new Map(leases.items.map((lease) => [lease.metadata.name, lease.spec?.renewTime]));
  return list.items
    .filter((node) => isReady(node.status?.conditions))
    .map((node) => node.metadata.name)
    .filter((name) => notBefore(renewed.get(name), started.get(name)));
}

/** How many pods are Ready with containers that were started in their node's present life. */
export function readyPods(list: PodList, started: Started): number {
  return list.items.filter((pod) => {
    const start = started.get(pod.spec.nodeName ?? "");
    const containers = pod.status?.containerStatuses ?? [];
    return (
      pod.metadata.deletionTimestamp === undefined &&
      isReady(pod.status?.conditions) &&
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
    const list = await get<NodeList>(program, ["nodes"]);
    const leases = await get<LeaseList>(program, ["leases", "--namespace=kube-node-lease"]);
    return readyNodes(list, leases, await starts());
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
