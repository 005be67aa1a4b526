import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isAlive, parseRecord, recordOf, type ProcessRecord } from "./processes";
import { paths } from "./settings";
import { waitFor } from "./wait";

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const readOrEmpty = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");

/** A holder that was killed a moment ago is about to go; any other is waited for by the user. */
async function refuseWhileAlive(holder: ProcessRecord): Promise<void> {
  await waitFor(() => !isAlive(holder), { what: "The lock", timeoutMs: 2000 }).catch(() => {
    throw new Error(
      `Another command (PID ${holder.pid}) is changing the built-in cluster: wait for its end.`,
    );
  });
}

/** Removes the lock's file when it is still the one that a dead process left. */
async function removeStale(file: string, content: string, aside: string): Promise<void> {
  await rename(file, aside).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
  // Another process took the lock in between: give it back.
  if ((await readOrEmpty(aside)) !== content) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Runs `work` while no other process changes the cluster; a lock whose holder died counts for nothing. */
export async function withLock<T>(work: () => Promise<T>, file: string = paths.lock): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const self = recordOf(process.pid);
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, `${self?.pid} ${self?.startTime} ${self?.bootId}\n`);
  try {
    for (;;) {
      try {
        // Unlike a write, a link appears whole or not at all, and for one taker alone.
        await link(own, file);
        break;
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
      const content = await readOrEmpty(file);
      const holder = parseRecord(content);
      if (holder) await refuseWhileAlive(holder);
      await removeStale(file, content, `${own}.stale`);
    }
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}
