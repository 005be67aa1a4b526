import { rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../shell/userError";
import * as builtIn from "../local/cluster/cluster";
import { chooseCluster, inspectMachine } from "./choice";
import { confirm } from "./confirm";
import { keepEngine } from "./context";
import { engineAsked } from "./layers";
import { stateDir } from "../shell/paths";
import { type Progress } from "../shell/progress";
import { run } from "../shell/process";
import { archiveIdIn } from "./archive";
import { Stack } from "./pulumi";
import { findCluster, K3D_CLUSTER } from "./target";
import { prepareTools } from "./up";

/** Deletes the stack's objects with their data and leaves the Kubernetes cluster as it is. Returns the closing line. */
export async function destroy(stackName: string, progress: Progress, signal: AbortSignal): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  const stack = new Stack(stackName, await prepareTools(progress, [], signal), signal);
  if (!(await stack.exists())) return `There is no stack ${stackName}; nothing was deleted.`;
  await keepEngine(stack, engineAsked());
  const { context } = findCluster(choice);
  const archiveId = archiveIdIn(await stack.resources());
  await confirm(
    `This deletes stack ${stackName} and its data from the cluster of context ${context}. Continue?`,
  );
  await progress.step("pulumi destroy", async (step) => {
    await stack.recover(step);
    await stack.destroy(step);
  });
  const backups =
    archiveId === undefined
      ? ""
      : ` Its backups stay: pgplatform:restore with archiveId "${archiveId}" brings them back.`;
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
