import { type Settings } from "../../settings/schema";
import { median } from "../e2e/kit/statistics";
import { allCount, type ArmRun, type FailedRun, unharmed, worked } from "./failover";
import { summaryCells, summaryHead, type Goal, type Table } from "./results";

/** What archiving costs when the primary goes: the running stack, which archives, and a copy of it that doesn't, in turn. */

export const namespace = "pgp-bench-unarchived";

/** A promotion may take so many times as long with an archive. */
const GOAL = 1.3;

export interface ArchivingRound {
  on: ArmRun | FailedRun;
  off: ArmRun | FailedRun;
}

/** The running stack's settings without its archive. */
export function withoutArchive(settings: Settings): Settings {
  const copy = {
    ...settings,
    cluster: { ...settings.cluster, namespace },
    poolers: settings.poolers.slice(0, 1),
  };
  delete copy.backup;
  delete copy.restore;
  return copy;
}

const clients = ["pooled", "direct"] as const;
type Client = (typeof clients)[number];

const gaps = (rounds: readonly ArchivingRound[], arm: keyof ArchivingRound, client: Client): number[] =>
  rounds.map((round) => round[arm]).flatMap((run) => (worked(run) ? [run.gap[client]] : []));

/** Of the same round, so that a slow minute of the machine weighs on both sides. */
const ratios = (rounds: readonly ArchivingRound[], client: Client): number[] =>
  rounds.flatMap(({ on, off }) => (worked(on) && worked(off) ? [on.gap[client] / off.gap[client]] : []));

export const archivingTables = (rounds: readonly ArchivingRound[]): Table[] => [
  {
    caption: "Seconds without an acknowledgement",
    head: ["arm", ...summaryHead],
    rows: (["on", "off"] as const).flatMap((arm) =>
      clients.map((client) => [`archiving ${arm}, ${client}`, ...summaryCells(gaps(rounds, arm, client))]),
    ),
  },
  {
    caption: "With archiving over without, round by round",
    head: ["ratio", ...summaryHead],
    rows: clients.map((client) => [client, ...summaryCells(ratios(rounds, client))]),
  },
];

export function archivingGoals(rounds: readonly ArchivingRound[]): Goal[] {
  const runs = rounds.flatMap(({ on, off }) => [on, off]);
  return [
    allCount(runs),
    unharmed(runs.filter(worked)),
    ...clients.flatMap((client) => {
      const all = ratios(rounds, client);
      if (all.length === 0) return [];
      const ratio = median(all);
      return [
        {
          met: ratio <= GOAL,
          text: `${client}: the pause is at most ${GOAL} times as long with archiving (median of the rounds): ${ratio.toFixed(2)}`,
        },
      ];
    }),
  ];
}
