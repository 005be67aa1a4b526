import { readlink } from "node:fs/promises";
import { run, succeeds } from "../../shell/process";
import { end, find, start } from "./processes";
import { gatewayNode, nodes, settings, type ClusterNode } from "./settings";
import { waitFor } from "./wait";

/**
 * The cluster's network: a switch in a network namespace of its own, one cable to the host, one to each node.
 *
 * The namespaces have no names: each lives as long as its process, and takes its links along when that ends. So the
 * host's packet filter never sees traffic between nodes, and nothing of it can outlive the processes.
 */

const switchProcess = "switch";
const bridge = "bridge";
const hostPort = "host";

/** What the nodes may reach on the host: the API server, and answers. Nothing is forwarded to or from them. */
export function hostFirewall(link: string = settings.hostLink): string {
  const table = `inet ${settings.name}`;
  return `add table ${table}
delete table ${table}
table ${table} {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != "${link}" accept
    ct state established,related accept
    ip daddr ${settings.apiAddress} tcp dport ${settings.apiPort} accept
    meta l4proto icmp accept
    drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${link}" drop
    oifname "${link}" drop
  }
}
`;
}

/** Commands for `ip -batch` inside a node: its address, and the way to the other nodes' pods. There is no default route. */
export function nodeAddresses(node: ClusterNode): string {
  const others = nodes.filter((other) => other.name !== node.name);
  return [
    "link set lo up",
    `address replace ${node.address}/${settings.nodeNetworkBits} dev eth0`,
    "link set eth0 up",
    ...others.map((other) => `route replace ${other.podRange} via ${other.address}`),
    "",
  ].join("\n");
}

/** Commands for `ip -batch` on the host: its address, and the ways to pods and services. */
export function hostAddresses(): string {
  return [
    `address replace ${settings.apiAddress}/${settings.nodeNetworkBits} dev ${settings.hostLink}`,
    `link set ${settings.hostLink} up`,
    ...nodes.map((node) => `route replace ${node.podRange} via ${node.address}`),
    `route replace ${settings.serviceRange} via ${gatewayNode.address}`,
    "",
  ].join("\n");
}

const inside = (pid: number, command: readonly string[], input?: string) =>
  run("nsenter", [`--net=/proc/${pid}/ns/net`, ...command], input === undefined ? {} : { input });

const hasLink = (pid: number | "host", link: string): Promise<boolean> =>
  pid === "host"
    ? succeeds("ip", ["link", "show", "dev", link])
    : succeeds("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", "link", "show", "dev", link]);

/** Waits until a started process has left this process's network namespace. */
export async function ownNetwork(pid: number): Promise<void> {
  const host = await readlink("/proc/self/ns/net");
  await waitFor(async () => (await readlink(`/proc/${pid}/ns/net`).catch(() => host)) !== host, {
    what: `The network namespace of process ${pid}`,
    timeoutMs: 10_000,
    everyMs: 20,
  });
}

/** A link whose other end's namespace has ended goes away by itself, a moment later; if not, it is removed. */
async function waitUntilGone(pid: number | "host", link: string): Promise<void> {
  try {
    await waitFor(async () => !(await hasLink(pid, link)), { what: link, timeoutMs: 2000, everyMs: 50 });
  } catch {
    if (pid === "host") await run("ip", ["link", "delete", link], { allowFailure: true });
    else await inside(pid, ["ip", "link", "delete", link]);
  }
}

/** Makes the switch, the host's cable and the host's firewall, as far as they aren't there; returns the switch's PID. */
export async function ensureSwitch(holder: string): Promise<number> {
  await run("nft", ["-f", "-"], { input: hostFirewall() });
  const { pid } = await start(switchProcess, ["unshare", "--net", "--", holder]);
  await ownNetwork(pid);
  if (!(await hasLink(pid, bridge))) await inside(pid, ["ip", "link", "add", bridge, "type", "bridge"]);
  await inside(pid, ["ip", "-batch", "-"], `link set lo up\nlink set ${bridge} up\n`);
  if (!(await hasLink(pid, hostPort))) {
    await waitUntilGone("host", settings.hostLink);
    await run("ip", [
      ...["link", "add", settings.hostLink, "type", "veth"],
      ...["peer", "name", hostPort, "netns", String(pid)],
    ]);
  }
  await inside(pid, ["ip", "link", "set", hostPort, "master", bridge, "up"]);
  // Routes to pods need the host's address, and that needs the link.
  await run("ip", ["-batch", "-"], { input: hostAddresses() });
  return pid;
}

/** Connects a node to the switch, as far as it isn't. */
export async function plug(switchPid: number, node: ClusterNode, nodePid: number): Promise<void> {
  await ownNetwork(nodePid);
  if (!(await hasLink(nodePid, "eth0"))) {
    await waitUntilGone(switchPid, node.name);
    await inside(switchPid, [
      ...["ip", "link", "add", node.name, "type", "veth"],
      ...["peer", "name", "eth0", "netns", String(nodePid)],
    ]);
  }
  await inside(switchPid, ["ip", "link", "set", node.name, "master", bridge, "up"]);
  await inside(nodePid, ["ip", "-batch", "-"], nodeAddresses(node));
}

/** PID of the running switch. */
export async function findSwitch(): Promise<number | undefined> {
  return (await find(switchProcess))?.pid;
}

/** Removes the switch, the host's cable with its addresses and routes, and the firewall. */
export async function removeNetwork(): Promise<void> {
  await end(switchProcess, "SIGKILL");
  if (await hasLink("host", settings.hostLink)) await waitUntilGone("host", settings.hostLink);
  const table = ["table", "inet", settings.name];
  if (await succeeds("nft", ["list", ...table])) await run("nft", ["delete", ...table]);
}
