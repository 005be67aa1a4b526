import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** One instance: a drain either waits for ever (budget) or stops the database (none). */
export const drainWarning = ({
  instances,
  disruptionBudget,
}: Pick<Facts, "instances" | "disruptionBudget">): Problem[] =>
  instances === 1
    ? [
        {
          path: "instances",
          value: instances,
          allowed: disruptionBudget
            ? "2 or more where nodes are drained: a drain waits for ever for the single instance's budget"
            : "2 or more where nodes are drained: a drain stops the database until its pod runs elsewhere",
          fix: "add a standby, or plan the downtime",
        },
      ]
    : [];

export const drainWarningInvariant: ClusterInvariant = {
  number: "8b",
  name: "single-instance-drain",
  description: "Says what a drain does to a single instance.",
  severity: "low",
  mandatory: "nowhere",
  remediation: "Add a standby, or plan a downtime for each drain of its node.",
  on: "cluster",
  check: drainWarning,
};
