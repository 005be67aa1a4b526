import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { exists } from "../../shell/paths";
import { run, succeeds } from "../../shell/process";
import type { StepContext } from "../../shell/progress";
import type { KubernetesPrograms } from "../kubernetes/build";
import { ensureCgroup, removeCgroup } from "./cgroups";
import { plug } from "./network";
import { cniConfig, containerdConfig, inNode, kubeletConfig, nodeShare } from "./node-config";
import { pkiFile } from "./pki";
import { end, find, lastLines, start } from "./processes";
import { nodes, paths, settings, type ClusterNode } from "./settings";
import { copyTemplate } from "./template";
import { waitFor } from "./wait";

/** Name of a node's process in the PID files. */
const processOf = (node: ClusterNode): string => `node-${node.name}`;

/** PID of a running node, in whose network its processes are. */
export const findNode = async (node: ClusterNode): Promise<number | undefined> =>
  (await find(processOf(node)))?.pid;

export type Programs = Pick<KubernetesPrograms, "node" | "netpol">;

/** Image tars that a node has, so that a new version of one is brought to an existing node. */
const imageList = (node: ClusterNode): string => join(paths.node(node.name), "images.json");

async function knownImages(node: ClusterNode): Promise<string[]> {
  const text = await readFile(imageList(node), "utf8").catch(() => "[]");
  try {
    return JSON.parse(text) as string[];
  } catch {
    return [];
  }
}

async function writeConfiguration(node: ClusterNode): Promise<string> {
  const folder = paths.node(node.name);
  await mkdir(join(folder, "cni"), { recursive: true });
  const cpus = availableParallelism();
  const memoryMiB = Math.floor(totalmem() / 1024 / 1024);
  const json = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  const share = nodeShare(cpus, memoryMiB, nodes.length);
  await writeFile(join(folder, "kubelet.json"), json(kubeletConfig(node, cpus, memoryMiB, share)));
  await writeFile(join(folder, "containerd.toml"), containerdConfig());
  await writeFile(join(folder, "cni", "10-pgplatform.conflist"), json(cniConfig(node)));
  // Pods reach names of the cluster alone; nothing asks the host's resolver.
  await writeFile(join(folder, "resolv.conf"), "");
  const copies = {
    "ca.crt": "ca.crt",
    "node.crt": `${node.name}.crt`,
    "node.key": `${node.name}.key`,
    "node.kubeconfig": `${node.name}.kubeconfig`,
    "proxy.kubeconfig": "proxy.kubeconfig",
    "netpol.kubeconfig": "netpol.kubeconfig",
  };
  for (const [name, from] of Object.entries(copies)) await copyFile(pkiFile(from), join(folder, name));
  return folder;
}

/** Starts a node and connects it, as far as it isn't; returns its PID. */
export async function startNode(node: ClusterNode, programs: Programs, switchPid: number): Promise<number> {
  const running = await find(processOf(node));
  if (running) {
    await plug(switchPid, node, running.pid);
    return running.pid;
  }
  const folder = await writeConfiguration(node);
  // Groups of a former life's pods would each cost the kubelet seconds.
  await removeCgroup(node.name);
  const cgroup = await ensureCgroup(node.name, "system");
  const { pid } = await start(
    processOf(node),
    [
      ...["unshare", "--net", "--mount", "--uts", "--ipc", "--"],
      ...["unshare", "--pid", "--fork", "--kill-child", "--"],
      ...[
        "/bin/bash",
        join(__dirname, "node-init.sh"),
        node.name,
        node.address,
        node.zone,
        settings.podRange,
      ],
      ...[folder, programs.node, programs.netpol],
    ],
    cgroup,
  );
  await plug(switchPid, node, pid);
  return pid;
}

const containerdRoot = (node: ClusterNode): string => join(paths.node(node.name), "containerd");

/** Whether a node has been given images before; whatever else it needs is imported into it. */
export const hasImages = (node: ClusterNode): Promise<boolean> => exists(containerdRoot(node));

/** Gives a new node the template with these images; an existing one keeps what it has. */
export async function ensureImages(
  node: ClusterNode,
  template: string,
  tars: readonly string[],
): Promise<void> {
  await mkdir(paths.node(node.name), { recursive: true });
  if (await copyTemplate(template, containerdRoot(node))) {
    await writeFile(imageList(node), JSON.stringify(tars));
  }
}

/** Switches a node off like a power failure, and waits until all of its processes have ended. */
export async function stopNode(node: ClusterNode): Promise<void> {
  await end(processOf(node), "SIGKILL");
  await removeCgroup(node.name);
}

/** When the node's process started; `undefined` when it doesn't run. */
export async function runningSince(node: ClusterNode): Promise<Date | undefined> {
  if (!(await find(processOf(node)))) return undefined;
  return (await stat(join(paths.pids, processOf(node)))).mtime;
}

/** `nsenter` arguments for a command among the node's files, with the node's network. */
async function enter(node: ClusterNode): Promise<string[] | undefined> {
  const record = await find(processOf(node));
  return record && ["--target", String(record.pid), "--mount", "--net", "--"];
}

const ctr = ["ctr", "--address", inNode.containerdSocket, "--namespace", "k8s.io"];

async function importImage(node: ClusterNode, prefix: readonly string[], tar: string): Promise<void> {
  await waitFor(() => succeeds("nsenter", [...prefix, ...ctr, "version"]), {
    what: `An answer of containerd on ${node.name}`,
    timeoutMs: 60_000,
    hint: () => lastLines(processOf(node)),
  });
  // The node doesn't see all folders of the host: the host's shell opens the file.
  const script = 'tar=$1; shift; exec nsenter "$@" < "$tar"';
  await run("/bin/sh", ["-c", script, "import", tar, ...prefix, ...ctr, "images", "import", "-"]);
}

/** Brings image tars to every running node; with `onlyUnknown`, those that it hasn't been given before. */
export async function importImages(
  context: StepContext,
  tars: readonly string[],
  onlyUnknown: boolean,
): Promise<number> {
  let imported = 0;
  for (const node of nodes) {
    const prefix = await enter(node);
    if (!prefix) continue;
    for (const tar of tars) {
      const known = await knownImages(node);
      if (onlyUnknown && known.includes(tar)) continue;
      context.detail(`${node.name}: ${tar}`);
      await importImage(node, prefix, tar);
      await writeFile(imageList(node), JSON.stringify([...new Set([...known, tar])]));
      imported += 1;
    }
  }
  return imported;
}
