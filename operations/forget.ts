import { UserError } from "../shell/userError";
import { execInWatcher, listed, readStatus } from "./targets";
import { confirm } from "./confirm";
import { type Subject } from "./health";
import { type Progress } from "../shell/progress";

/** How long deleting may take: an object at a time. */
const PATIENCE_MINUTES = 60;

/** Lines of `make backups` about one archive of a target. */
const linesOf = (lines: readonly string[], target: string, archiveId: string): string[] =>
  lines.filter((line) => line.startsWith(`${target}  ${archiveId}  `));

/**
 * Deletes an archive that has ended from a target, after showing what goes and asking. Refused for the archive that the cluster archives as, and as long
 * as none of that one's own backups in this target was restored and found good: the ended one may be the last that is. Returns the closing line.
 */
export async function forget(
  subject: Subject,
  target: string | undefined,
  archiveId: string | undefined,
  progress: Progress,
): Promise<string> {
  const names = subject.settings.backup?.targets.map(({ name }) => name) ?? [];
  const index = names.indexOf(target ?? "");
  if (target === undefined || index === -1)
    throw new UserError([
      `TARGET: ${JSON.stringify(target ?? "")} is not allowed. Allowed: ${names.join(" or ") || "none, since no target is set"}. Fix: name the one to delete from.`,
    ]);
  const seen = (await readStatus(subject))?.find((one) => one.target === target);
  if (seen === undefined || "refused" in seen)
    throw new UserError([
      `target ${target} can't be read: ${seen?.refused ?? "the watcher has not looked yet"}; nothing was deleted: run it again once \`make status\` sees it.`,
    ]);
  const lines = await listed(subject);
  const ended = lines
    .flatMap((line) => new RegExp(`^${target} {2}([0-9a-f]{10}) {2}`).exec(line)?.[1] ?? [])
    .filter((one, at, all) => one !== seen.archiveId && all.indexOf(one) === at);
  const gone = linesOf(lines, target, archiveId ?? "");
  if (archiveId === undefined || !ended.includes(archiveId))
    throw new UserError([
      `ARCHIVE_ID: ${JSON.stringify(archiveId ?? "")} is not allowed${archiveId === seen.archiveId ? ": the cluster archives under it" : ""}. ` +
        `Allowed: one of target ${target} that has ended (${ended.join(", ") || "there is none"}). Fix: name one that \`make backups\` lists.`,
    ]);
  if (!linesOf(lines, target, seen.archiveId).some((line) => line.endsWith("verification passed")))
    throw new UserError([
      `archive ${archiveId} of target ${target} stays: no backup of the present archive ${seen.archiveId} was found good there, so this may be the last that is: run \`make verify TARGET=${target}\` first.`,
    ]);
  gone.forEach((line) => progress.line(`  ${line}`));
  await confirm(`This deletes archive ${archiveId} from target ${target}, for good. Continue?`);
  await progress.step(`delete archive ${archiveId} from ${target}`, async () => {
    const { exitCode, stdout, stderr } = await execInWatcher(
      subject,
      ["sh", "/scripts/forget.sh", String(index + 1), archiveId],
      PATIENCE_MINUTES * 60_000,
    );
    if (exitCode !== 0)
      throw new Error(
        `archive ${archiveId} isn't deleted whole from target ${target}: ${(stdout.trim() || stderr.trim()).split("\n").at(-1)}; run it again once that is fixed`,
      );
  });
  return `Archive ${archiveId} is gone from target ${target}.`;
}
