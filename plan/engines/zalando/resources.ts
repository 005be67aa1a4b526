import type { KubernetesObject, Variable } from "../../objects";
import type { Resources } from "../reader";
import { apiVersion } from "./names";

/**
 * The operator's objects: the fields that are written or read here, once for planner and readers. Everything may be missing, since readers see
 * objects of other makers too; what a planner writes must be listed.
 */

interface PostgresqlSpec {
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
    slots?: Record<string, { type: "logical"; database: string; plugin: string }>;
  };
  volume?: { size?: string; storageClass?: string };
  resources?: Partial<Resources>;
  nodeAffinity?: object;
  tolerations?: readonly object[];
  podPriorityClassName?: string;
  tls?: { secretName?: string };
  env?: readonly Variable[];
  additionalVolumes?: readonly object[];
  sidecars?: readonly { readonly image?: string }[];
  initContainers?: readonly { readonly image?: string }[];
  users?: Record<string, string[]>;
  enableMasterLoadBalancer?: boolean;
  enableReplicaLoadBalancer?: boolean;
  /** Older names of these two, which count where neither is there. */
  useLoadBalancer?: boolean;
  replicaLoadBalancer?: boolean;
  allowedSourceRanges?: string[];
  serviceAnnotations?: Record<string, string>;
  masterServiceAnnotations?: Record<string, string>;
  replicaServiceAnnotations?: Record<string, string>;
  standby?: object;
  enableConnectionPooler?: boolean;
  enableReplicaConnectionPooler?: boolean;
  enableLogicalBackup?: boolean;
  enableMasterPoolerLoadBalancer?: boolean;
  enableReplicaPoolerLoadBalancer?: boolean;
  connectionPooler?: {
    numberOfInstances?: number;
    maxDBConnections?: number;
    mode?: string;
    dockerImage?: string;
  };
}

/** A database cluster. */
export interface Postgresql extends KubernetesObject {
  spec?: PostgresqlSpec;
  status?: { PostgresClusterStatus?: string };
}

export const isPostgresql = (object: KubernetesObject): object is Postgresql =>
  object.apiVersion === apiVersion && object.kind === "postgresql";

/** What differs from the operator's released configuration. Its fields hold for every cluster of the operator. */
export type OperatorConfiguration = {
  readonly docker_image: string;
  readonly resync_period: string;
  readonly enable_crd_registration: boolean;
  readonly kubernetes: {
    readonly watched_namespace: string;
    readonly enable_persistent_volume_claim_deletion: boolean;
    readonly enable_secrets_deletion: boolean;
    readonly enable_pod_antiaffinity: boolean;
    readonly pod_antiaffinity_preferred_during_scheduling: boolean;
    readonly enable_readiness_probe: boolean;
    readonly pod_management_policy: "ordered_ready" | "parallel";
    readonly pod_terminate_grace_period: string;
    readonly pod_service_account_name: string;
    readonly spilo_allow_privilege_escalation: boolean;
    readonly spilo_runasuser: number;
    readonly spilo_runasgroup: number;
    readonly spilo_fsgroup: number;
    readonly inherited_labels: readonly string[];
  };
  readonly major_version_upgrade: { readonly major_version_upgrade_mode: "off" };
  readonly timeouts: { readonly pod_deletion_wait_timeout: string; readonly pod_label_wait_timeout: string };
  readonly load_balancer: {
    readonly enable_master_load_balancer: boolean;
    readonly enable_replica_load_balancer: boolean;
  };
  readonly patroni: { readonly enable_patroni_failsafe_mode: boolean };
  readonly debug: { readonly debug_logging: boolean; readonly enable_database_access: boolean };
};
