import { rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../shell/userError";
import * as builtIn from "../local/cluster/cluster";
import { chooseCluster, inspectMachine } from "./choice";
import { confirm } from "./confirm";
import { keepEngine, settingsOfTree, subjectOf, subjectWith } from "./context";
import { judgeDestroy, staysAnyway } from "./guard";
import { type Subject } from "./health";
import { Kubectl } from "./kubectl";
import { engineAsked, layersOver } from "./layers";
import { heldIn, lettingGo } from "./letGo";
import { stateDir } from "../shell/paths";
import { type Progress } from "../shell/progress";
import { run } from "../shell/process";
import { archiveIdIn } from "./archive";
import { mayHaveArchived } from "./gone";
import { readStackFile, Stack } from "./pulumi";
import { readRestored, sourceOf } from "./restored";
import { findCluster, K3D_CLUSTER } from "./target";
import { prepareTools } from "./up";

/** The closing words about backups: of the stack's own archive where it has anything, and of what it was to be restored from where that has not ended. */
async function whatStays(stack: Stack, subjectOfStack: () => Promise<Subject>): Promise<string> {
  const archiveId = archiveIdIn(await stack.resources());
  if (archiveId === undefined) return "";
  // A stack file that isn't understood any more can be destroyed, too.
  const subject = await subjectOfStack().catch(() => undefined);
  const restored = subject && (await readRestored(subject).catch(() => undefined));
  if (restored?.begun === false)
    return ` The restore from ${sourceOf(restored.text)} had not ended, and nothing was archived since; what it was made from stays.`;
  if (subject && (await mayHaveArchived(subject)))
    return ` Its backups stay: pgplatform:restore with archiveId "${archiveId}" brings them back.`;
  return ` Nothing is known to be archived as "${archiveId}"; if there is anything, it stays: \`make restore TARGET=<name>\` lists it.`;
}

/** Deletes the stack's objects with their data and leaves the Kubernetes cluster as it is. Returns the closing line. */
export async function destroy(stackName: string, progress: Progress, signal: AbortSignal): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  const toolFolders = await prepareTools(progress, [], signal);
  const stack = new Stack(stackName, toolFolders, signal);
  if (!(await stack.exists())) return `There is no stack ${stackName}; nothing was deleted.`;
  await keepEngine(stack, engineAsked());
  const target = findCluster(choice);
  const { context } = target;
  const backups = await whatStays(stack, () => subjectOf(stack, target, toolFolders, signal));
  // What the stack file allows now, and not when the stack was last updated.
  const held = await judgeDestroy(await stack.resources(), async () => {
    const file = await readStackFile(stackName);
    const { overlay } = layersOver(file, { engine: engineAsked(), builtIn: choice.kind === "built-in" });
    const settings = await settingsOfTree(stackName, { ...target.overlay, ...overlay });
    return subjectWith(settings, target, toolFolders, signal);
  });
  await confirm(
    `This deletes stack ${stackName} and its data from the cluster of context ${context}. Continue?`,
  );
  const kubectl = new Kubectl(target, toolFolders, signal);
  await progress.step("pulumi destroy", async (step) => {
    await stack.recover(step);
    await stack.lift(held, staysAnyway);
    await lettingGo(
      kubectl,
      heldIn(await stack.resources()),
      (line) => step.say(line),
      () => stack.destroy(step),
    );
  });
  return `Stack ${stackName} and its data are deleted; the cluster of context ${context} keeps running.${backups}`;
}

/**
 * Deletes what `make up` made, the data included, after asking. A cluster of the user's own (`CONTEXT`) stays and loses the
 * stack's objects only; a cluster that we made is deleted whole, and the stack's state with it. Returns the closing line.
 */
export async function down(stackName: string, progress: Progress, signal: AbortSignal): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none" || choice.kind === "context") return destroy(stackName, progress, signal);
  await confirm(
    "This deletes the local cluster with every database in it, and the Pulumi state of its stacks. Continue?",
  );
  await progress.step("Kubernetes", async (context) => {
    if (choice.kind === "k3d") await run("k3d", ["cluster", "delete", K3D_CLUSTER]);
    else await builtIn.wipe(context);
  });
  if (process.env.PULUMI_BACKEND_URL === undefined) {
    await Promise.all(
      ["stacks", "pulumi"].map((folder) => rm(join(stateDir, folder), { recursive: true, force: true })),
    );
  }
  return "The local cluster and its data are deleted; tools and images stay cached.";
}
