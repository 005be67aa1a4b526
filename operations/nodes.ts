import type { SchedulingSettings } from "../settings/schema/scheduling";
import type { Node, Taint } from "./liveFacts";

/** Which nodes take the pods of a scheduling, by the rules of Kubernetes' scheduler. */

const tolerated = (taint: Taint, { tolerations }: Pick<SchedulingSettings, "tolerations">): boolean =>
  tolerations.some(
    ({ key, value, effect }) =>
      (key === undefined || key === taint.key) &&
      (value === undefined || value === (taint.value ?? "")) &&
      (effect === undefined || effect === taint.effect),
  );

export const nodesFor = (nodes: readonly Node[], scheduling: SchedulingSettings): Node[] =>
  nodes.filter(
    ({ takesPods, taints, labels }) =>
      takesPods &&
      taints.every((taint) => tolerated(taint, scheduling)) &&
      Object.entries(scheduling.nodeSelector).every(([key, value]) => labels[key] === value),
  );
