import { flowAnnotation } from "./networkPolicies";
import { clusterLabel, kubeletFlow } from "./names";
import { type Flow, isToApiServer } from "./network";
import type { KubernetesObject, PlannedObject } from "./objects";

/**
 * What Cilium needs beside network policies: to it, what runs on a node is an entity and in no range of addresses. So the flows to the API server
 * to the nodes' kubelets and to a DNS on the nodes are opened by entity, from the same pods and on the same ports.
 */

const entitiesOf = (flow: Flow): readonly string[] => {
  const { name, to } = flow;
  if (to.kind !== "addresses") return [];
  if (isToApiServer(flow)) return ["kube-apiserver"];
  if (name === kubeletFlow) return ["host", "remote-node"];
  return name.startsWith("dns-") ? ["host"] : [];
};

export function ciliumPolicies(cluster: string, namespace: string, flows: readonly Flow[]): PlannedObject[] {
  const opened = flows.flatMap((flow) => {
    const entities = entitiesOf(flow);
    return entities.length > 0 && flow.from.kind === "pods" ? [{ flow, entities, from: flow.from }] : [];
  });
  const subjects = new Map(opened.map(({ from }) => [from.name, from]));
  return [...subjects.values()].map((subject) => {
    const own = opened.filter(({ from }) => from.name === subject.name);
    return {
      id: `cilium-${subject.name}`,
      stage: 0,
      object: {
        apiVersion: "cilium.io/v2",
        kind: "CiliumNetworkPolicy",
        metadata: {
          name: `${cluster}-${subject.name}`,
          namespace,
          labels: { [clusterLabel]: cluster },
          annotations: Object.fromEntries(own.map(({ flow }) => [flowAnnotation(flow.name), flow.why])),
        },
        spec: {
          endpointSelector: { matchLabels: subject.labels },
          egress: own.map(({ flow, entities }) => ({
            toEntities: entities,
            toPorts: [{ ports: [{ port: String(flow.port), protocol: flow.protocol }] }],
          })),
        },
      } satisfies KubernetesObject,
    };
  });
}
