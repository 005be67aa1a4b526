import type { KubernetesObject } from "../objects";

/** What the one on call is told of an engine's live cluster, and may ask of it. */
export interface OnCall {
  /** Where an instance's container has its volumes. */
  readonly volumes: Readonly<Partial<Record<VolumeUse, string>>>;
  /** Secrets with certificates, as far as the cluster's object names them: by what each is for. */
  certificates(object: KubernetesObject): readonly CertificatePlace[];
  /** What someone has asked of the cluster that keeps it from working as usual. */
  holds(object: KubernetesObject): readonly Hold[];
  /** Where changes of the primary are written down, beside PostgreSQL's own timelines. @default - nowhere */
  readonly changes?: ChangeReader;
}

export type VolumeUse = "data" | "wal" | "archive";

export interface CertificatePlace {
  readonly what: string;
  readonly secret: string;
  readonly key: string;
}

/** Fenced instances, a cluster that is hibernated, an operator that is told to keep its hands off. */
export interface Hold {
  readonly what: string;
  /** The command that ends it, behind `pgp`. @default - there is none */
  readonly end?: string;
}

/** A change of the primary, by what something has written down. */
export interface Change {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly why: string;
  /** Who leads since then. @default - it isn't said */
  readonly primary?: string;
  /** @default - it isn't said */
  readonly timeline?: number;
}

export interface ChangeReader {
  /** The objects that say it: those of a kind that a field selects, or one by its name. */
  of(cluster: string): {
    readonly kind: string;
    readonly name?: string;
    readonly fieldSelector?: string;
  };
  read(objects: readonly KubernetesObject[]): Change[];
}
