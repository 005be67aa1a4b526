import { backupNames, longestCronJobName } from "../plan/backup/names";
import { storeNamespace } from "../plan/backup/storeNames";
import { poolerPeersName } from "../plan/names";
import type { Rule } from "./rule";

export const names: Rule = ({ cluster, poolers, backup }, report, engine) => {
  if (cluster.name.length > engine.longestClusterName)
    report(
      "cluster.name",
      cluster.name,
      `at most ${engine.longestClusterName} characters with the engine ${engine.name}`,
      "shorten it",
    );
  const job = backupNames.verification(cluster.name, 0);
  if ((backup?.targets.length ?? 0) > 0 && job.length > longestCronJobName)
    report(
      "cluster.name",
      cluster.name,
      `short enough for the CronJob's name ${job}, which has ${job.length} of at most ${longestCronJobName} characters`,
      "shorten it",
    );
  const stores = storeNamespace(cluster);
  if (backup?.targets.some(({ kind }) => kind === "local") === true && stores.length > 63)
    report(
      "cluster.namespace",
      cluster.namespace,
      `short enough for the stores' namespace ${stores}, which has ${stores.length} of at most 63 characters`,
      "shorten it",
    );
  poolers.forEach((pooler, index) => {
    const name = poolerPeersName(cluster.name, pooler.name);
    if (name.length > 63)
      report(
        `poolers[${index}].name`,
        pooler.name,
        `short enough for the Service's name ${name}, which has ${name.length} of at most 63 characters`,
        "shorten it or cluster.name",
      );
  });
};
