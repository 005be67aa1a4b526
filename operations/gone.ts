import { UserError } from "../shell/userError";
import { archiveIdIn } from "./archive";
import { plannedCluster, type Subject } from "./health";
import { liveOf } from "./kubectl";
import { type Stack } from "./pulumi";
import { readStatus } from "./targets";

/** What to say where a cluster is gone and its archive may not be. */
export function goneSentence(
  { cluster, backup }: Pick<Subject["settings"], "cluster" | "backup">,
  archiveId: string,
  namespaceThere: boolean,
): string {
  const targets = backup?.targets.map(({ name }) => name) ?? [];
  const where = namespaceThere ? "" : ` with its namespace ${cluster.namespace}`;
  return (
    `Cluster ${cluster.namespace}/${cluster.name} is gone${where}, and its backups needn't be: archive ${archiveId} in target ${targets.join(" or ")}. ` +
    `\`make restore TARGET=${targets[0]} ARCHIVE_ID=${archiveId}\` looks there, shows what would come back, and asks; \`make up\` would not bring the data back.`
  );
}

/** Throws a sentence where the stack's cluster isn't there and its archive may be: what looks at a running stack finds nothing there. */
export async function refuseGone(subject: Subject, stack: Stack): Promise<void> {
  const { kubectl, settings, live } = subject;
  if ((settings.backup?.targets.length ?? 0) === 0) return;
  if ((await liveOf(kubectl, plannedCluster(subject).object)) !== undefined) return;
  const resources = await stack.resources();
  const archiveId = archiveIdIn(resources);
  const made = resources.some(({ inputs }) => inputs && live.shape(inputs) !== undefined);
  if (archiveId === undefined || !made) return;
  const namespace = await kubectl.get("namespace", settings.cluster.namespace, settings.cluster.namespace);
  throw new UserError([goneSentence(settings, archiveId, namespace !== undefined)]);
}

/** Whether the stack's archive has, or may have, anything that can be restored, as the watcher sees it; false also where that says nothing. */
export async function mayHaveArchived(subject: Subject): Promise<boolean> {
  const seen = await readStatus(subject).catch(() => undefined);
  if (seen === undefined) return false;
  return seen.some((one) => one.kind !== "answers" || one.base !== undefined || one.wal !== undefined);
}
