import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "./settings";
import { waitFor } from "./wait";

/** A process as its PID file names it: a PID alone may since have gone to a stranger. */
export interface ProcessRecord {
  pid: number;
  /** Clock ticks between the machine's start and the process's, as in /proc/PID/stat. */
  startTime: string;
  /** Identity of the machine's start that `startTime` counts from. */
  bootId: string;
}

/** Field 22 of /proc/PID/stat; field 2, the program's name, may itself hold spaces and parentheses. */
export function startTimeOf(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const zombie = fields[0] === "Z" || fields[0] === "X";
  return zombie ? undefined : fields[19];
}

export function parseRecord(text: string): ProcessRecord | undefined {
  const match = /^(\d+) (\d+) ([0-9a-f-]+)\s*$/.exec(text);
  if (!match) return undefined;
  return { pid: Number(match[1]), startTime: match[2] ?? "", bootId: match[3] ?? "" };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export const currentBootId = (): string => readOrEmpty("/proc/sys/kernel/random/boot_id").trim();

/** The record of a process that runs now; `undefined` when there is none under this PID. */
export function recordOf(pid: number): ProcessRecord | undefined {
  const startTime = startTimeOf(readOrEmpty(`/proc/${pid}/stat`));
  return startTime === undefined ? undefined : { pid, startTime, bootId: currentBootId() };
}

/** True while the very process that the record names runs. */
export function isAlive(
  record: ProcessRecord,
  look: (pid: number) => ProcessRecord | undefined = recordOf,
): boolean {
  const now = look(record.pid);
  return now !== undefined && now.startTime === record.startTime && now.bootId === record.bootId;
}

const pidFile = (name: string): string => join(paths.pids, name);

/** The live process that a PID file names. */
export async function find(name: string): Promise<ProcessRecord | undefined> {
  const record = parseRecord(await readFile(pidFile(name), "utf8").catch(() => ""));
  return record && isAlive(record) ? record : undefined;
}

/** Names of all PID files. */
export async function recordedNames(): Promise<string[]> {
  return (await readdir(paths.pids).catch(() => [])).filter((name) => !name.endsWith(".new")).sort();
}

/**
 * The process writes its own PID file before it becomes the command, so that none can run unrecorded, whenever the
 * caller is killed. Arguments: PID file, cgroup.procs files to enter (comma-separated), command.
 */
const launcher = `
read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ < /proc/$$/stat
read -r boot < /proc/sys/kernel/random/boot_id
echo "$$ $started $boot" > "$1.new" && mv "$1.new" "$1" || exit 1
IFS=,
for group in $2; do echo $$ > "$group" || exit 1; done
unset IFS
shift 2
exec "$@"`;

/**
 * Starts a command that outlives this process, unless it already runs; output goes to `logs/<name>.log`.
 *
 * By Node.js itself: nothing is read from the command or waited for, so that execa, and `run`, have nothing to do.
 */
export async function start(
  name: string,
  command: readonly string[],
  cgroupFiles: readonly string[] = [],
): Promise<ProcessRecord> {
  const running = await find(name);
  if (running) return running;
  await mkdir(paths.pids, { recursive: true });
  await mkdir(paths.logs, { recursive: true });
  await rm(pidFile(name), { force: true });
  const log = await open(join(paths.logs, `${name}.log`), "a");
  try {
    const child = spawn(
      "/bin/sh",
      ["-c", launcher, "launcher", pidFile(name), cgroupFiles.join(","), ...command],
      {
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
        cwd: "/",
      },
    );
    child.on("error", () => undefined);
    child.unref();
  } finally {
    await log.close();
  }
  return waitFor(() => find(name), {
    what: `The process ${name}`,
    timeoutMs: 10_000,
    everyMs: 20,
    hint: () => lastLines(name),
  });
}

/** The end of a process's log, for an error message. */
export async function lastLines(name: string, count = 3): Promise<string> {
  const file = join(paths.logs, `${name}.log`);
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.trim().split("\n").slice(-count).join(" | ");
  return `Last lines of ${file}: ${lines === "" ? "(empty)" : lines}`;
}

/** Ends a process that we started, and waits until it is gone; after `graceMs` it is killed. */
export async function end(name: string, signal: "SIGTERM" | "SIGKILL", graceMs = 10_000): Promise<void> {
  const record = await find(name);
  if (record) {
    const gone = async (timeoutMs: number) =>
      waitFor(() => !isAlive(record), {
        what: `The end of ${name} (PID ${record.pid})`,
        timeoutMs,
        everyMs: 20,
      });
    send(record, signal);
    try {
      await gone(graceMs);
    } catch (error) {
      if (signal === "SIGKILL") throw error;
      send(record, "SIGKILL");
      await gone(10_000);
    }
  }
  await rm(pidFile(name), { force: true });
}

function send(record: ProcessRecord, signal: NodeJS.Signals): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
