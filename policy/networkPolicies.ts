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

/** Whether a policy closes a direction for the pods that it selects. Without types the API takes Egress only where a rule for it is there. */
function closes({ spec }: NetworkPolicy, direction: "Ingress" | "Egress"): boolean {
  const types = spec?.policyTypes ?? [];
  if (types.length > 0) return types.includes(direction);
  return direction === "Ingress" || (spec?.egress ?? []).length > 0;
}

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
const nameKey = "kubernetes.io/metadata.name";
const nameLabel = (namespace: string): Labels => ({ [nameKey]: namespace });

/** Whether a selector names nothing that it takes: what it asks for is that something isn't there, or what every namespace has. */
export const takesUnnamed = ({ matchLabels = {}, matchExpressions = [] }: Selector): boolean =>
  Object.keys(matchLabels).length === 0 &&
  matchExpressions.every(
    ({ key, operator }) =>
      ["NotIn", "DoesNotExist"].includes(operator) || (operator === "Exists" && key === nameKey),
  );

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
const hasPort = ({ ports }: Opening, port: number, protocol: string): boolean =>
  ports === undefined ||
  ports.length === 0 ||
  ports.some(
    (one) =>
      (one.protocol ?? "TCP") === protocol &&
      (one.port === undefined ||
        !/^\d+$/.test(String(one.port)) ||
        (Number(one.port) <= port && port <= (one.endPort ?? Number(one.port)))),
  );

/** How many ports an opening lists, ranges counted out; a port's name is one. */
export const portsIn = ({ ports = [] }: Opening): number =>
  ports
    .map(({ port, endPort }) => (endPort ?? Number(port)) - Number(port) + 1)
    .reduce((sum, count) => sum + (count || 1), 0);

/** Whether policies let packets pass between a pod and a peer that is right. */
export function opens(
  policies: readonly NetworkPolicy[],
  {
    direction,
    pod,
    ports,
    protocol = "TCP",
    isRight,
  }: {
    readonly direction: "ingress" | "egress";
    readonly pod: Pod;
    readonly ports: readonly number[];
    /** @default TCP */
    readonly protocol?: "TCP" | "UDP";
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
            () => ports.some((port) => hasPort(opening, port, protocol)),
            () => {
              const listed = opening[peers] ?? [];
              return listed.length === 0 || anyOf(listed, isRight);
            },
          ),
        ),
    ),
  );
}
