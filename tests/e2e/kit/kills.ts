import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runFault, type FaultRun } from "../../faults/execute";
import { type Fault } from "../../faults/fault";
import { deletePrimary, killPostmaster } from "../../faults/instances";
import { resultsDir, type Environment } from "./environment";
import { type Clients } from "./fixture";
import { oneLine } from "../../faults/report";
import { median, summarise, table } from "./statistics";
import { say } from "./wait";

/** The two faults of `make faults` that the bench measures. */
export const faults = { deletePod: deletePrimary, killPostmaster };

export type KillRun = FaultRun;

/** One kill that counts. */
export async function kill(
  env: Environment,
  clients: Clients,
  fault: Fault,
  index: number,
): Promise<KillRun> {
  const run = await runFault({ env, clients }, fault);
  say(`${index}: ${oneLine(run)}`);
  return run;
}

/** Gaps in seconds: a line for each arm and one for the paired difference, for each fault. */
export function report(runs: readonly KillRun[]): string {
  const names = [...new Set(runs.map(({ fault }) => fault))];
  const rows = names.flatMap((name) => {
    const gaps = runs.filter(({ fault }) => fault === name).map(({ gap }) => gap);
    const line = (what: string, values: number[]) => {
      const { n, p95, max } = summarise(values);
      return [`${name}: ${what}`, String(n), median(values).toFixed(2), p95.toFixed(2), max.toFixed(2)];
    };
    return [
      line(
        "direct",
        gaps.map(({ direct }) => direct),
      ),
      line(
        "pooled",
        gaps.map(({ pooled }) => pooled),
      ),
      line(
        "pooled - direct",
        gaps.map(({ direct, pooled }) => pooled - direct),
      ),
    ];
  });
  return table(["gap in seconds", "n", "median", "p95", "max"], rows);
}

/** Writes all runs with their raw samples to one file; returns its path. */
export async function keepReport(name: string, runs: readonly KillRun[]): Promise<string> {
  await mkdir(resultsDir, { recursive: true });
  const file = join(resultsDir, name);
  await writeFile(file, JSON.stringify(runs, undefined, 2));
  return file;
}
