import { UserError } from "../shell/userError";
import { storesOf } from "../plan/backup/store";
import { parseResult } from "../plan/backup/results";
import { execInWatcher, listed, readStatus, type Row, refusalIn, rowLine, sentenceOf } from "./targets";
import { confirm } from "./confirm";
import { type Subject } from "./health";
import { type Progress } from "../shell/progress";

/** How long deleting may take: an object at a time. */
const PATIENCE_MINUTES = 60;

/** What lies in one archive of a target. */
const rowsOf = (rows: readonly Row[], target: string, archiveId: string): Row[] =>
  rows.filter((row) => "archiveId" in row && row.target === target && row.archiveId === archiveId);

/** Why something stays, by what forget.sh said: its last line. */
function whyKept(said: string): string {
  const result = parseResult(said.trim().split("\n").at(-1) ?? "", "kept");
  return result.kind === "unknown" ? result.line : result.why;
}

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
  if (target === undefined || !names.includes(target))
    throw new UserError([
      `TARGET: ${JSON.stringify(target ?? "")} is not allowed. Allowed: ${names.join(" or ") || "none, since no target is set"}. Fix: name the one to delete from.`,
    ]);
  const status = (await readStatus(subject)) ?? [];
  const seen =
    status.find((one) => "target" in one && one.target === target) ??
    status.find((one) => one.kind === "unknown");
  if (seen?.kind !== "answers")
    throw new UserError([
      `target ${target} can't be read: ${seen === undefined ? "the watcher has not looked yet" : seen.kind === "refused" ? seen.why : sentenceOf(seen)}; nothing was deleted: run it again once \`make status\` sees it.`,
    ]);
  const rows = await listed(subject);
  const unread = refusalIn(
    rows.filter((row) => "target" in row && row.target === target),
    [archiveId, seen.archiveId],
  );
  if (unread !== undefined)
    throw new UserError([`${rowLine(unread)}; nothing was deleted: run it again once it answers.`]);
  const ended = rows
    .flatMap((row) => ("archiveId" in row && row.target === target ? (row.archiveId ?? []) : []))
    .filter((one) => /^[0-9a-f]{10}$/.test(one))
    .filter((one, at, all) => one !== seen.archiveId && all.indexOf(one) === at);
  if (archiveId === undefined || !ended.includes(archiveId))
    throw new UserError([
      `ARCHIVE_ID: ${JSON.stringify(archiveId ?? "")} is not allowed${archiveId === seen.archiveId ? ": the cluster archives under it" : ""}. ` +
        `Allowed: one of target ${target} that has ended (${ended.join(", ") || "there is none"}). Fix: name one that \`make backups\` lists.`,
    ]);
  const good = (row: Row) =>
    row.kind === "base" && row.status === "DONE" && (row.verdict === "passed" || row.verdict === "late");
  if (!rowsOf(rows, target, seen.archiveId).some(good))
    throw new UserError([
      `archive ${archiveId} of target ${target} stays: no backup of the present archive ${seen.archiveId} was found good there, so this may be the last that is: run \`make verify TARGET=${target}\` first.`,
    ]);
  const gone = [
    ...rowsOf(rows, target, archiveId),
    // It may be of this archive, too.
    ...rows.filter(({ kind }) => kind === "unknown"),
  ];
  gone.forEach((row) => progress.line(`  ${rowLine(row)}`));
  await confirm(`This deletes archive ${archiveId} from target ${target}, for good. Continue?`);
  await progress.step(`delete archive ${archiveId} from ${target}`, async () => {
    const { exitCode, stdout, stderr } = await execInWatcher(
      subject,
      ["sh", "/scripts/forget.sh", target, archiveId],
      PATIENCE_MINUTES * 60_000,
    );
    if (exitCode !== 0)
      throw new Error(
        `archive ${archiveId} isn't deleted whole from target ${target}: ${whyKept(stdout.trim() || stderr)}; run it again once that is fixed`,
      );
  });
  const versions = storesOf(subject.settings).some(
    ({ name, keepsVersions }) => name === target && keepsVersions,
  );
  return versions
    ? `Archive ${archiveId} is gone from target ${target}; where its bucket keeps versions, they stay as long as the bucket's rules say.`
    : `Archive ${archiveId} is gone from target ${target}.`;
}
