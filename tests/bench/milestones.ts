import { median, summarise } from "../e2e/kit/statistics";
import { type InstanceSamples } from "../e2e/kit/oracle";
import { type Table } from "./results";

/** On what the seconds of a failover are spent: when each thing happened, and how long after the one before. */

/** Something that a watch of the API server reported, at the wall clock's second of its arrival. */
export type Observation = { at: number } & (
  | { kind: "pod"; pod: string; gone: boolean }
  | { kind: "cluster"; targetPrimary: string }
  | { kind: "lease"; holder: string; acquiredAt: number | undefined }
  | { kind: "endpoints"; ready: string[] }
);

/** In the order in which they are expected. */
export const milestoneNames = {
  deleted: "the API server has taken the pod away",
  noticed: "the engine asks for another primary",
  chosen: "the engine has chosen it",
  leased: "the chosen one holds the lease",
  promoted: "it has promoted itself",
  commits: "it acknowledges a commit (standbys follow, where they must)",
  routed: "the primary's Service leads to it",
  direct: "the direct client writes again",
  pooled: "the pooled client writes again",
} as const;

export type Milestone = keyof typeof milestoneNames;
/** Seconds after the fault; what was not seen is left out. */
export type Milestones = Partial<Record<Milestone, number>>;

export interface Evidence {
  /** When the fault was done, wall clock. */
  at: number;
  oldPrimary: string;
  newPrimary: string;
  observations: readonly Observation[];
  /** What a client saw of each instance, on its own monotonic clock. */
  samples: readonly InstanceSamples[];
  /** When the clients' pauses ended, on the same clock. */
  resumed: { direct: number | undefined; pooled: number | undefined };
  /** Wall clock minus the clients' monotonic clock. */
  clockOffset: number;
}

/** The first of some observations after the fault that something holds for. */
function first(
  { at, observations }: Evidence,
  holds: (observation: Observation) => boolean,
): number | undefined {
  return observations.find((observation) => observation.at >= at && holds(observation))?.at;
}

/** When each milestone was reached. Watches add the time that a message needs; the sampler looks every 50 ms. */
export function milestonesOf(evidence: Evidence): Milestones {
  const { at, oldPrimary, newPrimary, observations, samples, resumed, clockOffset } = evidence;
  const lease = observations.find(
    (observation) =>
      observation.kind === "lease" && observation.at >= at && observation.holder === newPrimary,
  );
  const wall = (time: number | undefined) => (time === undefined ? undefined : time + clockOffset);
  const own = samples.find(({ pod }) => pod === newPrimary);
  const after = (time: number) => time + clockOffset >= at;
  const otherLeads = oldPrimary !== newPrimary;
  const found: Record<Milestone, number | undefined> = {
    deleted: first(evidence, (seen) => seen.kind === "pod" && seen.pod === oldPrimary && seen.gone),
    noticed: first(evidence, (seen) => seen.kind === "cluster" && seen.targetPrimary !== oldPrimary),
    chosen: otherLeads
      ? first(evidence, (seen) => seen.kind === "cluster" && seen.targetPrimary === newPrimary)
      : undefined,
    leased: otherLeads ? (lease?.kind === "lease" ? (lease.acquiredAt ?? lease.at) : undefined) : undefined,
    promoted: otherLeads
      ? wall(own?.states.find((state) => state.primary && after(state.at))?.at)
      : undefined,
    commits: otherLeads ? wall(own?.commits.find(({ at: time }) => after(time))?.at) : undefined,
    routed: otherLeads
      ? first(evidence, (seen) => seen.kind === "endpoints" && seen.ready.includes(newPrimary))
      : undefined,
    direct: wall(resumed.direct),
    pooled: wall(resumed.pooled),
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, time]) => (time === undefined ? [] : [[name, time - at]])),
  );
}

/** Seconds from the latest of the milestones before; a milestone that came earlier than one before it cost nothing. */
export function stepsOf(milestones: Milestones): Milestones {
  let reached = 0;
  const steps: Milestones = {};
  for (const name of Object.keys(milestoneNames) as Milestone[]) {
    const at = milestones[name];
    if (at === undefined) continue;
    steps[name] = Math.max(0, at - reached);
    reached = Math.max(reached, at);
  }
  return steps;
}

/** Medians of when each milestone was reached and of the step to it, arm by arm. */
export function milestoneTable(arms: Readonly<Record<string, readonly Milestones[]>>): Table {
  const entries = Object.entries(arms);
  const middle = (all: readonly Milestones[], name: Milestone) => {
    const values = all.flatMap((milestones) => milestones[name] ?? []);
    return values.length === 0 ? "–" : median(values);
  };
  return {
    caption: "What the seconds are spent on: medians after the fault, and of the step from the line before",
    head: ["milestone", ...entries.flatMap(([arm]) => [`${arm}: at`, "step"])],
    rows: (Object.keys(milestoneNames) as Milestone[]).map((name) => [
      milestoneNames[name],
      ...entries.flatMap(([, all]) => [middle(all, name), middle(all.map(stepsOf), name)]),
    ]),
  };
}

/** Which step is the longest of a median run. */
export function longestStep(all: readonly Milestones[]): { name: Milestone; seconds: number } | undefined {
  const steps = all.map(stepsOf);
  const named = (Object.keys(milestoneNames) as Milestone[]).flatMap((name) => {
    const values = steps.flatMap((step) => step[name] ?? []);
    return values.length === 0 ? [] : [{ name, seconds: summarise(values).median }];
  });
  return named.sort((one, other) => other.seconds - one.seconds)[0];
}
