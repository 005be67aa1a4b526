import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../shell/process";

/** What a program can leave behind on a machine, as sorted lists of names by kind. */
export type MachineSnapshot = Record<string, string[]>;

/** Folders whose direct entries a Kubernetes node would add to. */
const watchedFolders = [
  "/run",
  "/run/netns",
  "/var/lib",
  "/var/log",
  "/var/run",
  "/etc",
  "/etc/cni",
  "/opt",
  "/usr/libexec",
  "/mnt",
];

const namespaceKinds = ["net", "mnt", "pid", "uts", "ipc"];

function tryOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const statOf = (id: string): string => tryOr(() => readFileSync(`/proc/${id}/stat`, "utf8"), "");

/** State and parent's PID, the fields after the name. */
const fieldsOf = (id: string): string[] => {
  const stat = statOf(id);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};

/** Processes that run, without those that have ended and wait for process 1 to reap them. */
function processIds(): string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => !["", "Z", "X"].includes(fieldsOf(id)[0] ?? ""));
}

/**
 * Orphans (children of process 1) and processes in foreign namespaces. A command that leaves a process behind leaves
 * one of these; what other programs on the machine run under their own parents doesn't count.
 */
function strayProcesses(ids: readonly string[]): string[] {
  const host = tryOr(() => readlinkSync("/proc/self/ns/net"), "");
  return ids.flatMap((id) => {
    const parent = fieldsOf(id)[1];
    const network = tryOr(() => readlinkSync(`/proc/${id}/ns/net`), host);
    const kernelThread = parent === "2" || id === "2";
    if (kernelThread || (parent !== "1" && network === host)) return [];
    const command = tryOr(() => readFileSync(`/proc/${id}/cmdline`, "utf8"), "").replaceAll("\0", " ");
    return [`${id} ${command.trim().slice(0, 100)}`];
  });
}

/** Namespaces that some process lives in. */
function namespaces(ids: readonly string[]): string[] {
  const found = ids.flatMap((id) =>
    namespaceKinds.map((kind) => tryOr(() => readlinkSync(`/proc/${id}/ns/${kind}`), "")),
  );
  return [...new Set(found)].filter((name) => name !== "");
}

function cgroups(folder = "/sys/fs/cgroup"): string[] {
  const folders = tryOr(() => readdirSync(folder, { withFileTypes: true }), []).filter((entry) =>
    entry.isDirectory(),
  );
  return folders.flatMap((entry) => {
    const path = join(folder, entry.name);
    return [path, ...cgroups(path)];
  });
}

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** Takes stock of the machine. */
export async function machineSnapshot(): Promise<MachineSnapshot> {
  const ids = processIds();
  const links = await run("ip", ["-brief", "link", "show"]);
  const addresses = await run("ip", ["-brief", "address", "show"]);
  const routes = await run("ip", ["route", "show", "table", "all"]);
  const tables = await run("nft", ["list", "tables"]);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  const snapshot: MachineSnapshot = {
    link: lines(links.stdout).map((line) => line.split(/\s+/)[0] ?? ""),
    address: lines(addresses.stdout),
    route: lines(routes.stdout),
    "nft table": lines(tables.stdout),
    mount: lines(mounts).map((line) => line.split(" ")[4] ?? ""),
    cgroup: cgroups(),
    namespace: namespaces(ids),
    process: strayProcesses(ids),
    file: watchedFolders.flatMap((folder) =>
      tryOr(() => readdirSync(folder), []).map((name) => join(folder, name)),
    ),
  };
  for (const list of Object.values(snapshot)) list.sort();
  return snapshot;
}

/** What the second snapshot has that the first lacks (`+`), and the other way round (`-`). */
export function differences(before: MachineSnapshot, after: MachineSnapshot): string[] {
  const kinds = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return kinds.flatMap((kind) => {
    const earlier = before[kind] ?? [];
    const later = after[kind] ?? [];
    return [
      ...later.filter((item) => !earlier.includes(item)).map((item) => `+ ${kind}: ${item}`),
      ...earlier.filter((item) => !later.includes(item)).map((item) => `- ${kind}: ${item}`),
    ];
  });
}

/** What was left behind: the additions alone, since other programs on the machine come to an end meanwhile. */
export function leftovers(before: MachineSnapshot, after: MachineSnapshot): string[] {
  return differences(before, after).filter((line) => line.startsWith("+"));
}
