import type { Resources } from "../reader";
import type { KubernetesObject } from "../../objects";
import { apiVersion } from "./names";

/** The fields of a cluster object that are read here. */
export interface Postgresql extends KubernetesObject {
  spec?: {
    numberOfInstances?: number;
    dockerImage?: string;
    env?: readonly { readonly name: string; readonly value?: string }[];
    resources?: Partial<Resources>;
    users?: Record<string, string[]>;
    enableMasterLoadBalancer?: boolean;
    enableReplicaLoadBalancer?: boolean;
    allowedSourceRanges?: string[];
    postgresql?: { parameters?: Record<string, string> };
    patroni?: {
      synchronous_mode?: boolean;
      synchronous_mode_strict?: boolean;
      synchronous_node_count?: number;
      initdb?: Record<string, string>;
      pg_hba?: string[];
    };
  };
}

export const isPostgresql = (object: KubernetesObject): object is Postgresql =>
  object.apiVersion === apiVersion && object.kind === "postgresql";
