import { join } from "node:path";
import { median } from "../e2e/kit/statistics";
import { Previews } from "../policy/kit/preview";
import { interleave, roundName, type Rounds } from "./interleave";
import { type Goal, summaryCells, summaryHead, type Table } from "./results";

/** Numbers of platforms in one program. */
export const sizes = [1, 5, 20] as const;
type Size = (typeof sizes)[number];

export type GrowthSamples = Rounds<Record<Size, number>>;

/** A further platform among twenty may take so many times as long as one among five: growth is a straight line up to that. */
export const GROWTH_GOAL = 1.5;

/** Seconds of a preview from nothing, without a cluster, for each number of platforms, in turn. */
export async function measureGrowth(rounds: number, say: (text: string) => void): Promise<GrowthSamples> {
  const previews = await Previews.make();
  const of = (platforms: Size) => async () => {
    const result = await previews.preview(
      join(__dirname, "growth"),
      { "growth:platforms": String(platforms) },
      [],
    );
    if (result.exitCode !== 0)
      throw new Error(`a preview of ${platforms} platforms failed:\n${result.output}`);
    return result.seconds;
  };
  try {
    return await interleave({ 1: of(1), 5: of(5), 20: of(20) }, rounds, (round, sample) =>
      say(
        `${roundName(round, rounds)}: ${sizes.map((size) => `${size}: ${sample[size].toFixed(1)} s`).join(", ")}`,
      ),
    );
  } finally {
    await previews.close();
  }
}

/** Seconds that a further platform adds between two numbers of platforms, of each round. */
const slopes = ({ counted }: GrowthSamples, from: Size, to: Size): number[] =>
  counted.map((round) => (round[to] - round[from]) / (to - from));

export function growthTable(samples: GrowthSamples): { table: Table; goal: Goal } {
  const line = (name: string, values: readonly number[]) => [name, ...summaryCells(values)];
  const first = slopes(samples, 1, 5);
  const then = slopes(samples, 5, 20);
  const ratio = median(then) / median(first);
  return {
    table: {
      caption: "Seconds of a preview, and seconds that one more platform adds",
      head: ["platforms in the program", ...summaryHead],
      rows: [
        ...sizes.map((size) =>
          line(
            String(size),
            samples.counted.map((round) => round[size]),
          ),
        ),
        line("each from 1 to 5", first),
        line("each from 5 to 20", then),
      ],
    },
    goal: {
      met: ratio <= GROWTH_GOAL,
      text: `one more platform from 5 to 20 takes at most ${GROWTH_GOAL} times what it takes from 1 to 5: ${ratio.toFixed(2)}`,
    },
  };
}
