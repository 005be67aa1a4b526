import { stacksDir } from "../../shell/paths";
import { waiversIn, waiversKey } from "../../policy/waivers";
import { invariants } from "../../policy/invariants";
import { dayAfter, today } from "../../settings/day";
import type { Outcome } from "../command/spec";
import { readStackFile, type StackFile } from "../pulumi";
import { stacksIn } from "./stacks";
import { writeIssue } from "./written";

/** How many days before its last one a waiver is told. */
const DAYS = 14;

/** Waivers of a stack file that end within the next days, or hold for nothing, a line each. */
export function endingIn(stack: string, { config = {} }: StackFile, day: string): string[] {
  const given = config[waiversKey];
  if (given === undefined) return [];
  const names = invariants.map(({ name }) => name);
  const { waivers, problems } = waiversIn({ [waiversKey]: JSON.stringify(given) }, names, day);
  const last = dayAfter(day, DAYS);
  return [
    ...waivers
      .filter(({ until }) => until <= last)
      .map(
        ({ policy, resource, until, who, reason }) =>
          `${stack}: the waiver of ${policy} for ${resource} ends on ${until} (${who}: ${reason})`,
      ),
    ...problems.map(({ path, allowed }) => `${stack}: ${path} holds for nothing. Allowed: ${allowed}.`),
  ];
}

/** Every stack file's waivers that end soon. Ends with 5 where there is one. */
export async function lookForWaivers(file: string | undefined): Promise<Outcome> {
  const stacks = await stacksIn(stacksDir);
  const lines = await Promise.all(
    stacks.sort().map(async (stack) => endingIn(stack, await readStackFile(stack), today())),
  );
  return writeIssue(
    file,
    "waivers",
    "Waivers of policies that end soon",
    lines.flat(),
    "From the day after its last one on, a waiver refuses every update. Correct what it is about, or renew it with a reason.",
  );
}
