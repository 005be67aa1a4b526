import type { KubernetesObject, PlannedObject } from "./objects";
import { anyAddress, type Flow, type Peer } from "./network";
import { clusterLabel } from "./names";

/** Annotation that gives the reason for a flow, with the flow's name behind it. */
export const flowAnnotation = (flow: string): string => `flow.pgplatform.io/${flow}`;

/** One or two: a block of addresses has one family. */
function peerSelectors(peer: Peer, namespace: string): Record<string, unknown>[] {
  if (peer.kind !== "addresses") return [podSelectorOf(peer, namespace)];
  const blocks = peer.cidr === anyAddress.v4 ? Object.values(anyAddress) : [peer.cidr];
  return blocks.map((cidr) => ({ ipBlock: { cidr } }));
}

function podSelectorOf(
  peer: Exclude<Peer, { kind: "addresses" }>,
  namespace: string,
): Record<string, unknown> {
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": peer.namespace } };
  if (peer.kind === "namespace") return { namespaceSelector };
  const podSelector = { matchLabels: peer.labels };
  return peer.namespace === namespace ? { podSelector } : { namespaceSelector, podSelector };
}

/**
 * One policy denies everything in the namespace; then there is one for each group of pods in it, which opens exactly the
 * flows that begin or end at them. Policies are unions, so that none can close anything or open more than its flows.
 */
export function networkPolicies(cluster: string, namespace: string, flows: readonly Flow[]): PlannedObject[] {
  const policy = (
    subject: string,
    annotations: Record<string, string>,
    spec: Record<string, unknown>,
  ): PlannedObject => ({
    id: subject,
    stage: 0,
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: {
        name: `${cluster}-${subject}`,
        namespace,
        labels: { [clusterLabel]: cluster },
        annotations,
      },
      spec,
    } satisfies KubernetesObject,
  });

  const subjects = new Map<string, Extract<Peer, { kind: "pods" }>>();
  for (const peer of flows.flatMap(({ from, to }) => [to, from]))
    if (peer.kind === "pods" && peer.namespace === namespace) subjects.set(peer.name, peer);

  const opened = [...subjects.values()].map((subject) => {
    const isSubject = (peer: Peer) => peer.kind === "pods" && peer.name === subject.name;
    const arriving = flows.filter(({ to }) => isSubject(to));
    const leaving = flows.filter(({ from }) => isSubject(from));
    const ports = ({ port, protocol }: Flow) => [{ port, protocol }];
    const reasons = [...arriving, ...leaving].map((flow) => [flowAnnotation(flow.name), flow.why]);
    return policy(subject.name, Object.fromEntries(reasons) as Record<string, string>, {
      podSelector: Object.keys(subject.labels).length > 0 ? { matchLabels: subject.labels } : {},
      policyTypes: [...(arriving.length > 0 ? ["Ingress"] : []), ...(leaving.length > 0 ? ["Egress"] : [])],
      ...(arriving.length > 0 && {
        ingress: arriving.map((flow) => ({ from: peerSelectors(flow.from, namespace), ports: ports(flow) })),
      }),
      ...(leaving.length > 0 && {
        egress: leaving.map((flow) => ({ to: peerSelectors(flow.to, namespace), ports: ports(flow) })),
      }),
    });
  });
  return [policy("deny-all", {}, { podSelector: {}, policyTypes: ["Ingress", "Egress"] }), ...opened];
}
