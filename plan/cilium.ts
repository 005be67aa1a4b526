import { flowAnnotation } from "./networkPolicies";
import { clusterLabel } from "./names";
import type { Flow } from "./network";
import type { KubernetesObject, PlannedObject } from "./objects";

/**
 * What Cilium needs beside network policies: to it, what runs on a node is an entity and in no range of addresses. So the flows to the API server
 * and to a DNS on the nodes are opened by entity, from the same pods and on the same ports.
 */

const entityOf = ({ name, to }: Flow): string | undefined => {
  if (to.kind !== "addresses") return undefined;
  return name.startsWith("api-server-") ? "kube-apiserver" : name.startsWith("dns-") ? "host" : undefined;
};

export function ciliumPolicies(cluster: string, namespace: string, flows: readonly Flow[]): PlannedObject[] {
  const opened = flows.flatMap((flow) => {
    const entity = entityOf(flow);
    return entity !== undefined && flow.from.kind === "pods" ? [{ flow, entity, from: flow.from }] : [];
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
          egress: own.map(({ flow, entity }) => ({
            toEntities: [entity],
            toPorts: [{ ports: [{ port: String(flow.port), protocol: flow.protocol }] }],
          })),
        },
      } satisfies KubernetesObject,
    };
  });
}
