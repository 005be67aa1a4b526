import type { Problem } from "../../settings/problem";
import { allOf, anyOf, each, maybeIn, those } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

export const baseBackupsInvariant: StackInvariant = {
  number: "11b",
  name: "base-backups",
  description: "A cluster whose WAL is archived has a schedule of base backups that isn't suspended.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Add a schedule: without a base backup archived WAL restores nothing. CloudNativePG: a ScheduledBackup with `suspend: false`. " +
    "The engine standalone: a CronJob with the cluster's label and `pgplatform.io/role: base-backup`. A StatefulSet: the same, or a CronJob beside it that runs " +
    "pg_basebackup, WAL-G, pgBackRest or Barman, with the server's host where there are several.",
  on: "stack",
  check: ({ clusters, baseBackups }): Problem[] =>
    each(clusters, (cluster) => {
      if ((cluster.archive?.archivers ?? 0) === 0) return [];
      const own = those(maybeIn(baseBackups, cluster.namespace), (one) =>
        allOf(
          () => one.cluster === cluster.name,
          () => one.namespace === cluster.namespace,
        ),
      );
      if (anyOf(own, (one) => !one.suspended)) return [];
      return [
        {
          path: `${displayName("Cluster", cluster)}: base backups`,
          value: own.length > 0 ? "suspended" : "none",
          allowed: "a schedule, since archived WAL alone restores nothing",
          fix: "add one to the stack, or resume it",
        },
      ];
    }),
};
