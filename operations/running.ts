import * as builtIn from "../local/cluster/cluster";
import { chooseCluster, inspectMachine } from "./choice";
import { keepEngine, subjectOf } from "./context";
import { refuseGone } from "./gone";
import { Kubectl } from "./kubectl";
import { engineAsked } from "./layers";
import { type Progress } from "../shell/progress";
import { readStackFile, Stack } from "./pulumi";
import { findCluster } from "./target";
import { prepareTools } from "./up";
import { UserError } from "../shell/userError";

/** What follows where nothing runs, and a stack file has targets: backups outlive what they are of. */
async function orRestore(stackName: string): Promise<string> {
  const { config } = await readStackFile(stackName).catch(() => ({ config: undefined }));
  const { targets } = (config?.["pgplatform:backup"] ?? {}) as { targets?: { name?: unknown }[] };
  const name = Array.isArray(targets) ? targets[0]?.name : undefined;
  return typeof name === "string"
    ? `, with an empty database. If there are backups of it, \`make restore TARGET=${name}\` lists them and makes nothing`
    : "";
}

/** The subject of a command that looks at a running stack and changes nothing; a sentence when there is none. */
export async function runningSubject(stackName: string, progress: Progress, signal?: AbortSignal) {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  if (choice.kind === "built-in") {
    const { state } = await builtIn.status();
    if (state === "absent")
      throw new UserError([
        `Nothing runs: there is no built-in cluster; \`make up\` makes one${await orRestore(stackName)}.`,
      ]);
    if (state === "stopped")
      throw new UserError(["Nothing runs: the built-in cluster is stopped; `make up` starts it."]);
  }
  const toolFolders = await prepareTools(progress, [], signal);
  const target = findCluster(choice);
  if (!(await new Kubectl(target, toolFolders, signal).answers()))
    throw new UserError([
      `The cluster of context ${target.context} does not answer; \`make up\` repairs the local one.`,
    ]);
  const stack = new Stack(stackName, toolFolders, signal);
  if (!(await stack.exists()))
    throw new UserError([
      `Stack ${stackName} has not been made; \`make up\` makes it${await orRestore(stackName)}.`,
    ]);
  await keepEngine(stack, engineAsked());
  const subject = await subjectOf(stack, target, toolFolders, signal);
  await refuseGone(subject, stack);
  return { stack, target, subject };
}
