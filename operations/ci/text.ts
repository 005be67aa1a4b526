import { reviewLines } from "../../plan/changes/render";
import { differenceLines } from "../../plan/reliability/render";
import type { Outcome } from "../command/spec";
import { compareStack, type Comparison, isRefused } from "./compare";

/** A comparison for a terminal. */
export function comparisonLines({ head, isNew, review, differences, refused, notes }: Comparison): string[] {
  return [
    ...notes.map((note) => `note: ${note}`),
    ...refused.map((problem) => `refused: ${problem}`),
    ...(head === undefined ? [] : reviewLines(review, head.restart)),
    ...(differences === undefined ? [] : differenceLines(differences)),
    ...(head?.violations ?? [])
      .filter((one) => one.mandatory || (one.isNew && !isNew))
      .map(
        ({ policy, mandatory, sentence }) =>
          `${mandatory ? "refused" : "advice"}: policy ${policy}: ${sentence}`,
      ),
    ...(head?.waived ?? []),
  ];
}

/** What a change of the tree does to a stack, without a cluster. Ends with 1 where the stack would be refused. */
export async function showComparison(stackName: string, against: string): Promise<Outcome> {
  const found = await compareStack(stackName, against);
  return {
    line: comparisonLines(found).join("\n"),
    data: found,
    exit: isRefused(found) ? 1 : 0,
  };
}
