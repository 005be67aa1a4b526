import type { Facts } from "../../plan/engines/reader";
import { durabilityAnnotation } from "../../plan/names";
import type { Problem } from "../../settings/problem";
import type { Settings } from "../../settings/schema";
import { together } from "../notKnown";
import type { ClusterInvariant } from "./invariant";

/** What the annotation may say. */
const durabilities: readonly Settings["cluster"]["durability"][] = ["zero-loss", "balanced", "async"];

/** Whether a cluster claims that no acknowledged commit is ever lost. */
export const claimsZeroLoss = ({ durability }: Pick<Facts, "durability">): boolean =>
  durability === "zero-loss";

function unknownClaim({ durability }: Pick<Facts, "durability">): Problem[] {
  return durability === undefined || durabilities.some((one) => one === durability)
    ? []
    : [
        {
          path: durabilityAnnotation,
          value: durability,
          allowed: durabilities.join(", "),
          fix: "correct it: with another word it claims nothing",
        },
      ];
}

/** A cluster that claims zero loss must block writes without a standby, and elect by quorum. */
export function zeroLoss(
  facts: Pick<Facts, "durability" | "synchronous">,
  { everyCluster }: { everyCluster: boolean },
): Problem[] {
  if (!everyCluster && !claimsZeroLoss(facts)) return [];
  const { synchronous } = facts;
  const problems: Problem[] = [];
  if (!synchronous.blocks || synchronous.number < 1)
    problems.push({
      path: "synchronous replication",
      value: synchronous.number < 1 ? "none" : "preferred",
      allowed: "required, with at least one standby, where no acknowledged commit may be lost",
      fix: "make it required, or don't claim zero loss",
    });
  if (!synchronous.quorum)
    problems.push({
      path: "quorum failover",
      value: false,
      allowed:
        "on where no acknowledged commit may be lost, since a standby without the commit could be elected",
      fix: "switch it on, or don't claim zero loss",
    });
  return problems;
}

export const zeroLossInvariant: ClusterInvariant = {
  number: "4",
  name: "zero-loss-claim",
  description:
    "A cluster that claims zero-loss (annotation pgplatform.io/durability) blocks writes without a standby and elects by quorum.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "CloudNativePG: set `spec.postgresql.synchronous` to `{ method: any, number: 1, dataDurability: required, failoverQuorum: true }`. " +
    "Or remove the annotation.",
  options: {
    everyCluster: {
      type: "boolean",
      default: false,
      description: "Hold every cluster to it, annotated or not.",
    },
  },
  on: "cluster",
  check: (facts, { everyCluster }) =>
    together(
      () => unknownClaim(facts),
      () => zeroLoss(facts, { everyCluster: everyCluster === true }),
    ),
};
