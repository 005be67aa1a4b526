import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { resultsDir, type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { damage } from "../e2e/kit/observation";
import { longestPause, parseSamplerLog, parseWriterLog } from "../e2e/kit/oracle";
import { median } from "../e2e/kit/statistics";
import { runFault, type FaultRun } from "../faults/execute";
import { deleteGracefully, deletePrimary, killPostmaster } from "../faults/instances";
import { type FloorRun } from "./floor";
import {
  longestStep,
  milestoneNames,
  milestonesOf,
  milestoneTable,
  type Evidence,
  type Milestones,
} from "./milestones";
import { observe } from "./observe";
import { summaryCells, summaryHead, type Goal, type Table } from "./results";

/** Pauses of clients when the primary goes away: the operator's defaults, the running stack, and the physical floor, in turn. */

export const faults = {
  delete: deletePrimary,
  graceful: deleteGracefully,
  postmaster: killPostmaster,
} as const;
export type FaultName = keyof typeof faults;

/** One failover with what its seconds were spent on. */
export interface ArmRun extends FaultRun {
  milestones: Milestones;
  /** What the milestones were read from, beside the logs of the run. */
  evidence: Evidence;
}

/** A run that could not be had, and why. */
export interface FailedRun {
  failed: string;
}

export interface Round {
  defaults: ArmRun | FailedRun;
  ours: ArmRun | FailedRun;
  floor: FloorRun | FailedRun;
}

/** Turns an error into a sample, so that one bad run doesn't throw the others away. */
export const orFailed = <T>(work: () => Promise<T>): Promise<T | FailedRun> =>
  work().catch((error: unknown) => ({ failed: (error as Error).message }));

export const worked = <T extends object>(run: T | FailedRun): run is T => !("failed" in run);

/** One failover of a cluster while a direct and a pooled client write, watched. */
export async function failOver(env: Environment, clients: Clients, fault: FaultName): Promise<ArmRun> {
  const script = "import time; print(time.time() - time.monotonic())";
  const clockOffset = Number((await clients.direct.exec(["python3", "-c", script])).stdout);
  const watch = observe(env.cluster);
  let result: FaultRun;
  let observations;
  try {
    result = await runFault({ env, clients }, faults[fault]);
  } finally {
    observations = await watch.stop();
  }
  const log = (name: string) => readFile(join(resultsDir, "runs", result.run, `${name}.log`), "utf8");
  const resumed = async (arm: string) => longestPause(parseWriterLog(await log(arm)))?.to;
  const evidence: Evidence = {
    at: Date.parse(result.at) / 1000,
    oldPrimary: result.before.primary,
    newPrimary: result.after.primary,
    observations,
    samples: parseSamplerLog(await log("sampler")),
    resumed: { direct: await resumed("direct"), pooled: await resumed("pooled") },
    clockOffset,
  };
  // The sampler's own log is kept with the run's.
  return { ...result, milestones: milestonesOf(evidence), evidence: { ...evidence, samples: [] } };
}

type Values = Record<string, number[]>;

/** Seconds by arm; a run that failed counts nowhere. */
function gapsOf(rounds: readonly Round[]): Values {
  const runs = (arm: "defaults" | "ours") => rounds.map((round) => round[arm]).filter(worked);
  return {
    "operator's defaults, pooled": runs("defaults").map(({ gap }) => gap.pooled),
    "operator's defaults, direct": runs("defaults").map(({ gap }) => gap.direct),
    "ours, pooled": runs("ours").map(({ gap }) => gap.pooled),
    "ours, direct": runs("ours").map(({ gap }) => gap.direct),
    "ours, pooled - direct (same event)": runs("ours").map(({ gap }) => gap.pooled - gap.direct),
    "bare kill + promote": rounds
      .map(({ floor }) => floor)
      .filter(worked)
      .map(({ gap }) => gap),
  };
}

/** Ratios of the same round, so that a slow minute of the machine weighs on both sides. */
function ratiosOf(rounds: readonly Round[], arm: "pooled" | "direct"): number[] {
  return rounds.flatMap(({ defaults, ours }) =>
    worked(defaults) && worked(ours) ? [ours.gap[arm] / defaults.gap[arm]] : [],
  );
}

export function failoverTables(rounds: readonly Round[]): Table[] {
  const milestones = (arm: "defaults" | "ours") =>
    rounds
      .map((round) => round[arm])
      .filter(worked)
      .map((run) => run.milestones);
  return [
    {
      caption: "Seconds without an acknowledgement",
      head: ["arm", ...summaryHead],
      rows: Object.entries(gapsOf(rounds)).map(([arm, values]) => [arm, ...summaryCells(values)]),
    },
    {
      caption: "Ours as a share of the operator's defaults, round by round",
      head: ["ratio", ...summaryHead],
      rows: [
        ["pooled", ...summaryCells(ratiosOf(rounds, "pooled"))],
        ["direct", ...summaryCells(ratiosOf(rounds, "direct"))],
      ],
    },
    milestoneTable({ defaults: milestones("defaults"), ours: milestones("ours") }),
  ];
}

/** The longest step of each arm in words. */
export function failoverNotes(rounds: readonly Round[]): string[] {
  return (["defaults", "ours"] as const).flatMap((arm) => {
    const all = rounds
      .map((round) => round[arm])
      .filter(worked)
      .map((run) => run.milestones);
    const longest = longestStep(all);
    return longest === undefined
      ? []
      : [
          `${arm}: the longest step is the one to "${milestoneNames[longest.name]}", ${longest.seconds.toFixed(2)} s`,
        ];
  });
}

const seconds = (value: number) => (Number.isFinite(value) ? `${value.toFixed(2)} s` : "never");
const GOAL_SECONDS = 5;
const LEAST_SECONDS = 8;
const SHARE = 0.5;
const DIRECT_BOUND = 10;
const LATER_MEDIAN = 1;
const LATER_MAX = 2;

/** Every run could be had. */
export function allCount(runs: readonly object[]): Goal {
  const failed = runs.filter((run) => "failed" in run).length;
  return { met: failed === 0, text: `every run counts: ${failed} don't` };
}

/** Nothing speaks against the product, nor against the oracle. */
export function unharmed(runs: readonly FaultRun[]): Goal {
  const found = runs.flatMap((run) => damage(run));
  const acknowledged = runs
    .map(({ verdicts }) => Object.values(verdicts)[0]?.acknowledged ?? 0)
    .reduce((sum, count) => sum + count, 0);
  return {
    met: found.length === 0,
    text:
      `nothing of ${acknowledged} acknowledged rows is lost, doubled or invented, there are never two primaries, and the oracle sees planted ` +
      `damage: ${found.length === 0 ? "so it is" : found.join("; ")}`,
  };
}

/** The goals of one fault; those of the deleted pod are the stricter ones. */
export function failoverGoals(rounds: readonly Round[], fault: FaultName): Goal[] {
  const ours = rounds.map((round) => round.ours).filter(worked);
  const goals: Goal[] = [allCount(rounds.flatMap((round) => [round.defaults, round.ours, round.floor]))];
  if (ours.length === 0) return goals;
  const pooled = median(ours.map(({ gap }) => gap.pooled));
  const later = ours.map(({ gap }) => gap.pooled - gap.direct);
  const longestDirect = Math.max(...ours.map(({ gap }) => gap.direct));
  const { met, text } = unharmed(ours);
  goals.push({ met, text: `ours: ${text}` });
  if (fault === "delete") {
    const defaults = rounds.map((round) => round.defaults).filter(worked);
    const base = defaults.length === 0 ? NaN : median(defaults.map(({ gap }) => gap.pooled));
    goals.push(
      {
        met: pooled <= SHARE * base,
        text: `median pause, pooled: at most ${SHARE} of the operator's defaults: ${seconds(pooled)} against ${seconds(base)}, ${(pooled / base).toFixed(2)}`,
      },
      {
        met: pooled <= LEAST_SECONDS,
        text: `median pause, pooled: at most ${LEAST_SECONDS} s: ${seconds(pooled)}`,
      },
      {
        met: pooled <= GOAL_SECONDS,
        text: `median pause, pooled: at most ${GOAL_SECONDS} s: ${seconds(pooled)}`,
      },
    );
  }
  goals.push(
    {
      met: longestDirect <= DIRECT_BOUND,
      text: `the direct client never pauses longer than ${DIRECT_BOUND} s: ${seconds(longestDirect)}`,
    },
    {
      met: median(later) <= LATER_MEDIAN,
      text: `through the pooler at most ${LATER_MEDIAN} s later (median of pairs): ${seconds(median(later))}`,
    },
    {
      met: Math.max(...later) <= LATER_MAX,
      text: `through the pooler never more than ${LATER_MAX} s later: ${seconds(Math.max(...later))}`,
    },
  );
  return goals;
}
