import { setTimeout as delay } from "node:timers/promises";
import type { StepContext } from "../../shell/progress";
import { type Found, instancePods, isCalledPrimary } from "../platform";
import { writeRow } from "../status/ask";
import type { Outcome } from "./check";

/** The seed's tenth check: the primary's pod is deleted by force, and a row must be written again in time. */

const PATIENCE_MS = 5 * 60_000;

export async function killPrimary(
  { platform, subject }: Found,
  boundSeconds: number,
  context: StepContext,
  signal: AbortSignal,
): Promise<Outcome> {
  const { kubectl, engine, settings } = platform;
  const database = subject?.settings.cluster.databases[0]?.name ?? (subject ? "postgres" : "");
  const uids = new Map(
    (await instancePods(platform)).map(({ metadata }) => [metadata.name, (metadata as { uid?: string }).uid]),
  );
  const primary = (await instancePods(platform)).find((pod) => isCalledPrimary(engine, pod))?.metadata.name;
  if (primary === undefined) return { passed: false, says: "there is no primary to delete" };
  const begun = Date.now();
  await kubectl.run([
    ...["-n", settings.cluster.namespace, "delete", "pod", primary],
    ...["--grace-period=0", "--force", "--wait=false"],
  ]);
  for (let why = ""; Date.now() - begun < PATIENCE_MS && !signal.aborted; await delay(250)) {
    const now = (await instancePods(platform).catch(() => [])).find((pod) => isCalledPrimary(engine, pod));
    // The pod that was deleted may be listed for a moment.
    const other = now !== undefined && (now.metadata as { uid?: string }).uid !== uids.get(primary);
    if (now === undefined || !other) {
      context.detail(why === "" ? "no other instance leads yet" : why);
      continue;
    }
    const { milliseconds, why: because = "" } = await writeRow(platform, now.metadata.name, database);
    const seconds = (Date.now() - begun) / 1000;
    if (milliseconds !== undefined)
      return {
        passed: seconds <= boundSeconds,
        says: `${now.metadata.name} took a row ${seconds.toFixed(1)} s after ${primary} was deleted; ${boundSeconds} s are allowed`,
      };
    why = because;
    context.detail(why);
  }
  return { passed: false, says: "no row was written for five minutes" };
}
