import { damage } from "../e2e/kit/observation";
import { type FaultRun } from "../faults/execute";
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

export function restartGoals(runs: readonly FaultRun[], wanted: number): Goal[] {
  const found = runs.flatMap((run) => damage(run));
  return [
    { met: runs.length === wanted, text: `every run counts: ${runs.length} of ${wanted}` },
    {
      met: found.length === 0,
      text: `nothing acknowledged is lost, doubled or invented, and the oracle sees planted damage: ${found.length === 0 ? "so it is" : found.join("; ")}`,
    },
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
