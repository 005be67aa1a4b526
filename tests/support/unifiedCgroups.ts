import { basename, dirname, join } from "node:path";

/**
 * A stand-in for cgroup version 2 that refuses what the kernel's documentation (admin-guide/cgroup-v2) says that the kernel
 * refuses: a controller that the parent hasn't handed on, and controllers of a group that has processes of its own.
 */

/** Controllers that work on threads, which processes beside groups don't hinder. */
const threaded = ["cpu", "cpuset", "pids"];

interface Group {
  subtree: Set<string>;
  processes: Set<string>;
}

const failure = (code: string, call: string, path: string) =>
  Object.assign(new Error(`${code}: ${call} '${path}'`), { code });

export class UnifiedCgroups {
  private readonly groups = new Map<string, Group>();

  /** `offered`: what the kernel has. `real`: whether the mount is the true root, which no rule about processes binds. */
  constructor(
    private readonly root: string,
    private readonly offered: readonly string[],
    private readonly real: boolean,
    processesInRoot: readonly string[],
  ) {
    this.groups.set(root, { subtree: new Set(), processes: new Set(processesInRoot) });
  }

  private group(path: string, call: string): Group {
    const found = this.groups.get(path);
    if (found === undefined) throw failure("ENOENT", call, path);
    return found;
  }

  /** What stands in a group's `cgroup.controllers`. */
  controllers(path: string): readonly string[] {
    if (path === this.root) return this.offered;
    const { subtree } = this.group(dirname(path), "read");
    return this.offered.filter((name) => subtree.has(name));
  }

  private bound(path: string): boolean {
    return path !== this.root || !this.real;
  }

  /** The calls that the program makes. */
  readonly calls = {
    mkdir: (path: string) => {
      if (!this.groups.has(path)) {
        this.group(dirname(path), "mkdir");
        this.groups.set(path, { subtree: new Set(), processes: new Set() });
      }
      return Promise.resolve(undefined);
    },
    readFile: async (file: string) => {
      if (basename(file) !== "cgroup.controllers") throw failure("ENOENT", "open", file);
      return Promise.resolve(`${this.controllers(dirname(file)).join(" ")}\n`);
    },
    // In a promise, as the real calls fail.
    writeFile: (file: string, text: string) => Promise.resolve().then(() => this.write(file, text)),
  };

  private write(file: string, text: string): void {
    const path = dirname(file);
    const group = this.group(path, "write");
    if (basename(file) === "cgroup.procs") {
      const domain = [...group.subtree].some((name) => !threaded.includes(name));
      if (this.bound(path) && domain) throw failure("EBUSY", "write", file);
      for (const other of this.groups.values()) other.processes.delete(text);
      group.processes.add(text);
      return;
    }
    const names = text.split(" ").map((word) => {
      if (!word.startsWith("+")) throw failure("EINVAL", "write", file);
      return word.slice(1);
    });
    for (const name of names)
      if (!this.controllers(path).includes(name)) throw failure("ENOENT", "write", file);
    const adds = names.some((name) => !group.subtree.has(name) && !threaded.includes(name));
    if (adds && this.bound(path) && group.processes.size > 0) throw failure("EBUSY", "write", file);
    names.forEach((name) => group.subtree.add(name));
  }

  /** What `xargs … > init/cgroup.procs` does. */
  async moveProcesses(from: string, to: string): Promise<void> {
    await this.calls.mkdir(join(from, to));
    for (const id of [...this.group(from, "read").processes])
      await this.calls.writeFile(join(from, to, "cgroup.procs"), id);
  }
}
