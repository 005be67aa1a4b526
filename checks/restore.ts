import { millisecondsAt } from "../settings/moment";
import { isLostWithCluster } from "../plan/backup/targets";
import type { Rule } from "./rule";

export const restore: Rule = ({ backup, cluster, restore }, report) => {
  if (restore === undefined) return;
  const targets = (backup?.targets ?? []).map(({ name }) => name);
  if (!targets.includes(restore.target))
    report(
      "restore.target",
      restore.target,
      `one of the backup targets (${targets.join(", ") || "there are none"})`,
      "name one of them, or add the target to backup.targets",
    );
  const local = backup?.targets.some((target) => target.name === restore.target && isLostWithCluster(target));
  if (local === true && restore.from !== undefined && !restore.from.startsWith(`${cluster.namespace}/`))
    report(
      "restore.from",
      restore.from,
      `a cluster of the namespace ${cluster.namespace}, where the store ${restore.target} is`,
      "restore in that namespace, or from a bucket",
    );
  const { time } = restore.to;
  if (time !== undefined && millisecondsAt(time) > Date.now())
    report(
      "restore.to.time",
      time,
      "a moment that has passed: nothing was written after it yet",
      "correct it, or leave it out for the newest that was archived",
    );
  if ((restore.archiveId === undefined) === (restore.serverName === undefined))
    report(
      "restore",
      { target: restore.target, archiveId: restore.archiveId, serverName: restore.serverName },
      "one of archiveId and serverName",
      "name the archive that `make backups` lists by archiveId, or one that another program made by serverName",
    );
  if (restore.path !== undefined && restore.serverName === undefined)
    report(
      "restore.path",
      restore.path,
      "must not be set without serverName",
      "name an archive of this platform by `from`, the namespace and name of its cluster",
    );
  if (restore.path !== undefined && restore.from !== undefined)
    report("restore.path", restore.path, "must not be set with from", "keep path");
  const given = Object.keys(restore.to);
  if (given.length > 1)
    report(
      "restore.to",
      restore.to,
      "one of time, lsn and name, or nothing for the newest that was archived",
      "keep one of them",
    );
};
