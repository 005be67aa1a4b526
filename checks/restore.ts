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
  if (time !== undefined && Date.parse(time) > Date.now())
    report(
      "restore.to.time",
      time,
      "a moment that has passed: nothing was written after it yet",
      "correct it, or leave it out for the newest that was archived",
    );
  const given = Object.keys(restore.to);
  if (given.length > 1)
    report(
      "restore.to",
      restore.to,
      "one of time, lsn and name, or nothing for the newest that was archived",
      "keep one of them",
    );
};
