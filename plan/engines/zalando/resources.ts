import type { KubernetesObject } from "../../objects";
import type { Resources } from "../reader";
import { apiVersion } from "./names";

/**
 * The operator's objects: the fields that are written or read here, once for planner and readers. Everything may be missing, since readers see
 * objects of other makers too; what a planner writes must be listed.
 */

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

export interface PostgresqlSpec {
  teamId?: string;
  numberOfInstances?: number;
  dockerImage?: string;
  spiloRunAsUser?: number;
  spiloRunAsGroup?: number;
  spiloFSGroup?: number;
  postgresql?: { version?: string; parameters?: Record<string, string> };
  patroni?: {
    ttl?: number;
    loop_wait?: number;
    retry_timeout?: number;
    maximum_lag_on_failover?: number;
    failsafe_mode?: boolean;
    synchronous_mode?: boolean;
    synchronous_mode_strict?: boolean;
    synchronous_node_count?: number;
    initdb?: Record<string, string>;
    pg_hba?: string[];
  };
  volume?: { size?: string; storageClass?: string };
  resources?: Partial<Resources>;
  tls?: { secretName?: string };
  env?: readonly Variable[];
  additionalVolumes?: readonly object[];
  sidecars?: readonly object[];
  users?: Record<string, string[]>;
  enableMasterLoadBalancer?: boolean;
  enableReplicaLoadBalancer?: boolean;
  allowedSourceRanges?: string[];
}

/** A database cluster. */
export interface Postgresql extends KubernetesObject {
  spec?: PostgresqlSpec;
  status?: { PostgresClusterStatus?: string };
}

export const isPostgresql = (object: KubernetesObject): object is Postgresql =>
  object.apiVersion === apiVersion && object.kind === "postgresql";
