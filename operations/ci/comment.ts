import { UserError } from "../../shell/userError";
import type { Outcome } from "../command/spec";
import { compareStack, isRefused } from "./compare";
import { commentOf } from "./markdown";
import { writeText } from "./written";

/** The comment of a stack in a pull request: printed, or written into a file. Ends with 1 where the stack would be refused. */
export async function writeComment(
  stackName: string,
  { against, file }: { readonly against: string | undefined; readonly file: string | undefined },
): Promise<Outcome> {
  if (!/^[\w-]+$/.test(stackName))
    throw new UserError([
      `STACK: "${stackName}" is no name of a stack. Allowed: letters, digits, - and _. Fix: correct it.`,
    ]);
  const found = await compareStack(stackName, against);
  const text = commentOf(found);
  await writeText(file, text);
  return { line: text.trimEnd(), data: found, exit: isRefused(found) ? 1 : 0 };
}
