import { switchWal } from "../../../operations/archive";
import { readStatus } from "../../../operations/targets";
import type { Environment } from "./environment";
import { until } from "./wait";

/** What the watcher sees in the first store that answers: the archive's ID and its newest segment. */
export async function archiveSeen(env: Environment): Promise<{ id: string; newest: string }> {
  const archive = (await readStatus(env))?.find((one) => one.kind === "answers");
  return archive?.kind === "answers"
    ? { id: archive.archiveId, newest: archive.wal?.segment ?? "" }
    : { id: "", newest: "" };
}

/** Ends the primary's segment, and waits until that is in the store. */
export async function archiveAll(env: Environment): Promise<void> {
  const segment = await switchWal(env);
  await until(`${segment} in the store`, 120, async () => {
    const { newest } = await archiveSeen(env);
    return newest >= segment ? { done: undefined } : { why: `the newest is ${newest}` };
  });
}
