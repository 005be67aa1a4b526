import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Two instances on one node, or all in one zone, are lost together. */
export function spread(
  facts: Pick<Facts, "instances" | "requiredHostSpread" | "zoneSpread">,
  { zones }: { zones: number },
): Problem[] {
  if (facts.instances < 2) return [];
  const problems: Problem[] = [];
  if (facts.requiredHostSpread === false)
    problems.push({
      path: "anti-affinity on kubernetes.io/hostname",
      value: "not required",
      allowed: "required, so that a lost node takes one instance",
      fix: "require it",
    });
  if (zones > 1 && facts.zoneSpread === false)
    problems.push({
      path: "spread over topology.kubernetes.io/zone",
      value: "none",
      allowed: `a topology spread constraint with ${zones} zones that selects the instances, so that a lost zone leaves a majority`,
      fix: "add one, or set the option zones to 1 where the cluster has one zone",
    });
  return problems;
}

export const spreadInvariant: ClusterInvariant = {
  number: "6",
  name: "instances-apart",
  description: "Instances run on different nodes, and in different zones where there are several.",
  severity: "high",
  mandatory: "prod",
  remediation:
    "CloudNativePG: `spec.affinity` with `podAntiAffinityType: required` and `topologyKey: kubernetes.io/hostname`, and a " +
    "`spec.topologySpreadConstraints` entry on topology.kubernetes.io/zone. Zalando: `enable_pod_antiaffinity: true` in the operator's " +
    "configuration. A StatefulSet: both in its pod's specification.",
  options: {
    zones: {
      type: "integer",
      minimum: 1,
      default: 2,
      description: "Zones that the Kubernetes cluster has; with 1 no spread over zones is asked for.",
    },
  },
  on: "cluster",
  check: (facts, { zones }) => spread(facts, { zones: Number(zones) }),
};
