import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Fewer than three leave no standby to confirm commits while one is away. */
export const enoughInstances = (
  { instances, follows }: Pick<Facts, "instances" | "follows">,
  { least }: { least: number },
): Problem[] =>
  // A replica of another cluster is there for a disaster, and confirms nothing.
  instances >= least || follows !== undefined
    ? []
    : [{ path: "instances", value: instances, allowed: `at least ${least}`, fix: `set ${least}` }];

export const instancesInvariant: ClusterInvariant = {
  number: "1a",
  name: "enough-instances",
  description: "A cluster has enough instances to lose one and still confirm commits on a standby.",
  severity: "high",
  mandatory: "prod",
  remediation: "Raise the number of instances: `pgplatform:cluster.instances`, or `spec.instances`.",
  options: { least: { type: "integer", minimum: 1, default: 3, description: "Least number of instances." } },
  on: "cluster",
  check: (facts, { least }) => enoughInstances(facts, { least: Number(least) }),
};
