import type { VolumeShape } from "../live";
import type { Resources } from "../reader";
import type { KubernetesObject } from "../../objects";
import { serverAnnotation } from "./names";

/** What a StatefulSet of this engine says of its server: its configuration is in other objects. */
export interface Server {
  /** Major version of PostgreSQL. */
  readonly version: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly hostBasedAccess: readonly string[];
  readonly data: VolumeShape;
  /** The write-ahead log's own volume. */
  readonly log?: VolumeShape;
  /** What it was restored from when it was made. */
  readonly restored?: unknown;
}

interface Container {
  name?: string;
  image?: string;
  env?: readonly { readonly name: string; readonly value?: string }[];
  resources?: Partial<Resources>;
}

/** The fields of a StatefulSet that are read here. */
export interface StatefulSet extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { generation?: number };
  spec?: {
    replicas?: number;
    template?: {
      metadata?: { labels?: Record<string, string> };
      spec?: { containers?: Container[]; initContainers?: Container[] };
    };
  };
  status?: {
    observedGeneration?: number;
    readyReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
}

/** StatefulSets of other makers aren't this engine's: only the annotation tells. */
export const isServer = (object: KubernetesObject): object is StatefulSet =>
  object.apiVersion === "apps/v1" &&
  object.kind === "StatefulSet" &&
  object.metadata.annotations?.[serverAnnotation] !== undefined;

export const serverOf = ({ metadata }: KubernetesObject): Server =>
  JSON.parse(metadata.annotations?.[serverAnnotation] ?? "{}") as Server;

export const serverContainer = ({ spec }: StatefulSet) =>
  spec?.template?.spec?.containers?.find(({ name }) => name === "postgres");
