import { lstat, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { settings } from "./settings";
import { waitFor } from "./wait";

const mountPoint = "/sys/fs/cgroup";

/** Controllers that a node's pods are limited by, where version 2 has to be told. */
const controllers = ["cpu", "cpuset", "io", "memory", "pids"];

const readable = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function isVersion2(): Promise<boolean> {
  return readable(join(mountPoint, "cgroup.controllers"));
}

/** Roots in which the cluster has groups: one for each controller in version 1, a single one in version 2. */
async function hierarchies(): Promise<string[]> {
  if (await isVersion2()) return [mountPoint];
  const entries = await readdir(mountPoint, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(mountPoint, entry.name));
}

/** Version 1: a new cpuset is empty, and takes no process before it has been given processors and memory nodes. */
async function inheritCpuset(parent: string, child: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const inherited = await readFile(join(parent, file), "utf8").catch(() => undefined);
    if (inherited !== undefined) await writeFile(join(child, file), inherited);
  }
}

/** Version 2 (not tried on a real machine yet): a group's controllers must be handed on to its children. */
async function delegate(group: string): Promise<void> {
  const offered = (await readFile(join(group, "cgroup.controllers"), "utf8")).trim().split(" ");
  const wanted = controllers.filter((name) => offered.includes(name)).map((name) => `+${name}`);
  await writeFile(join(group, "cgroup.subtree_control"), wanted.join(" "));
}

/** Makes the group below the cluster's own; returns the files that a process writes itself into to join it. */
export async function ensureCgroup(...path: string[]): Promise<string[]> {
  const version2 = await isVersion2();
  const files: string[] = [];
  for (const root of await hierarchies()) {
    // Where both versions are mounted, the runtime keeps empty groups in the second one by itself.
    if (!version2 && root.endsWith("/unified")) continue;
    let group = root;
    for (const part of [settings.name, ...path]) {
      if (version2) await delegate(group);
      const child = join(group, part);
      await mkdir(child, { recursive: true });
      if (!version2) await inheritCpuset(group, child);
      group = child;
    }
    files.push(join(group, "cgroup.procs"));
  }
  return files;
}

async function removeTree(group: string): Promise<void> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(group, entry.name));
  await rmdir(group).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Removes a group of the cluster (all of them without a path); waits for the processes in it, which must be ending. */
export async function removeCgroup(...path: string[]): Promise<void> {
  for (const root of await hierarchies()) {
    const group = join(root, settings.name, ...path);
    await waitFor(
      () =>
        removeTree(group).then(
          () => true,
          () => false,
        ),
      { what: `The end of all processes in ${group}`, timeoutMs: 20_000, everyMs: 50 },
    );
  }
}
