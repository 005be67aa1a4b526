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

/** All processes of a container on the built-in cluster, whose nodes are processes of this machine. */
export async function containerProcesses(container: string): Promise<ContainerProcess[]> {
  if (container === "") throw new Error("the container has no id: it doesn't run");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<ContainerProcess[]> => {
      // A process may end meanwhile.
      const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
      if (!groups.includes(container)) return [];
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const inside = insideOf(status);
      return inside === undefined ? [] : [{ pid: Number(pid), inside, name: nameOf(status) }];
    }),
  );
  return found.flat();
}
