import type { Subject } from "./health";
import { UserError } from "../shell/userError";
import { backupNames } from "../plan/backup/names";

/** What is seen in the targets of backups, by the platform's watcher, which has their keys. */

/** What the platform's watcher saw in a target's store a moment ago. */
export type Seen =
  | { readonly target: string; readonly refused: string }
  | {
      readonly target: string;
      readonly archiveId: string;
      /** The newest finished base backup, and the newest archived segment, each with its time. */
      readonly base?: string;
      readonly log?: string;
    };

/** A line of plan/backup/scripts/watch.sh. */
export function parseStatus(line: string): Seen {
  const [kind, target = "", third = "", base = "", log = ""] = line.split(";");
  if (kind === "refused") return { target, refused: line.split(";").slice(2).join(";") };
  return {
    target,
    archiveId: third,
    ...(base !== "none" && { base }),
    ...(log !== "none" && { log }),
  };
}

/** What is to be said of it. */
export function sentenceOf(seen: Seen): string {
  if ("refused" in seen) return `target ${seen.target} can't be read: ${seen.refused}`;
  const base = seen.base === undefined ? "no base backup yet" : `newest base backup ${seen.base}`;
  const log = seen.log === undefined ? "no WAL yet" : `WAL until ${seen.log}`;
  return `target ${seen.target}, archive ${seen.archiveId}: ${base}, ${log}`;
}

/** Runs a script of the watcher, which has the stores' keys. */
export function execInWatcher(
  { kubectl, settings }: Subject,
  command: readonly string[],
  timeoutMs?: number,
) {
  const { name, namespace } = settings.cluster;
  const at = ["-n", namespace, "exec", `deployment/${backupNames.watch(name)}`, "-c", "watch", "--"];
  return kubectl.run([...at, ...command], { allowFailure: true, ...(timeoutMs && { timeoutMs }) });
}

/** What the targets have; undefined before the watcher's first status. */
export async function readStatus(subject: Subject): Promise<Seen[] | undefined> {
  const { stdout, exitCode } = await execInWatcher(subject, ["cat", "/state/status.txt"]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return exitCode === 0 && lines.length > 0 ? lines.map(parseStatus) : undefined;
}

/** Every base backup in every target, as lines to read. */
export async function listed(subject: Subject): Promise<string[]> {
  const { stdout, stderr, exitCode } = await execInWatcher(subject, ["sh", "/scripts/list.sh"]);
  if (exitCode !== 0)
    throw new UserError([
      `the watcher can't list the targets (${stderr.trim().split("\n").at(-1)}): run \`make up\`, which makes it.`,
    ]);
  const rows = stdout.split("\n").filter((line) => line !== "");
  return rows.map((row) => {
    const [target = "", second = "", third = "", ...more] = row.split(";");
    if (second === "refused") return `${target}  can't be read: ${[third, ...more].join(";")}`;
    if (third === "log")
      return `${target}  ${second}  ${more[0] === "none" ? "no WAL" : `WAL until ${more[0]} of ${more[1]} UTC`}`;
    if (third === "dump") {
      const [id, dumped = ""] = more;
      const made = (id ?? "").replace(/(....)(..)(..)T(..)(..)(..)/, "$1-$2-$3 $4:$5:$6");
      const what =
        dumped === "" ? "not finished" : `${(Number(dumped) / 2 ** 20).toFixed(1)} MiB  of ${made} UTC`;
      return `${target}  ${second}  dump ${id}  ${what}`;
    }
    const [state, begin = "", end = "", bytes = "", verdict = ""] = more;
    const size = `${(Number(bytes) / 2 ** 20).toFixed(1)} MiB`;
    return state === "DONE"
      ? `${target}  ${second}  ${third}  ${size}  from ${begin} to ${end}  ${verdict === "" ? "not verified" : `verification ${verdict}`}`
      : `${target}  ${second}  ${third}  not finished (${state})`;
  });
}
