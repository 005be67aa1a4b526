import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { type ClusterInvariant, fieldsOf } from "./invariant";

/** Without a budget a drain may take every instance at once. */
export const disruptionBudget = ({
  instances,
  disruptionBudget,
}: Pick<Facts, "instances" | "disruptionBudget">): Problem[] =>
  instances >= 2 && disruptionBudget === false
    ? [
        {
          path: "disruption budget",
          value: false,
          allowed: `on with ${instances} instances, so that a drain takes one at a time`,
          fix: "switch it on",
        },
      ]
    : [];

export const disruptionBudgetInvariant: ClusterInvariant = {
  number: "8a",
  name: "disruption-budget",
  description: "A cluster with standbys has a disruption budget.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Remove `spec.enablePDB: false`; to drain the node of a single instance, switch it off for that time only.",
  on: "cluster",
  check: disruptionBudget,
  remedy(props) {
    const spec = fieldsOf(props, "spec");
    if (props.kind !== "Cluster" || spec?.enablePDB !== false) return false;
    delete spec.enablePDB;
    return true;
  },
};
