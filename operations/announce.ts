import { clusterChanges, type Judge } from "../plan/changes/cluster";
import type { Shape } from "../plan/engines/live";
import { type FirstStep } from "./steps";

/** What a change of the live cluster means for those who use it, a line each. `first`: the first of two updates, where there are two. */
export function announcements(
  judge: Judge,
  live: Shape | undefined,
  planned: Shape,
  first: FirstStep | undefined,
): string[] {
  if (live === undefined) return [];
  const changes = clusterChanges(judge, live, planned);
  const without = changes.findIndex(({ of }) => of === "instances" || of === "data" || of === "walVolume");
  const lines = changes.map(({ text }) => text);
  if (first !== undefined) lines.splice(without < 0 ? lines.length : without, 0, `two updates: ${first.why}`);
  return lines;
}
