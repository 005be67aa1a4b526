import { BlockList, isIPv6 } from "node:net";
import type { Flow, Labels, Peer, Pods } from "../../../plan/network";
import { selects } from "../../../plan/selector";

/** The packet matrix as plain data: who sends what to whom, whether the list of flows lets it pass, and how that differs from what happened. */

/** Where packets begin or end. */
export interface End {
  /** As results name it; no two ends have the same. */
  readonly name: string;
  readonly kind: "pod" | "node" | "machine" | "outside";
  /** IPv4. */
  readonly address: string;
  /** IPv6 address for its own link. @default - it has none, or none that is tried */
  readonly linkLocal?: string;
  /** Of a pod. @default - it is no pod */
  readonly namespace?: string;
  /** Of a pod. @default - it has none */
  readonly labels?: Labels;
  /** Node that it runs on, or is. @default - it is on none */
  readonly node?: string;
  /** Ports at which a process listens that isn't there for its own loopback alone. */
  readonly listens: Readonly<Record<Protocol, readonly number[]>>;
}

export type Protocol = Flow["protocol"];

/** What is tried: an address with a port, and what stands behind it. */
export interface Target {
  readonly name: string;
  /** As `scan.py` takes it. */
  readonly at: string;
  readonly protocol: Protocol;
  readonly service: boolean;
  /** One, or the pods of a Service, each with its own port. */
  readonly behind: readonly { readonly end: End; readonly port: number }[];
}

/** The list, and where it counts. */
export interface List {
  readonly flows: readonly Flow[];
  /** Namespaces in which nothing passes that isn't listed. */
  readonly closed: readonly string[];
}

/** One packet. */
export interface Cell {
  readonly from: End;
  readonly target: Target;
  readonly may: boolean;
}

/** What became of a packet, in the words of `scan.py`. */
export type Verdict = string;

const inRange = (address: string, cidr: string): boolean => {
  const [network = "", bits = ""] = cidr.split("/");
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return !isIPv6(address) === (family === "ipv4") && list.check(address, family);
};

/** Whether a peer of a flow stands for this end. */
export function standsFor(peer: Peer, { kind, namespace, labels = {}, address }: End): boolean {
  if (peer.kind === "addresses") return inRange(address, peer.cidr);
  if (kind !== "pod" || peer.namespace !== namespace) return false;
  return peer.kind === "namespace" || selects({ matchLabels: peer.labels }, labels);
}

const isClosed = ({ closed }: List, { namespace }: End): boolean =>
  namespace !== undefined && closed.includes(namespace);

/**
 * Whether the list lets a packet pass; undefined where it says nothing: to an end itself, and from a pod to its own node, which Kubernetes never filters. Nor
 * does it filter what a node sends to its own pods: that passes.
 */
export function mayPass(
  list: List,
  from: End,
  { end: to, port }: Target["behind"][number],
  protocol: Protocol,
): boolean | undefined {
  if (from.name === to.name) return undefined;
  if (from.kind === "node" && from.node === to.node) return true;
  if (to.kind === "node" && from.node === to.node) return undefined;
  // A range of addresses as a flow's end opens nothing at pods that are closed themselves.
  const reaches = (peer: Peer) => (!isClosed(list, to) || peer.kind === "pods") && standsFor(peer, to);
  if (!isClosed(list, from) && !isClosed(list, to)) return true;
  return list.flows.some(
    (flow) =>
      flow.port === port && flow.protocol === protocol && standsFor(flow.from, from) && reaches(flow.to),
  );
}

/** Every source with every target, but for those that are left out, whose number is told by the reason. */
export function cellsOf(
  list: List,
  sources: readonly End[],
  targets: readonly Target[],
): { cells: Cell[]; leftOut: Readonly<Record<string, number>> } {
  const leftOut: Record<string, number> = {};
  const skip = (why: string): Cell[] => {
    leftOut[why] = (leftOut[why] ?? 0) + 1;
    return [];
  };
  const cells = sources.flatMap((from) =>
    targets.flatMap((target): Cell[] => {
      if (target.service && from.kind === "node") return skip("a node by a Service: some pods are its own");
      const answers = new Set(target.behind.map((one) => mayPass(list, from, one, target.protocol)));
      if (answers.has(undefined)) return skip("to itself, or from a pod to its own node");
      const [may] = answers;
      if (answers.size !== 1 || may === undefined) return skip("a Service whose pods the list tells apart");
      return [{ from, target, may }];
    }),
  );
  return { cells, leftOut };
}

const scanned = (protocol: Protocol, address: string, port: number): string =>
  `${protocol === "UDP" ? "udp:" : ""}${address}:${port}`;

/** A port of an end at its own address. */
export const targetOf = (end: End, port: number, protocol: Protocol): Target => ({
  name: `${end.name}, ${port}/${protocol}`,
  at: scanned(protocol, end.address, port),
  protocol,
  service: false,
  behind: [{ end, port }],
});

/** A port of a Service. */
export const serviceTarget = (
  name: string,
  address: string,
  port: number,
  protocol: Protocol,
  behind: Target["behind"],
): Target => ({
  name: `Service ${name}, ${port}/${protocol}`,
  at: scanned(protocol, address, port),
  protocol,
  service: true,
  behind,
});

/**
 * Pods of one node by their IPv6 addresses for their own link, which no Service, name or flow of an IPv4 cluster uses: nothing passes from pod to pod. The node
 * itself reaches its pods, which shows that they answer there. What listens may do so at IPv4 alone.
 */
export const linkLocalCells = (ends: readonly End[], ports: readonly number[]): Cell[] =>
  ends.flatMap((from) =>
    ends.flatMap((end): Cell[] => {
      if (end.kind !== "pod" || end.linkLocal === undefined) return [];
      if (from.name === end.name || from.node !== end.node || from.linkLocal === undefined) return [];
      const address = `${end.linkLocal}%${from.kind === "node" ? "cni0" : "eth0"}`;
      return ports.map((port) => ({
        from,
        target: {
          ...targetOf({ ...end, address, listens: { TCP: [], UDP: [] } }, port, "TCP"),
          name: `${end.name} by IPv6, ${port}/TCP`,
        },
        may: from.kind === "node",
      }));
    }),
  );

const heard = ({ behind, protocol }: Target): boolean =>
  behind.every(({ end, port }) => end.listens[protocol].includes(port));

/**
 * What a verdict says against the list; undefined where it agrees. A refusal comes from where the packet arrived, since the cluster's agent drops without
 * a word; so it counts as passed, unless a process listens there.
 */
export function against({ target, may }: Cell, verdict: Verdict): string | undefined {
  // By IPv6 the question for the neighbour is stopped, too, and the sender's own kernel may say so.
  const stopped = verdict === "silent" || (target.at.includes("%") && verdict === "EHOSTUNREACH");
  if (!may) return stopped ? undefined : `may not, but gets through (${verdict})`;
  if (verdict === "open" || (verdict === "refused" && !heard(target))) return undefined;
  return `may, but doesn't get through (${verdict})`;
}

/** One difference between the list and what happened. */
export interface Difference extends Cell {
  readonly verdict: Verdict;
}

export function differencesOf(
  cells: readonly Cell[],
  verdictOf: (cell: Cell) => Verdict | undefined,
): Difference[] {
  return cells.flatMap((cell) => {
    const verdict = verdictOf(cell) ?? "not tried";
    return against(cell, verdict) === undefined ? [] : [{ ...cell, verdict }];
  });
}

export const told = (difference: Difference): string =>
  `${difference.from.name} to ${difference.target.name}: ${against(difference, difference.verdict) ?? "as listed"}`;

/** Ports that the list opens at pods that run, and at which no process of theirs listens. */
export function unserved({ flows }: Pick<List, "flows">, ends: readonly End[]): string[] {
  const lines = flows.flatMap(({ name, to, port, protocol }) =>
    to.kind !== "pods"
      ? []
      : ends
          .filter((end) => standsFor(to, end) && !end.listens[protocol].includes(port))
          .map((end) => `${name}: ${end.name} doesn't listen at ${port}/${protocol}`),
  );
  return [...new Set(lines)];
}

/** Whom the list lets begin something and no pod stands for now, such as Jobs: one pod with its labels each. */
export function standIns({ flows }: Pick<List, "flows">, ends: readonly End[]): Omit<Pods, "kind">[] {
  const wanted = flows.flatMap(({ from }) => {
    if (from.kind === "addresses" || ends.some((end) => standsFor(from, end))) return [];
    return from.kind === "pods"
      ? [{ name: from.name, namespace: from.namespace, labels: from.labels }]
      : [{ name: "any", namespace: from.namespace, labels: {} }];
  });
  return [...new Map(wanted.map((one) => [`${one.namespace}/${one.name}`, one])).values()];
}

const LISTEN = { TCP: "0A", UDP: "07" } as const;

/** Whether an address as `/proc/net` writes it is one for a process's own loopback. */
const isLoopback = (hex: string): boolean =>
  hex.length === 8
    ? hex.endsWith("7F")
    : hex === "00000000000000000000000001000000" || /^0{16}FFFF0000.{6}7F$/.test(hex);

/** Ports at which something listens, beyond its own loopback, out of `/proc/<pid>/net/tcp`, `tcp6`, `udp` or `udp6`. */
export const listeningPorts = (table: string, protocol: Protocol): number[] =>
  table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      return state === LISTEN[protocol] && !isLoopback(address) ? [parseInt(port, 16)] : [];
    });

/** The address for its own link of `eth0` out of `/proc/<pid>/net/if_inet6`, and all others that leave the pod. */
export function inet6Of(table: string): { linkLocal?: string; others: string[] } {
  const rows = table.split("\n").flatMap((line) => {
    const [hex = "", , , scope, , link] = line.trim().split(/\s+/);
    return hex.length === 32 && link !== "lo"
      ? [{ address: (hex.match(/.{4}/g) ?? []).join(":"), scope, link }]
      : [];
  });
  const [linkLocal] = rows.filter(({ scope, link }) => scope === "20" && link === "eth0");
  const others = rows.filter(({ scope }) => scope !== "20").map(({ address }) => address);
  return { ...(linkLocal && { linkLocal: linkLocal.address }), others };
}
