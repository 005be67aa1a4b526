import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Where writes block without enough standbys, one standby must be able to be down. */
export const synchronousNumber = ({
  instances,
  synchronous,
}: Pick<Facts, "instances" | "synchronous">): Problem[] => {
  const most = instances - 2;
  if (!synchronous.blocks || instances === 1 || synchronous.number <= most) return [];
  return [
    {
      path: "synchronous standbys",
      value: synchronous.number,
      allowed: `at most ${most} with ${instances} instances, so that one standby may be down`,
      fix:
        most > 0
          ? `set ${most}, or more instances`
          : "have three instances, or let writes continue without a standby",
    },
  ];
};

export const synchronousNumberInvariant: ClusterInvariant = {
  number: "3",
  name: "synchronous-number",
  description: "Where writes wait for standbys, one standby may be down without stopping them.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Lower `pgplatform:cluster.synchronousStandbys` (`spec.postgresql.synchronous.number`) to at most the instances less two, or add instances.",
  on: "cluster",
  check: synchronousNumber,
};
