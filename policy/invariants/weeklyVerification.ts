import type { Problem } from "../../settings/problem";
import { verifications } from "../backups";
import { anyOf, each } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

export const weeklyVerificationInvariant: StackInvariant = {
  number: "33",
  name: "weekly-verification",
  description: "A backup of each archived cluster is restored at least weekly, to prove it.",
  severity: "high",
  mandatory: "prod",
  remediation:
    "Leave `pgplatform:backup.verify` on, with a schedule that fires at least weekly. Other programs: a CronJob in the cluster's namespace with the labels `pgplatform.io/cluster: <cluster>` and `pgplatform.io/role: verification`.",
  options: {
    most: {
      type: "integer",
      minimum: 1,
      default: 7,
      description: "Most days from one verification to the next.",
    },
  },
  on: "stack",
  check: ({ clusters, objects }, { most }): Problem[] =>
    each(clusters, (cluster) => {
      if ((cluster.archive?.archivers ?? 0) === 0) return [];
      const all = verifications(objects, cluster);
      if (anyOf(all, ({ days }) => days !== undefined && days <= Number(most))) return [];
      const [first] = all;
      return [
        {
          path: `${displayName("Cluster", cluster)}: verification of backups`,
          value: first?.schedule ?? "none",
          allowed: `one at least every ${Number(most)} days, since only a restore proves a backup`,
          fix: "schedule one",
        },
      ];
    }),
};
