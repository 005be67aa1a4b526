import { isRecord } from "../settings/record";

/** A Kubernetes object as plain data. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

interface KeyReference {
  readonly name?: string;
  readonly key?: string;
}

/** A variable of a container. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly [source: string]: unknown;
  };
}

/** Kubernetes' own default counts where an object names no namespace. */
export const namespaceOf = ({ metadata }: KubernetesObject): string => metadata.namespace ?? "default";

/** An object and how it is registered. */
export interface PlannedObject<T extends KubernetesObject = KubernetesObject> {
  /** Suffix of the resource's name; unique within its plan. */
  readonly id: string;
  readonly object: T;
  /** Objects of a stage wait for all objects of the stages before. */
  readonly stage: number;
  /** Wait for this condition of the live object, as the Kubernetes provider writes it. @default - the provider's own rules for the kind */
  readonly waitFor?: string;
  /** How long creating or updating may take. @default - the provider's, 10 minutes */
  readonly timeoutMinutes?: number;
  /** How long creating alone may take. @default - as long as updating */
  readonly createMinutes?: number;
  /** Object of an earlier stage that takes this one along when it is deleted, so that it isn't deleted by itself. */
  readonly goesWith?: string;
  /** Fields that another controller keeps once the object is there, and which one. */
  readonly leave?: { readonly fields: readonly string[]; readonly to: string };
  /** Set when the object must survive the stack, with the reason. */
  readonly retain?: string;
}

/** What a caller may lay over a planned object: merged into it, lists replaced as a whole. */
export type Overlay = { readonly [field: string]: unknown };

/** `base` with `overlay` merged into it; neither is changed. */
export function merge<T>(base: T, overlay: Overlay | undefined): T {
  if (overlay === undefined) return base;
  const merged: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(overlay))
    merged[key] = isRecord(value) && isRecord(merged[key]) ? merge(merged[key], value) : value;
  return merged as T;
}

/** The objects with further labels; their own win. */
export const withLabels = (
  planned: readonly PlannedObject[],
  labels: Readonly<Record<string, string>>,
): PlannedObject[] =>
  planned.map((one) => {
    const { metadata } = one.object;
    const all = { ...labels, ...metadata.labels };
    return Object.keys(all).length === 0
      ? one
      : { ...one, object: { ...one.object, metadata: { ...metadata, labels: all } } };
  });
