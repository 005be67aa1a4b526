/** What the drill's clients saw, judged: pure. */

/** One client's attempts, in order. */
export interface Seen {
  /** Through which way it wrote: `pooled`, or `direct`. */
  readonly way: string;
  /** Acknowledged rows, with the moment in seconds. */
  readonly acks: readonly { readonly row: number; readonly at: number }[];
  readonly errors: readonly { readonly at: number; readonly why: string }[];
}

/** Reads what the writer printed. A line that isn't its own is an error: a judge that skips lines is blind. */
export function seenIn(lines: readonly string[]): Seen[] {
  const ways = new Map<
    string,
    { acks: { row: number; at: number }[]; errors: { at: number; why: string }[] }
  >();
  for (const line of lines) {
    const [, way, kind, row, at, why = ""] =
      /^(\w+) (ack|error) (\d+) (\d+\.\d+)(?: (.*))?$/.exec(line) ?? [];
    if (way === undefined) throw new Error(`the writer printed "${line.slice(0, 120)}"`);
    const seen = ways.get(way) ?? { acks: [], errors: [] };
    if (kind === "ack") seen.acks.push({ row: Number(row), at: Number(at) });
    else seen.errors.push({ at: Number(at), why });
    ways.set(way, seen);
  }
  return [...ways].map(([way, seen]) => ({ way, ...seen }));
}

/** The longest time between two acknowledged rows, in seconds, and when it began; from the first row to the end of the writing. */
export function pauseOf({ acks }: Seen, endsAt: number): { seconds: number; from: number } {
  const times = [...acks.map(({ at }) => at), endsAt];
  let longest = { seconds: 0, from: times[0] ?? endsAt };
  for (let index = 1; index < times.length; index++) {
    const from = times[index - 1] ?? 0;
    const seconds = (times[index] ?? 0) - from;
    if (seconds > longest.seconds) longest = { seconds, from };
  }
  return longest;
}

/** Acknowledged rows that aren't there; `kept` are the values in the table, `<drill> <way> <row>`. */
export function lostOf({ way, acks }: Seen, drill: string, kept: ReadonlySet<string>): number[] {
  return acks.map(({ row }) => row).filter((row) => !kept.has(`${drill} ${way} ${row}`));
}
