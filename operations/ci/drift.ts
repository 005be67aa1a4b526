import { exists } from "../../shell/paths";
import type { Progress } from "../../shell/progress";
import { UserError } from "../../shell/userError";
import type { Outcome } from "../command/spec";
import { quietTools } from "../platform";
import { preview } from "../preview";
import { Stack } from "../pulumi";
import { writeIssue } from "./written";

/** A workflow's machine has no copy of the stack file yet where the state lies elsewhere. */
async function takeCopy(stackName: string, signal: AbortSignal): Promise<void> {
  const stack = new Stack(stackName, await quietTools("kubectl", "pulumi"), signal);
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
