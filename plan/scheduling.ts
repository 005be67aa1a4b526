import { topologyKeys } from "./names";
import type { Labels } from "./network";
import type { SchedulingSettings } from "../settings/schema/scheduling";

/** Where pods go: what the settings say, in the words of Kubernetes. */

/** Tolerations as Kubernetes writes them out; an operator that is left out follows from the value. */
export const tolerationsOf = ({ tolerations }: SchedulingSettings): object[] =>
  tolerations.map((one) => ({
    ...one,
    operator: one.operator ?? (one.value === undefined ? "Exists" : "Equal"),
  }));

/** The fields of a pod; none where nothing is asked for. */
export const podScheduling = (scheduling: SchedulingSettings) => ({
  ...(Object.keys(scheduling.nodeSelector).length > 0 && { nodeSelector: scheduling.nodeSelector }),
  ...(scheduling.tolerations.length > 0 && { tolerations: tolerationsOf(scheduling) }),
  ...(scheduling.priorityClassName !== undefined && { priorityClassName: scheduling.priorityClassName }),
});

/** How pods of one kind are spread: over zones as well as possible, and as the settings say. */
export function topologySpread(
  { topologySpread: own }: SchedulingSettings,
  selector: { readonly matchLabels: Labels },
  more: object = {},
) {
  const constraint = (topologyKey: string, maxSkew: number, whenUnsatisfiable: string) => ({
    maxSkew,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: selector,
    ...more,
  });
  return [
    ...(own.some(({ topologyKey }) => topologyKey === topologyKeys.zone)
      ? []
      : [constraint(topologyKeys.zone, 1, "ScheduleAnyway")]),
    ...own.map((one) => constraint(one.topologyKey, one.maxSkew, one.whenUnsatisfiable)),
  ];
}
