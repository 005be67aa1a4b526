import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isAlive, parseRecord, recordOf } from "./processes";
import { paths } from "./settings";
import { waitFor } from "./wait";

/** Runs `work` while no other process changes the cluster; a lock whose holder died counts for nothing. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(paths.lock), { recursive: true });
  const holder = parseRecord(await readFile(paths.lock, "utf8").catch(() => ""));
  if (holder && isAlive(holder)) {
    throw new Error(
      `Another command (PID ${holder.pid}) is changing the built-in cluster: wait for its end.`,
    );
  }
  await rm(paths.lock, { force: true });
  const self = recordOf(process.pid);
  const file = await open(paths.lock, "wx");
  try {
    await file.writeFile(`${self?.pid} ${self?.startTime} ${self?.bootId}\n`);
    return await work();
  } finally {
    await file.close();
    await rm(paths.lock, { force: true });
  }
}
