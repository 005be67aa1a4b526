import { damage } from "../e2e/kit/observation";
import { median, summarise, table } from "../e2e/kit/statistics";
import { type Fault } from "./fault";
import { type FaultRun } from "./execute";

const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : "never");

/** Bounds that single runs missed, and damage: each in one sentence with the run's name. Empty is right. */
export function missed(fault: Fault, run: FaultRun): string[] {
  const found = damage(run);
  const { bounds } = fault;
  const limit = (what: string, value: number, most: number | undefined) => {
    if (most !== undefined && !(value <= most)) found.push(`${what} ${seconds(value)} s, at most ${most} s`);
  };
  limit("the direct client paused", run.gap.direct, bounds.gap?.direct);
  limit("the pooled client paused", run.gap.pooled, bounds.gap?.pooled);
  limit("whole again after", run.wholeSeconds, bounds.whole);
  limit("the pooled client came later by", run.gap.pooled - run.gap.direct, bounds.pooledLater?.max);
  if (run.lasting !== undefined) {
    const { resumed, acknowledged } = run.lasting;
    limit("the direct client resumed after", resumed.direct, bounds.resumed);
    limit("the pooled client resumed after", resumed.pooled, bounds.resumed);
    const sum = acknowledged.direct + acknowledged.pooled;
    if (bounds.blocks === true && sum > 0)
      found.push(`${sum} rows were acknowledged while the database had to refuse them`);
  } else if (bounds.blocks === true || bounds.resumed !== undefined) {
    found.push("the writers' logs don't say when the fault ended");
  }
  if (bounds.noReadOnlyErrors === true && run.lateReadOnlyErrors > 0)
    found.push(
      `${run.lateReadOnlyErrors} read-only errors later than 5 s after the direct client wrote again`,
    );
  return found.map((what) => `${fault.id} (${run.run}): ${what}`);
}

/** Bounds that hold for all runs of a fault together. */
export function missedTogether(fault: Fault, runs: readonly FaultRun[]): string[] {
  const most = fault.bounds.pooledLater?.median;
  if (most === undefined || runs.length === 0) return [];
  const middle = median(runs.map(({ gap }) => gap.pooled - gap.direct));
  return middle <= most
    ? []
    : [
        `${fault.id}: the pooled client came later by ${seconds(middle)} s (median of ${runs.length}), at most ${most} s`,
      ];
}

const lostOf = (run: FaultRun): number =>
  new Set(Object.values(run.verdicts).flatMap(({ lost }) => lost)).size;

const boundsOf = ({ bounds }: Fault): string =>
  [
    ...(bounds.gap?.direct === undefined ? [] : [`${bounds.gap.direct} s`]),
    ...(bounds.gap?.pooled === undefined ? [] : [`pooled ${bounds.gap.pooled} s`]),
    ...(bounds.pooledLater === undefined
      ? []
      : [`later ≤ ${bounds.pooledLater.median} (median), ≤ ${bounds.pooledLater.max} s`]),
    ...(bounds.blocks === true ? ["nothing acknowledged"] : []),
    ...(bounds.resumed === undefined ? [] : [`resumed ${bounds.resumed} s`]),
    ...(bounds.whole === undefined ? [] : [`whole ${bounds.whole} s`]),
  ].join(", ") || "–";

const head = [
  "fault",
  "n",
  "direct median",
  "p95",
  "max",
  "pooled median",
  "p95",
  "max",
  "later (median)",
  "whole (median)",
  "lost",
  "two primaries",
  "bound",
  "met",
];

function rowOf(fault: Fault, runs: readonly FaultRun[]): string[] {
  const arm = (values: number[]) => {
    const { median: middle, p95, max } = summarise(values);
    return [seconds(middle), seconds(p95), seconds(max)];
  };
  const problems = [...runs.flatMap((run) => missed(fault, run)), ...missedTogether(fault, runs)];
  return [
    `${fault.id} ${fault.name}`,
    String(runs.length),
    ...arm(runs.map(({ gap }) => gap.direct)),
    ...arm(runs.map(({ gap }) => gap.pooled)),
    seconds(median(runs.map(({ gap }) => gap.pooled - gap.direct))),
    seconds(median(runs.map(({ wholeSeconds }) => wholeSeconds))),
    String(runs.reduce((sum, run) => sum + lostOf(run), 0)),
    String(runs.reduce((sum, run) => sum + run.splitBrain.length, 0)),
    boundsOf(fault),
    problems.length === 0 ? "yes" : "NO",
  ];
}

const tested = (faults: readonly Fault[], runs: readonly FaultRun[]) =>
  faults.flatMap((fault) => {
    const own = runs.filter((run) => run.fault === fault.id);
    return own.length === 0 ? [] : [{ fault, own }];
  });

/** One line for each fault that was run; seconds. */
export const report = (faults: readonly Fault[], runs: readonly FaultRun[]): string =>
  table(
    head,
    tested(faults, runs).map(({ fault, own }) => rowOf(fault, own)),
  );

/** The same as a table in Markdown, with the further figures below it. */
export function markdown(faults: readonly Fault[], runs: readonly FaultRun[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const groups = tested(faults, runs);
  const figures = groups.flatMap(({ fault, own }) =>
    Object.keys(own[0]?.figures ?? {}).map((name) => {
      const { n, median: middle, max } = summarise(own.map((run) => run.figures[name] ?? Infinity));
      return `- ${fault.id}, ${name}: median ${seconds(middle)} s, at most ${seconds(max)} s (n = ${n})`;
    }),
  );
  return [
    line(head),
    line(head.map((_, column) => (column === 0 ? "---" : "---:"))),
    ...groups.map(({ fault, own }) => line(rowOf(fault, own))),
    ...(figures.length === 0 ? [] : ["", ...figures]),
    "",
  ].join("\n");
}

/** Everything that was missed in these runs. */
export const allMissed = (faults: readonly Fault[], runs: readonly FaultRun[]): string[] =>
  tested(faults, runs).flatMap(({ fault, own }) => [
    ...own.flatMap((run) => missed(fault, run)),
    ...missedTogether(fault, own),
  ]);

/** One run in one line. */
export function oneLine(run: FaultRun): string {
  const figures = Object.entries(run.figures).map(([name, value]) => `, ${name} ${seconds(value)} s`);
  const lasting =
    run.lasting === undefined || run.lasting.acknowledged.direct > 0
      ? ""
      : `, ${run.lasting.acknowledged.direct + run.lasting.acknowledged.pooled} acknowledged meanwhile, resumed after ${seconds(run.lasting.resumed.direct)} s and ${seconds(run.lasting.resumed.pooled)} s`;
  return (
    `${run.fault}: ${run.before.primary} -> ${run.after.primary}, gap ${run.gap.direct.toFixed(2)} s direct, ${run.gap.pooled.toFixed(2)} s pooled${lasting}${figures.join("")}, ` +
    `${run.notes.meanwhile === undefined ? "" : `${run.notes.meanwhile}, `}whole after ${seconds(run.wholeSeconds)} s, lost ${lostOf(run)}, the run took ${run.runSeconds.toFixed(0)} s`
  );
}
