import { readFile } from "node:fs/promises";
import { end, find, start, type ProcessRecord } from "./processes";

/** An API server that is silent for a while: stopped with SIGSTOP, connections and all, and continued with SIGCONT. */

const apiServer = "kube-apiserver";
/** Continues the API server in time, whatever becomes of the command that stopped it. */
const guard = "stall-guard";

/** Longest stall, in seconds. */
export const longestStall = 600;

/** The field after the program's name, which may itself hold spaces and parentheses. */
export const isStopped = (stat: string): boolean =>
  /^[Tt]$/.test(stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "");

async function running(): Promise<ProcessRecord> {
  const record = await find(apiServer);
  if (record === undefined) throw new Error("The API server doesn't run.");
  return record;
}

/** Whether the API server is stopped with SIGSTOP. */
export async function apiIsStalled(): Promise<boolean> {
  const record = await find(apiServer);
  if (record === undefined) return false;
  return isStopped(await readFile(`/proc/${record.pid}/stat`, "utf8").catch(() => ""));
}

/** Stalls the API server for so many seconds; returns at once. */
export async function stallApi(seconds: number): Promise<void> {
  if (!(seconds > 0 && seconds <= longestStall)) {
    throw new Error(`A stall lasts more than 0 and at most ${longestStall} seconds, not ${seconds}.`);
  }
  const { pid } = await running();
  await end(guard, "SIGKILL");
  await start(guard, ["/bin/sh", "-c", `sleep ${seconds}; kill -CONT ${pid}`]);
  process.kill(pid, "SIGSTOP");
}

/** Continues a stalled API server; one that isn't stalled stays as it is. */
export async function resumeApi(): Promise<void> {
  await end(guard, "SIGKILL");
  const record = await find(apiServer);
  if (record !== undefined) process.kill(record.pid, "SIGCONT");
}
