import { engineAsked, layersOver } from "./layers";
import { chooseCluster, inspectMachine } from "./choice";
import { settingsOfTree } from "./context";
import { type Progress } from "../shell/progress";
import { readStackFile } from "./pulumi";
import { planOf, restoreOverlay, type Wanted } from "./restorePlan";
import { findCluster } from "./target";
import { up } from "./up";
import { UserError } from "../shell/userError";

/** Looks into the source, shows what would come back, asks, and makes the cluster; what an earlier run has begun is continued. Returns the closing line. */
export async function restore(
  stackName: string,
  wanted: Wanted,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  const file = await readStackFile(stackName);
  const more = restoreOverlay(wanted, file);
  const { overlay } = layersOver(file, { engine: engineAsked(), builtIn: choice.kind === "built-in" });
  planOf(await settingsOfTree(stackName, { ...findCluster(choice).overlay, ...overlay, ...more }));
  return up(stackName, progress, signal, { more, restores: true });
}
