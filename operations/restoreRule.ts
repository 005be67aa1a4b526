import { namespace } from "../settings/problem";
import type { LiveFacts } from "./liveFacts";
import type { Planned, Verdict } from "./verdict";
import { isSame, sourceOf } from "./restored";

const refused = (value: unknown, allowed: string, fix: string): Partial<Verdict> => ({
  problems: [{ path: `${namespace}:restore`, value, allowed, fix }],
});

/**
 * A restore makes a cluster, and nothing is restored into one that is there. One that has not ended is continued, or made again from elsewhere; it never
 * becomes an empty database. A cluster whose archive is there and that is gone itself isn't replaced by an empty one.
 */
export function restoring(
  { settings, lostArchive }: Planned,
  { cluster, restored }: LiveFacts,
): Partial<Verdict> {
  const { restore, cluster: asked } = settings;
  const name = `${asked.namespace}/${asked.name}`;
  if (cluster === undefined) {
    if (restore !== undefined || lostArchive === undefined) return {};
    const target = settings.backup?.targets[0]?.name ?? "<target>";
    return refused(
      undefined,
      `a restore, since cluster ${name} is gone and its archive ${lostArchive} isn't: an empty database would come in its place`,
      `\`make restore TARGET=${target} ARCHIVE_ID=${lostArchive}\` brings it back; or \`make destroy\` first, if you want an empty one`,
    );
  }
  if (restore === undefined) {
    if (restored?.begun !== false) return {};
    return refused(
      undefined,
      `the restore that cluster ${name} is being made by (${sourceOf(restored.text)}), which has not ended: an empty database would come in its place`,
      "run the same `make restore` again, which continues; or `make destroy`, which leaves the backups, if you want an empty one",
    );
  }
  if (restore.stage === "source")
    return refused(
      restore,
      "stage all while the cluster is there",
      "leave stage out: `make restore` sets it",
    );
  if (restored !== undefined && isSame(settings, restored)) return {};
  if (restored?.begun === false)
    return {
      questions: [
        `The restore of cluster ${name} from ${sourceOf(restored.text)} has not ended: what is there of it, which acknowledged nothing, is deleted, and made again.`,
      ],
      remakes: true,
    };
  const other = "delete the data first with `make destroy`";
  if (restored !== undefined && restored.begun === undefined)
    return refused(
      restore,
      `the source that the cluster is made by (${sourceOf(restored.text)}), since it can't be told whether that restore has ended: its pod doesn't answer`,
      `continue that one by its own command; or ${other}`,
    );
  return refused(
    restore,
    "must not be set once the cluster exists, unless it was restored from there",
    `remove restore; or restore under another cluster.namespace in a stack of its own; or ${other}`,
  );
}
