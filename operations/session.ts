import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateDir } from "../shell/paths";
import { type Progress } from "../shell/progress";
import { type ProcessMark, startTimeOf, isAlive } from "../shell/processMark";

const lockFile = join(stateDir, "session.lock");

/** How long a new command waits for an earlier one that is ending. */
const LOCK_WAIT_MS = 90_000;

async function holder(): Promise<(ProcessMark & { command: string }) | undefined> {
  try {
    return JSON.parse(await readFile(lockFile, "utf8")) as ProcessMark & { command: string };
  } catch {
    return undefined;
  }
}

async function acquire(command: string, progress: Progress): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (let said = false; ; said = true) {
    const other = await holder();
    if (other !== undefined && isAlive(other)) {
      if (Date.now() > deadline) {
        throw new Error(
          `\`make ${other.command}\` (process ${other.pid}) is still at work in ${stateDir}; wait for it or end it, then run the command again.`,
        );
      }
      if (!said) progress.line(`waiting for \`make ${other.command}\` (process ${other.pid}) to end …`);
      await delay(1000);
      continue;
    }
    if (other !== undefined) await rm(lockFile, { force: true });
    try {
      const file = await open(lockFile, "wx");
      await file.writeFile(
        JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid), command }),
      );
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // An empty lock file is one that was killed between making and filling it.
      if ((await holder()) === undefined) await rm(lockFile, { force: true });
    }
  }
}

/** Runs a command that changes things: one at a time for a state folder, and ended in order. */
export async function session<T>(
  command: string,
  progress: Progress,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await acquire(command, progress);
  try {
    return await interruptible(progress, work);
  } finally {
    await rm(lockFile, { force: true });
  }
}

/**
 * Runs a command that is ended in order by Ctrl-C, by SIGTERM and by the death of the process that started it (a `make` killed with
 * SIGKILL can't pass anything on).
 */
export async function interruptible<T>(
  progress: Progress,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (why: string) => {
    if (!controller.signal.aborted) progress.line(`${why}: ending in order …`);
    controller.abort();
  };
  const onSignal = () => interrupt("interrupted");
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && interrupt("the calling process is gone"), 500);
  try {
    const result = await work(controller.signal);
    if (controller.signal.aborted) throw new InterruptedError();
    return result;
  } catch (error) {
    throw controller.signal.aborted ? new InterruptedError() : error;
  } finally {
    clearInterval(watch);
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** The user (or the end of the calling process) asked the command to stop. */
export class InterruptedError extends Error {
  constructor() {
    super("interrupted; run the same command again to continue from here");
    this.name = "InterruptedError";
  }
}
