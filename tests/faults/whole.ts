import { type Environment } from "../e2e/kit/environment";
import { until } from "../e2e/kit/wait";

interface Deployment {
  metadata: { name: string };
  spec: { replicas: number };
  status?: { readyReplicas?: number; updatedReplicas?: number };
}

interface Node {
  metadata: { name: string };
  spec?: { unschedulable?: boolean };
  status?: { conditions?: { type: string; status: string }[] };
}

/** Undefined when all nodes and all Deployments, operator and poolers among them, are whole; else why not. */
async function brokenness({ kubectl }: Environment): Promise<string | undefined> {
  const { stdout } = await kubectl.run(["get", "nodes,deployments", "-A", "-o", "json"]);
  const { items } = JSON.parse(stdout) as { items: ((Node | Deployment) & { kind: string })[] };
  for (const item of items) {
    const { name } = item.metadata;
    if (item.kind === "Node") {
      const { spec, status } = item as Node;
      const ready = status?.conditions?.some((each) => each.type === "Ready" && each.status === "True");
      if (ready !== true) return `node ${name} is not ready`;
      if (spec?.unschedulable === true) return `node ${name} takes no pods`;
    } else {
      const { spec, status } = item as Deployment;
      const ready = status?.readyReplicas ?? 0;
      if (ready !== spec.replicas) return `${ready} of ${spec.replicas} pods of ${name} are ready`;
    }
  }
  return undefined;
}

/** Waits until everything that a fault may have broken is whole. */
export async function waitWhole(env: Environment, seconds = 300): Promise<void> {
  await until("nodes and Deployments whole", seconds, async () => {
    const why = await brokenness(env);
    return why === undefined ? { done: undefined } : { why };
  });
  await env.cluster.waitHealthy(seconds);
}
