import { joined } from "../plan/lists";
import type { Resources } from "../plan/engines/reader";
import { allOf, anyOf, mapped } from "./notKnown";
import type { Labels } from "../plan/network";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import type { ServiceFields } from "../plan/opening";
import { selects, type Selector } from "../plan/selector";

export { selects, type Selector };

/** The one reader of what every engine shares: pods, Services, disruption budgets, network policies. */

export interface Container {
  /** Where it stands, such as `containers[0]`. */
  readonly path: string;
  readonly name?: string;
  readonly image?: string;
  readonly resources?: Partial<Resources>;
}

interface PodSpec {
  readonly containers?: readonly Omit<Container, "path">[];
  readonly initContainers?: readonly Omit<Container, "path">[];
}

interface WithPods {
  readonly template?: { readonly spec?: PodSpec };
  readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };
}

/** What stands behind a name in the place of a namespace that isn't known yet. */
export const unplaced = "(namespace not known yet)";

/** How messages name an object. */
export function titleOf(object: KubernetesObject): string {
  const { kind, metadata } = object;
  try {
    return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  } catch {
    return `${kind} ${metadata.name} ${unplaced}`;
  }
}

/** Containers of anything that makes pods: workloads, jobs, and custom resources with a pod template. */
export function containersOf(object: KubernetesObject): Container[] {
  const spec = object.spec as (WithPods & PodSpec) | undefined;
  if (spec === undefined) return [];
  const pod = object.kind === "Pod" ? spec : (spec.template?.spec ?? spec.jobTemplate?.spec?.template?.spec);
  // Joined without being read: one that isn't known yet throws when it is.
  const [first, second] = (["initContainers", "containers"] as const).map((list) =>
    mapped(pod?.[list] ?? [], (container, index) => ({
      path: `${list}[${index}]`,
      get name() {
        return container.name ?? "";
      },
      get image() {
        return container.image ?? "";
      },
      get resources() {
        return container.resources ?? {};
      },
    })),
  );
  return (second ?? []).length === 0 ? (first ?? []) : joined(first ?? [], second ?? []);
}

export interface Service extends KubernetesObject {
  spec?: ServiceFields & {
    readonly selector?: Labels;
    readonly ports?: readonly {
      readonly port?: number;
      readonly targetPort?: number | string;
      readonly name?: string;
    }[];
  };
}

export const isService = (object: KubernetesObject): object is Service =>
  object.kind === "Service" && object.apiVersion === "v1";

export const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: Selector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

interface DisruptionBudget extends KubernetesObject {
  spec?: {
    readonly selector?: Selector;
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
}

/** How many of so many pods: a number of them, or a share, of which a part of a pod is a whole one. */
const podsOf = (amount: number | string, count: number): number => {
  const share = /^(\d+)%$/.exec(String(amount))?.[1];
  return share === undefined ? Number(amount) : Math.ceil((count * Number(share)) / 100);
};

/** Whether a budget leaves one of the pods where it is. */
function keepsOne({ spec: { minAvailable, maxUnavailable } = {} }: DisruptionBudget, count: number): boolean {
  if (minAvailable !== undefined) return podsOf(minAvailable, count) > 0;
  return maxUnavailable !== undefined && podsOf(maxUnavailable, count) < count;
}

const isBudget = (object: KubernetesObject): object is DisruptionBudget =>
  object.kind === "PodDisruptionBudget";

/** Whether a disruption budget of the namespace covers the pods, of which there are two at least. */
export const budgeted = (
  objects: readonly KubernetesObject[],
  { namespace, labels, count }: { namespace: string; labels: Labels; count: number },
): boolean =>
  anyOf(
    objects,
    (object) =>
      isBudget(object) &&
      allOf(
        () => namespaceOf(object) === namespace,
        // Without a selector it is for no pod.
        () => object.spec?.selector !== undefined && selects(object.spec.selector, labels),
        () => keepsOne(object, Math.max(2, count)),
      ),
  );
