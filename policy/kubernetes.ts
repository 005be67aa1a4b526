import type { LoadBalancer, Resources } from "../plan/engines/reader";
import { allOf, anyOf, joined, mapped } from "./notKnown";
import type { Labels } from "../plan/network";
import { type KubernetesObject, namespaceOf } from "../plan/objects";

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
  spec?: {
    readonly type?: string;
    readonly selector?: Labels;
    readonly loadBalancerSourceRanges?: string[];
    readonly loadBalancerClass?: string;
    readonly externalIPs?: readonly string[];
    readonly ports?: readonly {
      readonly port?: number;
      readonly targetPort?: number | string;
      readonly name?: string;
    }[];
  };
}

export const isService = (object: KubernetesObject): object is Service =>
  object.kind === "Service" && object.apiVersion === "v1";

/** How a Service is open beyond the Kubernetes cluster. */
export function openingOf({ metadata, spec }: Service): LoadBalancer | undefined {
  const type = spec?.type;
  if (type !== "LoadBalancer" && type !== "NodePort") return undefined;
  return {
    service: metadata.name,
    type,
    sourceRanges: spec?.loadBalancerSourceRanges ?? [],
    annotations: {
      ...metadata.annotations,
      ...(spec?.loadBalancerClass !== undefined && { loadBalancerClass: spec.loadBalancerClass }),
    },
  };
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Whether a selector takes the labels; one without conditions takes everything. */
export function selects(selector: Selector, labels: Labels): boolean {
  const matching = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    matching &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

export const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: Selector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

interface DisruptionBudget extends KubernetesObject {
  spec?: { selector?: Selector };
}

/** Whether a disruption budget of the namespace covers the pods. */
export const budgeted = (
  objects: readonly KubernetesObject[],
  pods: { namespace: string; labels: Labels },
): boolean =>
  anyOf(
    objects,
    (object) =>
      object.kind === "PodDisruptionBudget" &&
      allOf(
        () => namespaceOf(object) === pods.namespace,
        () => selects((object as DisruptionBudget).spec?.selector ?? {}, pods.labels),
      ),
  );
