import type { Labels } from "../plan/network";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import { isEmpty, selects, type Selector } from "./kubernetes";

/** What network policies let through, as the Kubernetes API defines it: a union of what each one opens. */

export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface Opening {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly {
    readonly port?: number | string;
    readonly endPort?: number;
    readonly protocol?: string;
  }[];
}

export interface NetworkPolicy extends KubernetesObject {
  spec?: {
    readonly podSelector?: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly Opening[];
    readonly egress?: readonly Opening[];
  };
}

export interface Pod {
  readonly namespace: string;
  readonly labels: Labels;
}

export const networkPoliciesOf = (objects: readonly KubernetesObject[], namespace: string): NetworkPolicy[] =>
  objects.filter(
    (object): object is NetworkPolicy =>
      object.kind === "NetworkPolicy" &&
      object.apiVersion.startsWith("networking.k8s.io/") &&
      namespaceOf(object) === namespace,
  );

/** Directions that a policy closes for the pods that it selects. */
const closes = ({ spec }: NetworkPolicy, direction: "Ingress" | "Egress"): boolean =>
  spec?.policyTypes === undefined
    ? direction === "Ingress" || spec?.egress !== undefined
    : spec.policyTypes.includes(direction);

/** Whether a policy closes every pod of its namespace in both directions and opens nothing. */
export const deniesAll = (policy: NetworkPolicy): boolean =>
  isEmpty(policy.spec?.podSelector ?? {}) &&
  closes(policy, "Ingress") &&
  closes(policy, "Egress") &&
  (policy.spec?.ingress ?? []).length === 0 &&
  (policy.spec?.egress ?? []).length === 0;

function reaches(peer: Peer, pod: Pod, home: string): boolean {
  if (peer.ipBlock !== undefined) return false;
  if (peer.namespaceSelector === undefined)
    return pod.namespace === home && selects(peer.podSelector ?? {}, pod.labels);
  // Kubernetes puts this label on every namespace; others aren't known here.
  const namespace = { "kubernetes.io/metadata.name": pod.namespace };
  return selects(peer.namespaceSelector, namespace) && selects(peer.podSelector ?? {}, pod.labels);
}

/** Whether `policies`, those of the namespace of `pod`, let it exchange packets with `other` on the port. */
export function passes(
  policies: readonly NetworkPolicy[],
  direction: "ingress" | "egress",
  pod: Pod,
  other: Pod,
  port: number,
): boolean {
  const peers = direction === "ingress" ? "from" : "to";
  return policies
    .filter(({ spec }) => selects(spec?.podSelector ?? {}, pod.labels))
    .flatMap(({ spec }) => spec?.[direction] ?? [])
    .some(
      (opening) =>
        (opening[peers] === undefined ||
          opening[peers].length === 0 ||
          opening[peers].some((peer) => reaches(peer, other, pod.namespace))) &&
        (opening.ports === undefined ||
          opening.ports.length === 0 ||
          opening.ports.some(
            (one) =>
              one.port === undefined ||
              (typeof one.port === "number" && one.port <= port && port <= (one.endPort ?? one.port)),
          )),
    );
}
