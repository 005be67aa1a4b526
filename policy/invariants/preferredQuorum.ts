import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { type ClusterInvariant, fieldsOf } from "./invariant";

/** With two instances and `preferred`, the quorum could elect a standby that acknowledged commits have not reached. */
export const preferredQuorum = ({
  instances,
  synchronous,
}: Pick<Facts, "instances" | "synchronous">): Problem[] =>
  instances === 2 && synchronous.quorum && !synchronous.blocks
    ? [
        {
          path: "quorum failover",
          value: true,
          allowed:
            "off with two instances whose writes continue without a standby, since the standby could be elected without acknowledged commits",
          fix: "switch it off, or have three instances and required synchronous replication",
        },
      ]
    : [];

export const preferredQuorumInvariant: ClusterInvariant = {
  number: "5",
  name: "no-preferred-quorum",
  description: "Two instances with preferred synchronous replication don't elect by quorum.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Set `spec.postgresql.synchronous.failoverQuorum` to false, or have three instances and `dataDurability: required`.",
  on: "cluster",
  check: preferredQuorum,
  remedy(props) {
    const synchronous = fieldsOf(props, "spec", "postgresql", "synchronous");
    if (props.kind !== "Cluster" || synchronous?.dataDurability !== "preferred") return false;
    if (synchronous.failoverQuorum !== true || fieldsOf(props, "spec")?.instances !== 2) return false;
    synchronous.failoverQuorum = false;
    return true;
  },
};
