/** The parts of a pod's specification that keep pods apart. */
export interface Spreading {
  readonly affinity?: {
    readonly podAntiAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly { readonly topologyKey?: string }[];
      readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
        readonly podAffinityTerm?: { readonly topologyKey?: string };
      }[];
    };
  };
  readonly topologySpreadConstraints?: readonly { readonly topologyKey?: string }[];
}

const host = "kubernetes.io/hostname";

/** Whether pods keep off each other's nodes, at least by preference. */
export function spreadsOverHosts(pod: Spreading | undefined): boolean {
  const anti = pod?.affinity?.podAntiAffinity;
  const keys = [
    ...(anti?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(({ topologyKey }) => topologyKey),
    ...(anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm?.topologyKey,
    ),
    ...(pod?.topologySpreadConstraints ?? []).map(({ topologyKey }) => topologyKey),
  ];
  return keys.includes(host);
}
