import { topologyKeys } from "../names";
import type { Labels } from "../network";
import { type Selector, selects } from "../selector";

/** Which pods keep off each other's part of a topology; without a selector it is none. */
export interface SpreadTerm {
  readonly topologyKey?: string;
  readonly labelSelector?: Selector;
}

export interface PodAntiAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly SpreadTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly podAffinityTerm?: SpreadTerm;
  }[];
}

/** The parts of a pod's specification that keep pods apart. */
export interface Spreading {
  readonly affinity?: { readonly podAntiAffinity?: PodAntiAffinity };
  readonly topologySpreadConstraints?: readonly SpreadTerm[];
}

const { host, zone } = topologyKeys;
/** No two pods in a zone are no two on a node either. */
export const apart: readonly string[] = [host, zone];

/** Whether one of the terms is about pods of such labels, by one of the keys. */
export const spreadsBy = (
  keys: readonly string[],
  terms: readonly (SpreadTerm | undefined)[],
  labels: Labels,
): boolean =>
  terms.some(
    (term) =>
      keys.includes(term?.topologyKey ?? "") &&
      term?.labelSelector !== undefined &&
      selects(term.labelSelector, labels),
  );

/** Whether pods keep off each other's nodes, at least by preference. */
export function spreadsOverHosts(pod: Spreading | undefined, labels: Labels): boolean {
  const anti = pod?.affinity?.podAntiAffinity;
  const terms = [
    ...(anti?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => one.podAffinityTerm),
  ];
  return spreadsBy(apart, terms, labels) || spreadsBy([host], pod?.topologySpreadConstraints ?? [], labels);
}
