import { readFileSync } from "node:fs";

/** A process as one can recognise it later: process ids are used again, their start times aren't. */
export interface ProcessMark {
  pid: number;
  startTime: string;
}

/** The start time of a process in kernel ticks, or undefined when there is none with that id. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    // No /proc (macOS): a process that answers signal 0 counts as the same one.
    if (process.platform === "linux") return undefined;
    try {
      process.kill(pid, 0);
      return "alive";
    } catch {
      return undefined;
    }
  }
}

export const isAlive = (mark: ProcessMark): boolean => startTimeOf(mark.pid) === mark.startTime;
