import { setTimeout as delay } from "node:timers/promises";
import { millisecondsAt } from "../settings/moment";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { type StepContext } from "../shell/progress";
import { plannedCluster, type Subject } from "./health";
import { liveOf } from "./kubectl";
import { askPrimary } from "./primary";

/**
 * Whether a restore to a moment, an LSN or a named point ended there. PostgreSQL refuses to end before it, but what starts PostgreSQL may try
 * again without a target, as Spilo does, and the cluster that comes up then has rows from after the moment, or lacks some from before it. Why a
 * timeline ended stands in the history of the next one, which every engine keeps in pg_wal.
 */

type Target = NonNullable<Settings["restore"]>["to"];

/**
 * When the data was begun, in seconds, and the newest timeline's history; nothing of that on the first timeline. A server that still recovers has
 * none of its own yet. The upper half of a system identifier is the moment at which it was made.
 */
const HISTORY =
  "select case when pg_is_in_recovery() then 'recovering' else (select (system_identifier >> 32)::text from pg_control_system()) || e'\\n' || " +
  "coalesce((select pg_read_file('pg_wal/' || name) " +
  "from pg_ls_waldir() where name ~ '^[0-9A-F]{8}[.]history$' order by name desc limit 1), '') end";

const lsnOf = (text: string): bigint => {
  const [high = "", low = ""] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
};

/** Milliseconds of a moment as PostgreSQL writes it: `2026-01-31 23:59:00.123456+00`. */
const millisecondsOf = (text: string): number =>
  Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));

/** Whether a timeline ended there, by the reason in the history. It ends at the first record behind a moment; what an older restore left is from before. */
function endedAt(reason: string, { time, lsn, name }: Target): boolean {
  const [, place, moment] = /^(?:before|after) (?:LSN ([0-9A-F]+\/[0-9A-F]+)|(\d{4}-.*))$/.exec(reason) ?? [];
  if (time !== undefined) return moment !== undefined && millisecondsOf(moment) >= millisecondsAt(time);
  if (lsn !== undefined) return place !== undefined && lsnOf(place) >= lsnOf(lsn);
  return reason === `at restore point "${name}"`;
}

/** Why the newest timeline began, where none of its ancestors ended at the target; undefined where one did, and on the first timeline. */
export function missedBy(history: string, target: Target): string | undefined {
  const reasons = history.split("\n").flatMap((line) => {
    const [, reason] = /^\s*\d+\s+[0-9A-F]+\/[0-9A-F]+\s+(\S.*)$/.exec(line) ?? [];
    return reason?.trim() ?? [];
  });
  return reasons.some((reason) => endedAt(reason, target)) ? undefined : reasons.at(-1);
}

/** Whether the data was begun after the cluster's object was made: restored data is older, and what pg_upgrade made has no history of the restore. */
export const begunSince = (answer: string, made: string | undefined): boolean =>
  made !== undefined && Number(answer.split("\n", 1)[0]) * 1000 > Date.parse(made);

/** What is said of a restore that ended elsewhere. */
export function missedSentence({ target, to }: NonNullable<Settings["restore"]>, reason: string): string {
  const [key, value] = Object.entries(to).find(([, given]) => given !== undefined) ?? [];
  return (
    `pgplatform:restore.to.${key}: ${JSON.stringify(value)} was not reached: PostgreSQL ended recovery elsewhere ("${reason}"), so rows from before it may be ` +
    `missing, and rows from after it there. Allowed: a restore that ends where it was told to. Fix: run \`make destroy\`, and restore again when ` +
    `target ${target} has the WAL up to there without a gap and answers; or keep what came back, and remove restore.`
  );
}

/** When the cluster's object was made; undefined where that can't be told. */
const madeAt = async (subject: Subject): Promise<string | undefined> => {
  try {
    return (await liveOf(subject.kubectl, plannedCluster(subject).object))?.metadata.creationTimestamp;
  } catch {
    return undefined;
  }
};

const hasTarget = (restore: Settings["restore"]): restore is NonNullable<Settings["restore"]> =>
  restore !== undefined &&
  restore.stage !== "ended" &&
  Object.values(restore.to).some((one) => one !== undefined);

/**
 * Does `work`, and ends it with a sentence as soon as the primary says that the restore ended elsewhere. A first time that is before the work
 * begins: what would let clients in isn't registered then.
 */
export async function whileJudgingEnd(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
  { everyMs = 2000 } = {},
): Promise<void> {
  const { restore } = subject.settings;
  if (!hasTarget(restore)) return work(signal);
  const end = new AbortController();
  const over = new AbortController();
  const found: { missed?: UserError } = {};
  const endIfMissed = (): void => {
    if (found.missed) throw found.missed;
  };
  /** Whether there is an answer. */
  const look = async (): Promise<boolean> => {
    // A primary that can't be asked for a moment says nothing.
    const answer = await askPrimary(subject, [HISTORY]).catch(() => undefined);
    if (answer === undefined || answer.trim() === "recovering") return false;
    const reason = missedBy(answer, restore.to);
    if (reason !== undefined && !begunSince(answer, await madeAt(subject)))
      found.missed = new UserError([missedSentence(restore, reason)]);
    return true;
  };
  const seen = await look();
  endIfMissed();
  const watching = (async () => {
    for (let answered = seen; !answered && !over.signal.aborted;) {
      await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
      answered = await look();
      if (answered && found.missed === undefined) context.say("the restore ended where it was told to");
    }
    if (found.missed) end.abort();
  })();
  try {
    await work(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    endIfMissed();
    throw error;
  } finally {
    over.abort();
    await watching;
  }
  endIfMissed();
}
