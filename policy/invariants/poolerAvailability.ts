import type { Problem } from "../../settings/problem";
import { budgeted } from "../kubernetes";
import { each, together } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

export const poolerAvailabilityInvariant: StackInvariant = {
  number: "9",
  name: "pooler-availability",
  description: "A pooler has at least two pods on different nodes, and a disruption budget of its own.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Give the pooler two pods (`pgplatform:poolers[].instances`, `spec.replicas`, `spec.instances`), anti-affinity on " +
    "kubernetes.io/hostname, and a PodDisruptionBudget that selects its pods: operators make none.",
  options: { least: { type: "integer", minimum: 1, default: 2, description: "Least number of pods." } },
  on: "stack",
  check: ({ objects, poolers }, { least }): Problem[] =>
    each(poolers, (pooler) => {
      const at = displayName(pooler.kind, pooler);
      return together(
        () =>
          pooler.pods.least < Number(least)
            ? [
                {
                  path: `${at}: pods`,
                  value: pooler.pods.least,
                  allowed: `at least ${Number(least)}`,
                  fix: `set ${Number(least)}`,
                },
              ]
            : [],
        () =>
          pooler.hostSpread
            ? []
            : [
                {
                  path: `${at}: spread over kubernetes.io/hostname`,
                  value: "none",
                  allowed:
                    "anti-affinity or a topology spread constraint that selects its pods, so that a lost node takes one pod",
                  fix: "add one",
                },
              ],
        () =>
          budgeted(objects, {
            namespace: pooler.namespace,
            labels: pooler.podLabels,
            count: pooler.pods.least,
          })
            ? []
            : [
                {
                  path: `${at}: disruption budget`,
                  value: "none",
                  allowed: "a PodDisruptionBudget that selects its pods and keeps one",
                  fix: "add one to the stack",
                },
              ],
      );
    }),
};
