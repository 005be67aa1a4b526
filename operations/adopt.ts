import { setTimeout as delay } from "node:timers/promises";
import type { StepContext } from "../shell/progress";
import type { Subject } from "./health";
import { askPrimary } from "./primary";

/**
 * Adds what the platform needs to data that another program made, as soon as the restored primary takes writes: what comes after the cluster logs in with it. Ends
 * with the signal where that moment doesn't come.
 */
export async function adopt(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  { pauseMs = 2000 } = {},
): Promise<void> {
  for (const { database, statements } of subject.plan.adoption ?? []) {
    const run = [`\\connect ${database}`, "set client_min_messages = warning", ...statements];
    // What came while it was being tried counts, too: once more behind the end.
    for (let last = signal.aborted; !(await tried(subject, run)); last = signal.aborted) {
      if (last) {
        context.say(
          `the database ${database} doesn't have all that the platform needs: run the command again`,
        );
        return;
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    context.say(`the database ${database} has what the platform needs`);
  }
}

/** Whether the primary executed all of it: before it is there, and while it recovers, it can't. */
const tried = async (subject: Subject, statements: readonly string[]): Promise<boolean> =>
  (await askPrimary(subject, ["\\set ON_ERROR_STOP on", ...statements]).catch(() => undefined)) !== undefined;
