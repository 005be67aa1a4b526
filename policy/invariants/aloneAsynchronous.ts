import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Synchronous replication without a standby: every write would wait for ever. */
export const aloneAsynchronous = ({
  instances,
  synchronous,
}: Pick<Facts, "instances" | "synchronous">): Problem[] =>
  instances === 1 && synchronous.number > 0
    ? [
        {
          path: "synchronous standbys",
          value: synchronous.number,
          allowed: "none with one instance, since no standby could confirm a commit",
          fix: "replicate asynchronously, or have three instances",
        },
      ]
    : [];

export const aloneAsynchronousInvariant: ClusterInvariant = {
  number: "2",
  name: "no-synchronous-single-instance",
  description: "A single instance doesn't wait for standbys.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Set `pgplatform:cluster.durability` to async (remove `spec.postgresql.synchronous`), or have three instances.",
  on: "cluster",
  check: aloneAsynchronous,
};
