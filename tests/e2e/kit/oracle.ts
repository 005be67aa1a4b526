/**
 * The judge of "nothing acknowledged is lost": pure functions over the logs of `writer.py` and `sampler.py` and over the
 * rows that an instance holds. They touch no cluster, so that the judge itself is tested (tests/unit/oracle.test.ts).
 */

/** What one writer did. Times are seconds of its pod's monotonic clock. */
export interface WriterLog {
  tried: Set<number>;
  /** Acknowledged rows in order. */
  acks: { id: number; at: number }[];
  /** Rows of which the writer doesn't know whether they were kept. */
  unknown: { id: number; at: number; why: string }[];
  /** Attempts to connect that failed. */
  failedConnections: { at: number; why: string }[];
  /** Sessions in order: when, with which server, and from which address in the server's eyes (a pooler's). */
  sessions: { at: number; server: string; via: string }[];
  /** When the fault began. */
  markedAt: number | undefined;
  /** When the fault was taken back, for faults that last. */
  healedAt: number | undefined;
  /** Whether the writer came to its ordinary end: a log without it is not complete. */
  ended: boolean;
}

/** Reads a writer's log. A line that it can't read is an error: a judge that skips lines is blind. */
export function parseWriterLog(text: string): WriterLog {
  const log: WriterLog = {
    tried: new Set(),
    acks: [],
    unknown: [],
    failedConnections: [],
    sessions: [],
    markedAt: undefined,
    healedAt: undefined,
    ended: false,
  };
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, subject, time, rest] = /^(\w+) (\S+) (\d+\.\d+)(?: (.*))?$/.exec(line) ?? [];
    const at = Number(time);
    const id = Number(subject);
    const why = rest ?? "";
    switch (kind) {
      case "try":
        if (log.tried.has(id)) throw new Error(`the writer used id ${id} twice`);
        log.tried.add(id);
        break;
      case "ack":
        if (!log.tried.has(id)) throw new Error(`the writer acknowledged id ${id} without trying it`);
        log.acks.push({ id, at });
        break;
      case "unknown":
        log.unknown.push({ id, at, why });
        break;
      case "failed":
        log.failedConnections.push({ at, why });
        break;
      case "connected": {
        const [, server = "", via = ""] = /^(\S+)(?: recovery=\S+)?(?: via=(\S+))?$/.exec(why) ?? [];
        log.sessions.push({ at, server, via });
        break;
      }
      case "mark":
        log.markedAt = at;
        break;
      case "heal":
        log.healedAt = at;
        break;
      case "end":
        log.ended = true;
        break;
      default:
        throw new Error(`a line of the writer's log can't be read: "${line}"`);
    }
  }
  return log;
}

/** What one instance's rows say about the writers' logs. Clean means: the first three are empty. */
export interface Verdict {
  acknowledged: number;
  /** Acknowledged rows that aren't there. */
  lost: number[];
  /** Rows that are there more than once. */
  duplicated: number[];
  /** Rows that no writer ever sent. */
  neverTried: number[];
  /** Rows that were kept although the client saw an error: allowed, and the reason why retries must be idempotent. */
  unacknowledgedPresent: number;
}

export function judge(
  logs: readonly Pick<WriterLog, "tried" | "acks">[],
  present: readonly number[],
): Verdict {
  const tried = new Set(logs.flatMap((log) => [...log.tried]));
  const acknowledged = new Set(logs.flatMap((log) => log.acks.map(({ id }) => id)));
  const seen = new Set<number>();
  const duplicated = new Set<number>();
  for (const id of present) (seen.has(id) ? duplicated : seen).add(id);
  return {
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((id) => !seen.has(id)),
    duplicated: [...duplicated],
    neverTried: [...seen].filter((id) => !tried.has(id)),
    unacknowledgedPresent: [...seen].filter((id) => tried.has(id) && !acknowledged.has(id)).length,
  };
}

const markOf = ({ markedAt }: WriterLog): number => {
  if (markedAt === undefined)
    throw new Error("the writer's log has no mark: it isn't known when the fault began");
  return markedAt;
};

/** The longest pause between two acknowledgements that ends after the mark; undefined when none came any more. */
export function longestPause(log: WriterLog): { from: number; to: number } | undefined {
  const mark = markOf(log);
  const pauses = log.acks.flatMap(({ at: to }, index) => {
    const from = log.acks[index - 1]?.at;
    return from !== undefined && to > mark ? [{ from, to }] : [];
  });
  return pauses.sort((one, other) => other.to - other.from - (one.to - one.from))[0];
}

/** Seconds of the longest pause; Infinity when no acknowledgement came after the mark. */
export function longestGap(log: WriterLog): number {
  const pause = longestPause(log);
  return pause === undefined ? Infinity : pause.to - pause.from;
}

/** Acknowledgements a second in the window before the mark. */
export function rateBeforeMark(log: WriterLog, windowSeconds = 2): number {
  const mark = markOf(log);
  return log.acks.filter(({ at }) => at <= mark && at > mark - windowSeconds).length / windowSeconds;
}

/** Acknowledgements a second in the window that ends with the latest one. */
export function latestRate({ acks }: Pick<WriterLog, "acks">, windowSeconds = 2): number {
  const latest = acks.at(-1)?.at ?? 0;
  return acks.filter(({ at }) => at > latest - windowSeconds).length / windowSeconds;
}

/** Acknowledgements after the mark. */
export const acksAfterMark = (log: WriterLog): number =>
  log.acks.filter(({ at }) => log.markedAt !== undefined && at > log.markedAt).length;

/** Acknowledgements while the fault lasted, its first seconds (in which it takes hold) left out. */
export function acksDuringFault(log: WriterLog, settleSeconds: number): number {
  const from = markOf(log) + settleSeconds;
  const { healedAt = Infinity } = log;
  return log.acks.filter(({ at }) => at > from && at < healedAt).length;
}

/** Seconds from the end of the fault to the first acknowledgement after it; Infinity when none came any more. */
export function resumedAfter(log: WriterLog): number {
  const { healedAt } = log;
  if (healedAt === undefined) throw new Error("the writer's log doesn't say when the fault ended");
  const first = log.acks.find(({ at }) => at >= healedAt);
  return first === undefined ? Infinity : first.at - healedAt;
}

/** Errors from a session with a standby, later than so many seconds after the direct client wrote again. */
export function lateReadOnlyErrors(log: WriterLog, writableAt: number, seconds: number): number {
  return [...log.unknown, ...log.failedConnections].filter(
    ({ at, why }) => /read-only/i.test(why) && at > writableAt + seconds,
  ).length;
}

/** When the longest pause after the mark ended; the mark itself when there was none. */
export const writableAgainAt = (log: WriterLog): number => longestPause(log)?.to ?? markOf(log);

/** What the sampler saw of one instance. */
export interface InstanceSamples {
  pod: string;
  states: { at: number; primary: boolean; timeline: number }[];
  /** Rows that were sent to it. */
  tries: { id: number; at: number }[];
  /** Those of them that it has acknowledged. */
  commits: { id: number; at: number }[];
}

export function parseSamplerLog(text: string): InstanceSamples[] {
  const pods = new Map<string, InstanceSamples>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("end ")) continue;
    const [, kind, pod, time, rest = ""] =
      /^(state|try|commit) (\S+) (\d+\.\d+) ((?:primary|standby) \d+|\d+)$/.exec(line) ?? [];
    const [role, timeline] = rest.split(" ");
    if (pod === undefined || (kind === "state") !== (timeline !== undefined))
      throw new Error(`a line of the sampler's log can't be read: "${line}"`);
    const samples = pods.get(pod) ?? { pod, states: [], tries: [], commits: [] };
    pods.set(pod, samples);
    const at = Number(time);
    if (kind === "state")
      samples.states.push({ at, primary: role === "primary", timeline: Number(timeline) });
    else samples[kind === "try" ? "tries" : "commits"].push({ id: Number(rest), at });
  }
  return [...pods.values()];
}

/** The sampler's rows are judged as a writer's are: what an instance acknowledged has to be there. */
export const rowsOf = ({ tries, commits }: InstanceSamples): Pick<WriterLog, "tried" | "acks"> => ({
  tried: new Set(tries.map(({ id }) => id)),
  acks: commits,
});

/**
 * Pairs of instances that both took commits, and acknowledged them, in the same stretch of time: a split brain. A commit counts with the moment
 * when it was sent: a server that was frozen may tell of one from before when it resumes, and whether that one was kept is `judge`'s to say.
 */
export function overlappingPrimaries(samples: readonly InstanceSamples[]): [string, string][] {
  const spans = samples
    .filter(({ commits }) => commits.length > 0)
    .map(({ pod, tries, commits }) => {
      const kept = new Set(commits.map(({ id }) => id));
      const sent = tries.filter(({ id }) => kept.has(id)).map(({ at }) => at);
      return { pod, from: Math.min(...sent), to: Math.max(...sent) };
    });
  return spans.flatMap((one, index) =>
    spans
      .slice(index + 1)
      .filter((other) => one.from <= other.to && other.from <= one.to)
      .map((other): [string, string] => [one.pod, other.pod]),
  );
}
