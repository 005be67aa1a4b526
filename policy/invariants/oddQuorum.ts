import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Where a quorum elects, an even number needs one more vote and tolerates no more losses. */
export const oddQuorum = ({ instances, synchronous }: Pick<Facts, "instances" | "synchronous">): Problem[] =>
  synchronous.quorum && instances > 2 && instances % 2 === 0
    ? [
        {
          path: "instances",
          value: instances,
          allowed: "an odd number with zero-loss, since one more instance adds nothing to an even quorum",
          fix: `set ${instances - 1} or ${instances + 1}`,
        },
      ]
    : [];

export const oddQuorumInvariant: ClusterInvariant = {
  number: "1b",
  name: "odd-quorum",
  description: "A cluster that fails over by quorum has an odd number of instances.",
  severity: "medium",
  mandatory: "everywhere",
  remediation: "Add or remove one instance: `pgplatform:cluster.instances`, or `spec.instances`.",
  on: "cluster",
  check: oddQuorum,
};
