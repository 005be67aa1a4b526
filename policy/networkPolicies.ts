import type { Labels } from "../plan/network";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import { isEmpty, selects, type Selector } from "./kubernetes";
import { allOf, anyOf } from "./notKnown";

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

export const isNetworkPolicy = (object: KubernetesObject): object is NetworkPolicy =>
  object.kind === "NetworkPolicy" && object.apiVersion.startsWith("networking.k8s.io/");

/** Directions that a policy closes for the pods that it selects. */
const closes = ({ spec }: NetworkPolicy, direction: "Ingress" | "Egress"): boolean =>
  spec?.policyTypes === undefined
    ? direction === "Ingress" || spec?.egress !== undefined
    : spec.policyTypes.includes(direction);

/** Whether some policy closes every pod of a namespace in a direction; what it opens is judged by itself. */
export const closesAll = (
  policies: readonly NetworkPolicy[],
  namespace: string,
  direction: "Ingress" | "Egress",
): boolean =>
  anyOf(policies, (policy) =>
    allOf(
      () => namespaceOf(policy) === namespace,
      () => isEmpty(policy.spec?.podSelector ?? {}),
      () => closes(policy, direction),
    ),
  );

/** Kubernetes puts this label on every namespace; others aren't known here. */
const nameLabel = (namespace: string): Labels => ({ "kubernetes.io/metadata.name": namespace });

/** Whether a peer takes a pod; `home` is the namespace of the policy. */
export function reaches(peer: Peer, pod: Pod, home: string): boolean {
  if (peer.ipBlock !== undefined) return false;
  if (peer.namespaceSelector === undefined)
    return pod.namespace === home && selects(peer.podSelector ?? {}, pod.labels);
  return (
    selects(peer.namespaceSelector, nameLabel(pod.namespace)) && selects(peer.podSelector ?? {}, pod.labels)
  );
}

/** Whether a peer takes some pods of the namespace, whichever. */
export const reachesSome = ({ ipBlock, namespaceSelector }: Peer, namespace: string): boolean =>
  ipBlock === undefined &&
  namespaceSelector !== undefined &&
  selects(namespaceSelector, nameLabel(namespace));

/** Whether an opening has the port; what a name of a port stands for isn't known here. */
const hasPort = ({ ports }: Opening, port: number): boolean =>
  ports === undefined ||
  ports.length === 0 ||
  ports.some(
    (one) =>
      one.port === undefined ||
      !/^\d+$/.test(String(one.port)) ||
      (Number(one.port) <= port && port <= (one.endPort ?? Number(one.port))),
  );

/** Whether policies let packets pass between a pod and a peer that is right. */
export function opens(
  policies: readonly NetworkPolicy[],
  {
    direction,
    pod,
    ports,
    isRight,
  }: {
    readonly direction: "ingress" | "egress";
    readonly pod: Pod;
    readonly ports: readonly number[];
    readonly isRight: (peer: Peer) => boolean;
  },
): boolean {
  const peers = direction === "ingress" ? "from" : "to";
  return anyOf(policies, (policy) =>
    allOf(
      () => namespaceOf(policy) === pod.namespace,
      () => selects(policy.spec?.podSelector ?? {}, pod.labels),
      () =>
        anyOf(policy.spec?.[direction] ?? [], (opening) =>
          allOf(
            () => ports.some((port) => hasPort(opening, port)),
            () => {
              const listed = opening[peers] ?? [];
              return listed.length === 0 || anyOf(listed, isRight);
            },
          ),
        ),
    ),
  );
}
