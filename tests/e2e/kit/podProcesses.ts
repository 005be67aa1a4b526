import { readdirSync, readFileSync } from "node:fs";
import { chooseCluster, inspectMachine } from "../../../operations/choice";
import type { KubeObject } from "../../../operations/kubectl";
import type { Environment } from "./environment";

/** Command lines and environments of processes, as root of the nodes reads them. */

export interface SeenProcess {
  /** What it runs, without arguments. */
  readonly program: string;
  readonly commandLine: string;
  /** Each `NAME=value`; empty for what runs in no pod, whose environment is not asked for. */
  readonly environment: readonly string[];
  /** UID of its pod. @default - it runs in none */
  readonly pod?: string;
  /** ID of its container, as the runtime has it. */
  readonly container?: string;
}

/** Pod and container by a process's control groups, with either driver of them; undefined outside of pods. */
export function podOf(groups: string): { pod: string; container?: string } | undefined {
  const pod = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})/.exec(groups)?.[1];
  if (pod === undefined) return undefined;
  const container = /([0-9a-f]{64})(?:\.scope)?$/m.exec(groups)?.[1];
  return { pod: pod.replaceAll("_", "-"), ...(container !== undefined && { container }) };
}

const words = (text: string): string[] => text.split("\0").filter((word) => word !== "");

const reading = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended.
    return "";
  }
};

const LOOK_EVERY_MS = 300;

/** Looks again and again at all processes of this machine, so that what a script runs for a moment is likely to be seen. Only root sees all. */
export class ProcessWatch {
  private readonly seen = new Map<string, SeenProcess>();
  private timer: NodeJS.Timeout | undefined;
  looks = 0;

  /** Whether the nodes are processes of this machine, which root may read. */
  static async possible(): Promise<boolean> {
    return chooseCluster(await inspectMachine()).kind === "built-in" && process.getuid?.() === 0;
  }

  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  get processes(): SeenProcess[] {
    return [...this.seen.values()];
  }

  private look(): void {
    this.looks++;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const commandLine = reading(`/proc/${pid}/cmdline`);
      // A kernel's thread, or one that has ended.
      if (commandLine === "") continue;
      const key = `${pid} ${commandLine}`;
      if (this.seen.has(key)) continue;
      const place = podOf(reading(`/proc/${pid}/cgroup`));
      this.seen.set(key, {
        ...seenProcess(commandLine, place === undefined ? "" : reading(`/proc/${pid}/environ`)),
        ...place,
      });
    }
  }
}

const seenProcess = (commandLine: string, environment: string): SeenProcess => ({
  program: words(commandLine)[0] ?? "",
  commandLine: words(commandLine).join(" "),
  environment: words(environment),
});

const SEPARATOR = "\n==pgp==";
const script = `for one in /proc/[0-9]*; do printf '${SEPARATOR.replace("\n", "\\n")}'; cat "$one/cmdline" 2>/dev/null; printf '${SEPARATOR.replace("\n", "\\n")}'; cat "$one/environ" 2>/dev/null; done`;

/** What `script` has printed. */
export function processesIn(text: string): SeenProcess[] {
  const parts = text.split(SEPARATOR).slice(1);
  const pairs = parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1] ?? ""]] : []));
  return pairs.flatMap(([line = "", environment = ""]) =>
    line === "" ? [] : [seenProcess(line, environment)],
  );
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly restartCount?: number;
  readonly state?: { readonly running?: object; readonly terminated?: object; readonly waiting?: object };
  readonly lastState?: { readonly terminated?: object };
}

/** All containers of a pod that have been made, those of its start among them. */
export function containersOf({ status }: KubeObject): ContainerStatus[] {
  const lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
  return lists.flatMap((list) => (status?.[list] ?? []) as ContainerStatus[]);
}

/** The runtime's ID, without the runtime's name. */
export const idOf = ({ containerID = "" }: ContainerStatus): string => containerID.replace(/^.*:\/\//, "");

/** One look from inside: what each container's own user may read there. `unread` names the containers that have no shell. */
export async function processesByExec(
  { kubectl }: Environment,
  pods: readonly KubeObject[],
): Promise<{ processes: SeenProcess[]; unread: string[] }> {
  const processes: SeenProcess[] = [];
  const unread: string[] = [];
  for (const pod of pods) {
    const { name, namespace = "default", uid } = pod.metadata as KubeObject["metadata"] & { uid?: string };
    for (const status of containersOf(pod).filter(({ state }) => state?.running !== undefined)) {
      const at = ["-n", namespace, "exec", name, "-c", status.name, "--", "sh", "-c", script];
      const { exitCode, stdout } = await kubectl.run(at, { allowFailure: true, timeoutMs: 30_000 });
      if (exitCode !== 0) unread.push(`${namespace}/${name} ${status.name}`);
      for (const one of processesIn(stdout))
        processes.push({ ...one, pod: uid ?? "", container: idOf(status) });
    }
  }
  return { processes, unread };
}
