import { engineAsked, layersOver } from "./layers";
import { chooseCluster, inspectMachine } from "./choice";
import { confirm } from "./confirm";
import { settingsOfTree } from "./context";
import { type Progress } from "../shell/progress";
import { type Overlay, readStackFile } from "./pulumi";
import { findCluster } from "./target";
import { up } from "./up";
import { originArchive } from "../plan/backup/restore";
import { type Settings } from "../settings/schema";
import { UserError } from "../shell/userError";

/** What is restored, as the command's options say it; the setting `restore` says the same. */
export interface Wanted {
  readonly target?: string;
  readonly archiveId?: string;
  readonly from?: string;
  readonly time?: string;
  readonly lsn?: string;
  readonly name?: string;
}

/** The options as the setting `restore`; nothing when none is given, and the stack file's own holds. */
export function restoreOverlay({ target, archiveId, from, ...to }: Wanted): Overlay {
  const given = Object.fromEntries(Object.entries(to).filter(([, value]) => value !== undefined));
  const restore = { ...(target && { target }), ...(archiveId && { archiveId }), ...(from && { from }) };
  return Object.keys({ ...restore, ...given }).length === 0
    ? {}
    : { "pgplatform:restore": { ...restore, to: given } };
}

/** What a restore does, in lines. */
export function planOf({ cluster, restore, backup }: Settings): string[] {
  if (restore === undefined)
    throw new UserError([
      "pgplatform:restore: not set. Allowed: a target and an archive ID. Fix: say TARGET=<name> ARCHIVE_ID=<ten characters>, as `make backups` or the last line of `make destroy` has them.",
    ]);
  const { time, lsn, name } = restore.to;
  const until = [
    time !== undefined && `what was committed until ${time}`,
    lsn !== undefined && `the WAL until ${lsn}`,
    name !== undefined && `the WAL until the restore point ${name}`,
  ].find((one) => one !== false);
  const kind = backup?.targets.find((one) => one.name === restore.target)?.kind;
  return [
    `source: target ${restore.target} (${kind}), archive ${originArchive(restore)} of ${restore.path ?? restore.from ?? `${cluster.namespace}/${cluster.name}`}; it stays as it is`,
    `what comes back: ${until ?? "everything that was archived"}`,
    `into: a new cluster ${cluster.namespace}/${cluster.name} with ${cluster.instances} instances, new passwords, and an archive of its own`,
  ];
}

/** Shows what a restore does, asks, and makes the cluster. Returns the closing line. */
export async function restore(
  stackName: string,
  wanted: Wanted,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  const more = restoreOverlay(wanted);
  const { overlay } = layersOver(await readStackFile(stackName), {
    engine: engineAsked(),
    builtIn: choice.kind === "built-in",
  });
  const settings = await settingsOfTree(stackName, { ...findCluster(choice).overlay, ...overlay, ...more });
  planOf(settings).forEach((line) => progress.line(`  ${line}`));
  await confirm("This makes a cluster out of a backup. Continue?");
  return up(stackName, progress, signal, more);
}
