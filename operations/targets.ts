import type { Subject } from "./health";
import { inContainer } from "./inContainer";
import { UserError } from "../shell/userError";
import { backupNames } from "../plan/backup/names";
import { parseResults, type ResultOf, type Unknown } from "../plan/backup/results";

/** What is seen in the targets of backups, by the platform's watcher, which has their keys. */

/** What the platform's watcher saw in a target's store a moment ago. */
export type Seen = ResultOf<"refused" | "answers"> | Unknown;

/** What is to be said of it. */
export function sentenceOf(seen: Seen): string {
  if (seen.kind === "unknown") return unknownSentence(seen);
  if (seen.kind === "refused") return `target ${seen.target} can't be read: ${seen.why}`;
  const { target, archiveId, base, wal, problem } = seen;
  const made = base === undefined ? "no base backup yet" : `newest base backup ${base.id} of ${base.at} UTC`;
  const log = wal === undefined ? "no WAL yet" : `WAL until ${wal.segment} of ${wal.at} UTC`;
  return `target ${target}, archive ${archiveId}: ${made}, ${log}${doubt(problem)}`;
}

/** What is to be said where the newest base backup doesn't restore up to the archive's end. */
const doubt = (problem: string | undefined): string =>
  problem === undefined ? "" : `; that base backup does not restore to the archive's end: ${problem}`;

/** What is to be said of a line of the watcher that none of its results is. */
const unknownSentence = ({ line }: Unknown): string => `the watcher says what isn't understood: ${line}`;

/** Runs a script of the watcher, which has the stores' keys. */
export function execInWatcher(
  { kubectl, settings }: Subject,
  command: readonly string[],
  timeoutMs?: number,
) {
  const { name, namespace } = settings.cluster;
  const at = inContainer(namespace, `deployment/${backupNames.watch(name)}`, "watch");
  return kubectl.run([...at, ...command], { allowFailure: true, ...(timeoutMs && { timeoutMs }) });
}

/** What the targets have; undefined before the watcher's first status. */
export async function readStatus(subject: Subject): Promise<Seen[] | undefined> {
  // Whoever reads wants it new: at a store that counts requests the watcher may not have looked for minutes.
  const read = "touch /state/look; cat /state/status.txt";
  const { stdout, exitCode } = await execInWatcher(subject, ["sh", "-c", read]);
  const seen = parseResults(stdout, "refused", "answers");
  return exitCode === 0 && seen.length > 0 ? seen : undefined;
}

/** What the primary has that isn't archived; undefined before the watcher has asked it. */
export async function readWrites(subject: Subject): Promise<ResultOf<"writes"> | undefined> {
  const { stdout, exitCode } = await execInWatcher(subject, ["cat", "/state/writes.txt"]);
  const [writes] = parseResults(stdout, "writes");
  return exitCode === 0 && writes?.kind === "writes" ? writes : undefined;
}

/** What lies in a target: an archive's newest WAL, a base backup, a dump, or nothing that can be read. */
export type Row = ResultOf<"refused" | "wal" | "base" | "dump"> | Unknown;

/** Everything in every target. */
export async function listed(subject: Subject): Promise<Row[]> {
  const { stdout, stderr, exitCode } = await execInWatcher(subject, ["sh", "/scripts/list.sh"]);
  if (exitCode !== 0)
    throw new UserError([
      `the watcher can't list the targets (${stderr.trim().split("\n").at(-1)}): run \`make up\`, which makes it.`,
    ]);
  return parseResults(stdout, "refused", "wal", "base", "dump");
}

/** What of a target, or of one of its archives, couldn't be read where one of these archives is asked about. */
export const refusalIn = (
  rows: readonly { readonly kind: string }[],
  archiveIds: readonly (string | undefined)[],
): ResultOf<"refused"> | undefined =>
  rows
    .filter((row): row is ResultOf<"refused"> => row.kind === "refused")
    .find(({ archiveId }) => archiveId === undefined || archiveIds.includes(archiveId));

const mebibytes = (bytes: number | null): string => `${((bytes ?? 0) / 2 ** 20).toFixed(1)} MiB`;

/** A row as a line to read. */
export function rowLine(row: Row): string {
  switch (row.kind) {
    case "unknown":
      return unknownSentence(row);
    case "refused":
      return `${row.target}  ${row.archiveId === undefined ? "" : `${row.archiveId}  `}can't be read: ${row.why}`;
    case "wal":
      return `${row.target}  ${row.archiveId}  ${row.segment === undefined ? "no WAL" : `WAL until ${row.segment} of ${row.at} UTC`}${doubt(row.problem)}`;
    case "dump": {
      const made = row.id.replace(/(....)(..)(..)T(..)(..)(..)/, "$1-$2-$3 $4:$5:$6");
      const what = row.bytes === null ? "not finished" : `${mebibytes(row.bytes)}  of ${made} UTC`;
      return `${row.target}  ${row.archiveId}  dump ${row.id}  ${what}`;
    }
    case "base": {
      const { target, archiveId, id, status, begin, end, bytes, verdict } = row;
      const what =
        status === "DONE"
          ? `${mebibytes(bytes)}  from ${begin} to ${end}  ${verdict === undefined ? "not verified" : `verification ${verdict}`}`
          : `not finished (${status})`;
      return `${target}  ${archiveId}  ${id}  ${what}`;
    }
  }
}

/** What a list of targets ends with: a list that isn't whole is none to rely on. */
export function summaryOf(rows: readonly Row[]): { line: string; exit: number } {
  const unread = rows.filter(({ kind }) => kind === "refused" || kind === "unknown").length;
  return unread === 0
    ? { line: `${rows.length} lines; \`pgplatform:restore\` takes the target and the archive ID.`, exit: 0 }
    : { line: `the list isn't whole: ${unread} of ${rows.length} lines say what can't be read.`, exit: 3 };
}
