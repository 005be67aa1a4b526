import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** What isn't archived yet is lost with the cluster. */
export function archiveTimeout(
  { archiveTimeoutSeconds }: Pick<Facts, "archiveTimeoutSeconds">,
  { rpoMinutes }: { rpoMinutes: number },
): Problem[] {
  const most = rpoMinutes * 60;
  return archiveTimeoutSeconds > 0 && archiveTimeoutSeconds <= most
    ? []
    : [
        {
          path: "archive_timeout",
          value: archiveTimeoutSeconds === 0 ? "never" : `${archiveTimeoutSeconds}s`,
          allowed: `at most ${most}s, the recovery point objective of ${rpoMinutes} minutes`,
          fix: `set ${most}s or less`,
        },
      ];
}

export const archiveTimeoutInvariant: ClusterInvariant = {
  number: "24",
  name: "archive-timeout",
  description: "WAL is archived at least as often as the recovery point objective asks.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Lower the server parameter archive_timeout: `pgplatform:cluster.parameters`, or `spec.postgresql.parameters`.",
  options: {
    rpoMinutes: {
      type: "integer",
      minimum: 1,
      default: 5,
      description: "Recovery point objective, in minutes: how much may be lost with the whole cluster.",
    },
  },
  on: "cluster",
  check: (facts, { rpoMinutes }) => archiveTimeout(facts, { rpoMinutes: Number(rpoMinutes) }),
};
