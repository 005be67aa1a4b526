import { readdir, readFile } from "node:fs/promises";

/** A process of a container on this machine. */
export interface ContainerProcess {
  /** Its number on the machine. */
  pid: number;
  /** Its number in the container, where 1 is the first. */
  inside: number;
  name: string;
}

/** The last number of the line `NSpid`: the one in the innermost namespace. */
export function insideOf(status: string): number | undefined {
  const line = /^NSpid:\s+(.*)$/m.exec(status)?.[1];
  const last = line?.trim().split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

const nameOf = (status: string): string => /^Name:\s+(.*)$/m.exec(status)?.[1] ?? "";

/** The processes of containers on the built-in cluster, whose nodes are processes of this machine; by their ids. */
export async function processesOf(
  containers: readonly string[],
): Promise<ReadonlyMap<string, ContainerProcess[]>> {
  if (containers.includes("")) throw new Error("the container has no id: it doesn't run");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = new Map(containers.map((container) => [container, [] as ContainerProcess[]]));
  await Promise.all(
    pids.map(async (pid) => {
      // A process may end meanwhile.
      const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
      const container = containers.find((one) => groups.includes(one));
      if (container === undefined) return;
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const inside = insideOf(status);
      if (inside !== undefined)
        found.get(container)?.push({ pid: Number(pid), inside, name: nameOf(status) });
    }),
  );
  return found;
}

/** All processes of a container. */
export const containerProcesses = async (container: string): Promise<ContainerProcess[]> =>
  (await processesOf([container])).get(container) ?? [];
