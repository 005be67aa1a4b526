import { originArchive } from "../plan/backup/restore";
import { type Overlay, type StackFile } from "./pulumi";
import { UNNAMED } from "./source";
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

/**
 * The options as the setting `restore`, over what the stack file says; the file's own where no option is given. An archive that nobody has named yet is asked for
 * by a name that none has: the refusal lists those that are there.
 */
export function restoreOverlay(wanted: Wanted, { config = {} }: Pick<StackFile, "config">): Overlay {
  const { target, archiveId, from, ...to } = wanted;
  const given = Object.fromEntries(Object.entries(to).filter(([, value]) => value !== undefined));
  const file = config["pgplatform:restore"] as Record<string, unknown> | undefined;
  const { targets } = (config["pgplatform:backup"] ?? {}) as { targets?: { name?: unknown }[] };
  const first = Array.isArray(targets) ? targets[0]?.name : undefined;
  const asked = Object.keys(given).length > 0 || (target ?? archiveId ?? from) !== undefined;
  if (!asked && (file !== undefined || first === undefined)) return {};
  const { serverName, path, ...rest } = file ?? {};
  // An archive that another program made is named in the file alone.
  const foreign = serverName !== undefined && archiveId === undefined;
  const source = {
    target: file?.target ?? first,
    ...(foreign
      ? { serverName, ...(path !== undefined && { path }) }
      : { archiveId: file?.archiveId ?? UNNAMED }),
  };
  return {
    "pgplatform:restore": {
      ...rest,
      ...source,
      ...(target && { target }),
      ...(archiveId && { archiveId }),
      ...(from && { from }),
      ...(Object.keys(given).length > 0 ? { to: given } : archiveId && { to: {} }),
    },
  };
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
