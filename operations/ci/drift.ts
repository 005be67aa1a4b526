import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { exists } from "../../shell/paths";
import type { Progress } from "../../shell/progress";
import { UserError } from "../../shell/userError";
import type { Outcome } from "../command/spec";
import { quietTools } from "../platform";
import { preview } from "../preview";
import { Stack } from "../pulumi";
import { issueOf } from "./markdown";

/** Exit code of a look that found something. */
export const FOUND = 5;

export async function writeIssue(
  file: string | undefined,
  about: string,
  title: string,
  lines: readonly string[],
  fix: string,
): Promise<Outcome> {
  if (file !== undefined) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, issueOf(about, title, lines, fix));
  }
  return {
    line:
      lines.length === 0
        ? `${title}: nothing.`
        : [`${title}:`, ...lines.map((line) => `  ${line}`)].join("\n"),
    data: { title, found: lines },
    exit: lines.length === 0 ? 0 : FOUND,
  };
}

/** A workflow's machine has no copy of the stack file yet where the state lies elsewhere. */
async function takeCopy(stackName: string, signal: AbortSignal): Promise<void> {
  const stack = new Stack(stackName, await quietTools(), signal);
  if (!(await exists(stack.file)) && (await stack.resources()).length > 0) await stack.prepare({});
}

/** Whether what runs is what the stack file says: a preview with a refreshed state. Ends with 5 where it isn't. */
export async function lookForDrift(
  stackName: string,
  file: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome> {
  await takeCopy(stackName, signal);
  const { changes } = await preview(stackName, progress, { policies: false }, signal);
  if (changes === undefined)
    throw new UserError([
      `Stack ${stackName} has not been made, or its Kubernetes cluster isn't running: there is nothing to compare with. Fix: name the cluster with --context, and the state's place with PULUMI_BACKEND_URL.`,
    ]);
  return writeIssue(
    file,
    `drift ${stackName}`,
    `Stack ${stackName} isn't what its file says`,
    changes,
    `Someone changed it by hand, or a change of the file isn't applied. \`make up STACK=${stackName}\` makes it what the file says.`,
  );
}
