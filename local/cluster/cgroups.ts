import { lstat, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shell/userError";
import { settings } from "./settings";
import { waitFor } from "./wait";

const mountPoint = "/sys/fs/cgroup";

/**
 * Controllers that version 2 has to be told to hand on: what the kubelet asks of its own group, as far as the kernel has it (cpu, cpuset,
 * hugetlb, memory, pids), and io.
 */
const controllers = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids"];

/** The calls by which version 2 is used; tests put a stand-in there. */
export const kernel = { mkdir, readFile, writeFile };

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

/** Version 2: a group's controllers must be handed on to its children, and only a group without processes of its own may do that. */
async function delegate(
  group: string,
  { readFile, writeFile }: Pick<typeof kernel, "readFile" | "writeFile">,
) {
  const offered = (await readFile(join(group, "cgroup.controllers"), "utf8")).trim().split(" ");
  const wanted = controllers.filter((name) => offered.includes(name)).map((name) => `+${name}`);
  await writeFile(join(group, "cgroup.subtree_control"), wanted.join(" ")).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EBUSY") throw error;
      // The true root may do both; so this one is the root of a container's view.
      throw new UserError([
        `The built-in cluster needs control groups, and ${group} holds processes beside its groups, as in a container. Fix: run \`mkdir ${group}/init && xargs -rn1 < ${group}/cgroup.procs > ${group}/init/cgroup.procs\`, then run the command again.`,
      ]);
    },
  );
}

/** Version 2: makes a group with all that is above it; returns its folder. */
export async function ensureUnified(
  root: string,
  path: readonly string[],
  calls: Pick<typeof kernel, "mkdir" | "readFile" | "writeFile"> = kernel,
): Promise<string> {
  let group = root;
  for (const part of path) {
    await delegate(group, calls);
    group = join(group, part);
    await calls.mkdir(group, { recursive: true });
  }
  return group;
}

/** Makes the group below the cluster's own; returns the files that a process writes itself into to join it. */
export async function ensureCgroup(...path: string[]): Promise<string[]> {
  if (await isVersion2())
    return [join(await ensureUnified(mountPoint, [settings.name, ...path]), "cgroup.procs")];
  const files: string[] = [];
  for (const root of await hierarchies()) {
    // Where both versions are mounted, the runtime keeps empty groups in the second one by itself.
    if (root.endsWith("/unified")) continue;
    let group = root;
    for (const part of [settings.name, ...path]) {
      const child = join(group, part);
      await mkdir(child, { recursive: true });
      await inheritCpuset(group, child);
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
