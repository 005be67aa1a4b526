import { type FaultRun } from "../faults/execute";
import { allCount, type FailedRun, unharmed, worked } from "./failover";
import { summaryCells, summaryHead, type Goal, type Table } from "./results";

/** The whole built-in cluster off and on again, control plane and all, while two clients write: what an application waits for. */

/** Longest wait for writes after all nodes are ready, in seconds, without a hand. */
const WRITES_SECONDS = 60;
const GOAL = /^nodes ready to /;

const values = (runs: readonly FaultRun[], name: string): number[] =>
  runs.map(({ figures }) => figures[name] ?? Infinity);

const names = (runs: readonly FaultRun[]): string[] => Object.keys(runs[0]?.figures ?? {});

export const restartTable = (runs: readonly FaultRun[]): Table => ({
  caption: "Seconds of a restart of all nodes",
  head: ["from … to …", ...summaryHead],
  rows: names(runs).map((name) => [name, ...summaryCells(values(runs, name))]),
});

export function restartGoals(all: readonly (FaultRun | FailedRun)[]): Goal[] {
  const runs = all.filter(worked);
  return [
    allCount(all),
    unharmed(runs),
    ...names(runs)
      .filter((name) => GOAL.test(name))
      .map((name) => {
        const longest = Math.max(...values(runs, name));
        return {
          met: longest <= WRITES_SECONDS,
          text: `${name}: at most ${WRITES_SECONDS} s: ${longest.toFixed(1)} s`,
        };
      }),
  ];
}
