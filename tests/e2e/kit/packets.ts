import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { findNode } from "../../../local/cluster/nodes";
import { nodes, settings as builtIn } from "../../../local/cluster/settings";
import { isReady, type Kubectl, type KubeObject } from "../../../operations/kubectl";
import { ownerOf } from "../../../operations/stuck";
import { run } from "../../../shell/process";
import { processesOf } from "../../faults/processes";
import { podStatus } from "./cluster";
import {
  type Cell,
  type Difference,
  differencesOf,
  type End,
  inet6Of,
  listeningPorts,
  type Protocol,
  serviceTarget,
  type Target,
  type Verdict,
} from "./matrix";
import { until } from "./wait";

/** Packets on the built-in cluster: sent from the network of each pod, which is this machine's, by this machine's Python as root. */

const scan = `${__dirname}/scan.py`;
/** Sources that send at once. */
const AT_ONCE = 6;
/** How often a packet that should have passed is sent again: others are dropped where a machine is busy, too. */
const AGAIN = 2;

/** An end, and a process in its network. */
export interface Place extends End {
  readonly pid: number;
  /** IPv6 addresses beyond its own link. */
  readonly inet6: readonly string[];
}

const table = (pid: number, name: string) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "");

async function socketsOf(pid: number): Promise<Record<Protocol, number[]>> {
  const ports = async (protocol: Protocol) => {
    const name = protocol.toLowerCase();
    const both = await Promise.all([table(pid, name), table(pid, `${name}6`)]);
    const found = both.flatMap((text) => listeningPorts(text, protocol));
    return [...new Set(found)].sort((one, other) => one - other);
  };
  return { TCP: await ports("TCP"), UDP: await ports("UDP") };
}

async function placed(end: Omit<End, "listens" | "linkLocal">, pid: number): Promise<Place> {
  const { linkLocal, others } = inet6Of(await table(pid, "if_inet6"));
  return {
    ...end,
    ...(linkLocal !== undefined && { linkLocal }),
    listens: await socketsOf(pid),
    pid,
    inet6: others,
  };
}

export interface Items<T> {
  readonly items: readonly T[];
}

export async function everywhere<T = KubeObject>(kubectl: Kubectl, kind: string): Promise<readonly T[]> {
  const { stdout } = await kubectl.run(["get", kind, "-A", "-o", "json"]);
  return (JSON.parse(stdout) as Items<T>).items;
}

const ended = ({ status }: KubeObject): boolean =>
  status?.phase === "Succeeded" || status?.phase === "Failed";

const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;

/** Pods that stay: not those of Jobs, which end in the middle, nor those that have the network of their node. */
const staying = (pods: readonly KubeObject[]): KubeObject[] =>
  pods.filter((pod) => !ended(pod) && ownerOf(pod)?.kind !== "Job" && pod.spec?.hostNetwork !== true);

/** Waits until every pod that stays is ready and none is being deleted, then until the agents have followed; returns these pods. */
async function settled(kubectl: Kubectl, seconds: number): Promise<KubeObject[]> {
  const pods = await until("all pods ready", seconds, async () => {
    const found = staying(await everywhere(kubectl, "pods"));
    const unsettled = found.find((pod) => !isReady(pod) || pod.metadata.deletionTimestamp !== undefined);
    return unsettled === undefined ? { done: found } : { why: `${nameOf(unsettled)} is not ready` };
  });
  await delay(3000);
  return pods;
}

const containerOf = (pod: KubeObject): string => {
  const { containerStatuses = [] } = (pod.status ?? {}) as { containerStatuses?: { containerID?: string }[] };
  const running = containerStatuses.find(({ containerID = "" }) => containerID !== "");
  return (running?.containerID ?? "").replace(/^.*:\/\//, "");
};

/** All pods that stay, the nodes, and this machine, where the API server is. */
export async function places(kubectl: Kubectl, seconds = 300): Promise<Place[]> {
  const pods = await settled(kubectl, seconds);
  const processes = await processesOf(pods.map(containerOf));
  const ofPods = pods.map((pod) => {
    const [first] = processes.get(containerOf(pod)) ?? [];
    if (first === undefined) throw new Error(`no process of ${nameOf(pod)} is on this machine`);
    const { name, namespace = "", labels = {} } = pod.metadata;
    const address = podStatus(pod).podIP ?? "";
    const node = String(pod.spec?.nodeName);
    return placed({ name: `${namespace}/${name}`, kind: "pod", address, namespace, labels, node }, first.pid);
  });
  const ofNodes = nodes.map(async (node) => {
    const pid = await findNode(node);
    if (pid === undefined) throw new Error(`node ${node.name} doesn't run`);
    return placed({ name: `node ${node.name}`, kind: "node", address: node.address, node: node.name }, pid);
  });
  const machine = placed({ name: "the machine", kind: "machine", address: builtIn.apiAddress }, process.pid);
  return Promise.all([...ofPods, ...ofNodes, machine]);
}

interface Service extends KubeObject {
  spec: {
    clusterIP?: string;
    ports?: readonly { name?: string; port: number; protocol?: string }[];
  };
}

interface Slice extends KubeObject {
  readonly addressType: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { ready?: boolean };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
}

/** Every Service with an address, as far as something is behind it that is among the ends. */
export async function services(kubectl: Kubectl, ends: readonly End[]): Promise<Target[]> {
  const slices = await everywhere<Slice>(kubectl, "endpointslices.discovery.k8s.io");
  return (await everywhere<Service>(kubectl, "services")).flatMap((service) => {
    const { clusterIP = "None", ports = [] } = service.spec;
    if (clusterIP === "None" || clusterIP === "") return [];
    const { name, namespace } = service.metadata;
    const own = slices.filter(
      ({ metadata, addressType }) =>
        metadata.namespace === namespace &&
        metadata.labels?.["kubernetes.io/service-name"] === name &&
        addressType === "IPv4",
    );
    return ports.flatMap(({ name: portName = "", port, protocol = "TCP" }) => {
      const behind = own.flatMap(({ endpoints = [], ports: listed = [] }) =>
        listed
          .filter((one) => (one.name ?? "") === portName && (one.protocol ?? "TCP") === protocol)
          .flatMap((one) =>
            endpoints
              .filter(({ conditions }) => conditions?.ready !== false)
              .flatMap(({ addresses }) => addresses)
              .map((address) => ({ end: ends.find((end) => end.address === address), port: one.port ?? 0 })),
          ),
      );
      const known = behind.flatMap(({ end, port: to }) => (end === undefined ? [] : [{ end, port: to }]));
      // Without anything behind it kube-proxy itself answers; what isn't among the ends isn't known to the list.
      if (known.length === 0 || known.length !== behind.length) return [];
      const spoken = protocol === "UDP" ? "UDP" : "TCP";
      return [serviceTarget(nameOf(service), clusterIP, port, spoken, known)];
    });
  });
}

/** Sends these packets from the network of one process. */
async function send(pid: number, targets: readonly string[]): Promise<Map<string, Verdict>> {
  const { stdout } = await run("nsenter", [`--net=/proc/${pid}/ns/net`, "python3", scan], {
    input: targets.join("\n"),
    timeoutMs: 300_000,
  });
  const lines = stdout.trim().split("\n");
  if (lines.length !== targets.length) throw new Error(`the scan is not complete: ${stdout.slice(-300)}`);
  return new Map(lines.map((line) => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]));
}

async function sendAll(
  cells: readonly Cell[],
  pids: ReadonlyMap<string, number>,
): Promise<Map<Cell, Verdict>> {
  const bySource = new Map<string, Cell[]>();
  for (const cell of cells) bySource.set(cell.from.name, [...(bySource.get(cell.from.name) ?? []), cell]);
  const verdicts = new Map<Cell, Verdict>();
  const waiting = [...bySource];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, own] = next;
      const pid = pids.get(name);
      if (pid === undefined) throw new Error(`${name} is no place to send from`);
      const heard = await send(pid, [...new Set(own.map(({ target }) => target.at))]);
      for (const cell of own) verdicts.set(cell, heard.get(cell.target.at) ?? "not tried");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return verdicts;
}

/**
 * Sends every packet of the matrix and returns what differs from the list. One that should have passed and didn't is sent again, since a busy machine loses
 * packets, too; one that got through although it may not counts at once.
 */
export async function differencesNow(
  cells: readonly Cell[],
  sources: readonly Place[],
): Promise<Difference[]> {
  const pids = new Map(sources.map(({ name, pid }) => [name, pid]));
  const verdicts = await sendAll(cells, pids);
  const differences = () => differencesOf(cells, (cell) => verdicts.get(cell));
  for (let round = 0; round < AGAIN; round++) {
    const missed = differences().filter(({ may }) => may);
    if (missed.length === 0) break;
    await delay(2000);
    const names = new Set(missed.map(({ from, target }) => `${from.name} ${target.at}`));
    const again = cells.filter(({ from, target }) => names.has(`${from.name} ${target.at}`));
    for (const [cell, verdict] of await sendAll(again, pids)) verdicts.set(cell, verdict);
  }
  return differences();
}
