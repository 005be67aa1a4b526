import { setTimeout as delay } from "node:timers/promises";
import { planners } from "../plan/engines/select";
import type { KubernetesObject } from "../plan/objects";
import type { Kubectl } from "./kubectl";
import type { StateResource } from "./pulumi";

/**
 * A deleted object whose finalizer is the operator's stays when the operator is deleted before it has seen that its cluster is gone: the namespace then never
 * goes. Without its cluster there is nothing left that the finalizer could do, and the operator itself only takes it off.
 */
export interface Held {
  /** As kubectl names the kind. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly finalizer: string;
  /** The kind and the name of its cluster. */
  readonly cluster: readonly [kind: string, name: string];
}

const EVERY_MS = 5_000;
/** How long the operator has for it. */
const OPERATOR_MS = 20_000;

/** Objects of a stack that their operator must let go of. */
export function heldIn(resources: readonly Pick<StateResource, "type" | "inputs">[]): Held[] {
  const kinds = Object.values(planners).flatMap(({ finalized }) => finalized ?? []);
  return resources.flatMap(({ type, inputs }): Held[] => {
    const found = kinds.find((one) => one.type === type);
    if (found === undefined || inputs === undefined) return [];
    const { kind, clusters, finalizer } = found;
    const { metadata, spec } = inputs as KubernetesObject & { spec?: { cluster?: { name?: string } } };
    const cluster = spec?.cluster?.name;
    if (metadata.namespace === undefined || cluster === undefined) return [];
    const { name, namespace } = metadata;
    return [{ kind, namespace, name, finalizer, cluster: [clusters, cluster] }];
  });
}

/** Takes the finalizer off what has been deleted since `patience` and has no cluster any more; says of what. */
export async function letGo(
  kubectl: Pick<Kubectl, "get" | "run">,
  held: readonly Held[],
  now: number,
  patience = OPERATOR_MS,
): Promise<string[]> {
  const freed: string[] = [];
  for (const { kind, namespace, name, finalizer, cluster } of held) {
    const found = await kubectl.get(kind, namespace, name);
    const { deletionTimestamp, finalizers = [] } = (found?.metadata ?? {}) as {
      deletionTimestamp?: string;
      finalizers?: string[];
    };
    if (deletionTimestamp === undefined || !finalizers.includes(finalizer)) continue;
    if (now - Date.parse(deletionTimestamp) < patience) continue;
    if ((await kubectl.get(cluster[0], namespace, cluster[1])) !== undefined) continue;
    const patch = JSON.stringify({ metadata: { finalizers: finalizers.filter((one) => one !== finalizer) } });
    await kubectl.run(["-n", namespace, "patch", kind, name, "--type=merge", "-p", patch]);
    freed.push(`${kind} ${namespace}/${name}`);
  }
  return freed;
}

/** Does `work`, which deletes a stack, and lets go of what its operator no longer can. */
export async function lettingGo<T>(
  kubectl: Pick<Kubectl, "get" | "run">,
  held: readonly Held[],
  say: (line: string) => void,
  work: () => Promise<T>,
  everyMs = EVERY_MS,
): Promise<T> {
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await delay(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      // The kinds go with the operator, and a busy API server answers the next time.
      const freed = await letGo(kubectl, held, Date.now()).catch((): string[] => []);
      for (const one of freed)
        say(`${one}: its operator was gone before it let go of it; it is let go of here`);
    }
  };
  const looking = held.length === 0 ? Promise.resolve() : look();
  try {
    return await work();
  } finally {
    ended.abort();
    await looking;
  }
}
