import * as z from "zod";
import { type Failure, lossKinds, type Reliability, reliability } from "./model";

const verdicts = ["worse", "better", "same"] as const;
export type Verdict = (typeof verdicts)[number];

const difference = z
  .object({
    id: z.string(),
    title: z.string(),
    verdict: z.enum(verdicts),
    before: z.string(),
    after: z.string(),
  })
  .describe("one thing that two reports say differently");
export type Difference = z.output<typeof difference>;

/** A report with what differs from another one. */
export const reported = reliability
  .extend({
    differences: z
      .array(difference)
      .optional()
      .describe("the worse first; absent where nothing was compared"),
  })
  .meta({ title: "Report" });

/** What two reports are compared by. */
interface Measure {
  readonly title: string;
  readonly text: string;
  /** Compared from the first to the last; more is worse. */
  readonly rank: readonly number[];
}

export const secondsText = (seconds: number): string =>
  seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;

export function pauseText({ seconds, basis }: Failure["pause"]): string {
  if (basis === "none") return "no pause";
  if (seconds !== null) return `at most ${secondsText(seconds)} (${basis})`;
  return basis === "hand" ? "until you act, or it is back" : "not known";
}

export const minutesText = (minutes: number): string =>
  minutes < 120 ? `${minutes} minutes` : `${(minutes / 60).toFixed(1)} hours`;

export const lossText = ({ kind, minutes }: Failure["loss"]): string =>
  kind === "last minutes"
    ? `the last ${minutesText(minutes ?? 0)}`
    : kind === "last commits"
      ? "the last commits"
      : kind;

/** Without a bound is worse than any bound, and until one acts is worse than that. */
const pauseRank = ({ seconds, basis }: Failure["pause"]): number =>
  seconds ?? (basis === "hand" ? Infinity : Number.MAX_VALUE);

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)}Gi`;

function measures(report: Reliability): Map<string, Measure> {
  const { connections, memory, wal, recovery, costs } = report;
  const own = report.failures.flatMap(({ id, title, happens, pause, loss }): [string, Measure][] => [
    [`${id}.pause`, { title: `${title}: pause`, text: pauseText(pause), rank: [pauseRank(pause)] }],
    [
      `${id}.loss`,
      {
        title: `${title}: lost`,
        text: lossText(loss),
        rank: [lossKinds.indexOf(loss.kind), loss.minutes ?? 0],
      },
    ],
    // What else is different about it is told, and not judged.
    [`${id}.happens`, { title, text: happens, rank: [] }],
  ]);
  return new Map<string, Measure>([
    ...own,
    [
      "connections",
      {
        title: "Connections left",
        text: `${connections.limit - connections.needed} of ${connections.limit}`,
        rank: [connections.needed - connections.limit],
      },
    ],
    [
      "memory",
      {
        title: "Memory left to an instance",
        text: `${gibibytes(memory.limit - memory.needed)} of ${gibibytes(memory.limit)}`,
        rank: [memory.needed - memory.limit],
      },
    ],
    [
      "outage",
      {
        title: "Outage of the store that the WAL volume bears",
        text: wal.lastsHours === null ? `not known (${gibibytes(wal.volumeBytes)})` : `${wal.lastsHours} h`,
        rank:
          wal.lastsHours === null ? [Infinity, wal.own ? 0 : 1, -wal.volumeBytes] : [-wal.lastsHours, 0, 0],
      },
    ],
    [
      "window",
      {
        title: "Days that can be gone back",
        text: String(recovery.windowDays),
        rank: [-recovery.windowDays],
      },
    ],
    ["targets", { title: "Stores", text: String(recovery.targets), rank: [-recovery.targets] }],
    [
      "cost",
      {
        title: "Volumes and stores, USD a month",
        text: costs.total === null ? `not known; ${known(report)} of what is` : `at most ${costs.total}`,
        // What has no price isn't dearer or cheaper than what has one.
        rank: costs.total === null ? [] : [costs.total],
      },
    ],
  ]);
}

const known = ({ costs }: Reliability): number =>
  Math.round(
    [...costs.volumes, ...costs.backups].reduce((sum, { monthly }) => sum + (monthly ?? 0), 0) * 100,
  ) / 100;

function judged(before: Measure, after: Measure): Verdict {
  if (before.rank.length === 0 || after.rank.length === 0) return "same";
  const at = before.rank.findIndex((rank, index) => rank !== after.rank[index]);
  if (at < 0) return "same";
  return (after.rank[at] ?? 0) < (before.rank[at] ?? 0) ? "better" : "worse";
}

/** What differs between two reports: the worse first, then the better; `same` is what is told in other words and ranks alike. */
export function compared(before: Reliability, after: Reliability): Difference[] {
  const [one, other] = [measures(before), measures(after)];
  const found = [...other].flatMap(([id, measure]): Difference[] => {
    const former = one.get(id);
    if (former === undefined) return [];
    const verdict = judged(former, measure);
    return verdict === "same" && former.text === measure.text
      ? []
      : [{ id, title: measure.title, verdict, before: former.text, after: measure.text }];
  });
  return found.sort((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict));
}
