import type { KubernetesObject, Variable } from "../../objects";
import type { Labels } from "../../network";
import type { ServiceFields } from "../../opening";
import type { PodAntiAffinity, Spreading, SpreadTerm } from "../../pooler/spread";
import type { Resources } from "../reader";
import { apiVersion, storeApiVersion } from "./names";

/**
 * CloudNativePG's objects: the fields that are written or read here, once for planner and readers. Everything may be missing, since readers see
 * objects of other makers too; what a planner writes must be listed.
 */

type Texts = Readonly<Record<string, string>>;
type Names = readonly { readonly name: string }[];

export interface Storage {
  size?: string;
  storageClass?: string;
  /** A claim; the fields beside it win. */
  pvcTemplate?: { readonly storageClassName?: string };
  resizeInUseVolumes?: boolean;
}

/** Barman's configuration, the same in the plugin's object and in the Cluster. */
export interface BarmanStore {
  readonly destinationPath?: string;
  readonly endpointURL?: string;
  readonly endpointCA?: { readonly name: string; readonly key: string };
  readonly serverName?: string;
  /** Fields that name a key of a Secret, and others. */
  readonly s3Credentials?: object;
  readonly azureCredentials?: object;
  readonly googleCredentials?: object;
  readonly wal?: {
    readonly encryption?: string;
    readonly compression?: string;
    readonly maxParallel?: number;
  };
  readonly data?: {
    readonly encryption?: string;
    readonly compression?: string;
    readonly immediateCheckpoint?: boolean;
  };
}

export interface Plugin {
  name?: string;
  enabled?: boolean;
  isWALArchiver?: boolean;
  parameters?: Texts;
}

/** A role that the operator keeps as described. */
export interface ManagedRole {
  readonly name: string;
  readonly ensure?: "present" | "absent";
  readonly login?: boolean;
  readonly connectionLimit?: number;
  readonly inRoles?: readonly string[];
  readonly createdb?: boolean;
  readonly createrole?: boolean;
  readonly superuser?: boolean;
  readonly replication?: boolean;
  readonly passwordSecret?: { readonly name: string };
  readonly disablePassword?: boolean;
}

export interface ServiceTemplate {
  metadata?: { name?: string; annotations?: Texts };
  spec?: ServiceFields;
}

export interface Recovery {
  readonly source?: string;
  readonly database?: string | undefined;
  readonly owner?: string;
  readonly secret?: { readonly name: string };
  readonly recoveryTarget?: { targetTime?: string; targetLSN?: string; targetName?: string };
}

export interface InitDb {
  readonly database?: string | undefined;
  readonly owner?: string;
  readonly secret?: { readonly name: string };
  readonly dataChecksums?: boolean;
  readonly encoding?: string;
  readonly localeProvider?: string;
  readonly builtinLocale?: string | undefined;
  readonly icuLocale?: string | undefined;
  readonly localeCollate?: string;
  readonly localeCType?: string;
  readonly postInitSQL?: readonly string[];
  readonly postInitApplicationSQL?: readonly string[];
}

interface ExternalCluster {
  readonly name: string;
  readonly plugin?: Plugin;
}

export interface Synchronous {
  readonly method?: "any" | "first";
  readonly number?: number;
  readonly dataDurability?: "required" | "preferred";
  readonly failoverQuorum?: boolean;
}

export interface Probe {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** How a Cluster begins. */
export interface Beginning {
  bootstrap?: {
    initdb?: InitDb;
    recovery?: Recovery;
    pg_basebackup?: Pick<Recovery, "database" | "owner" | "secret">;
  };
  externalClusters?: readonly ExternalCluster[];
}

export interface ClusterSpec extends Beginning {
  instances?: number;
  imageName?: string;
  imagePullPolicy?: string;
  imageCatalogRef?: object;
  imagePullSecrets?: Names;
  inheritedMetadata?: { labels?: Texts };
  serviceAccountTemplate?: { metadata: { annotations?: Texts } };
  enableSuperuserAccess?: boolean;
  enablePDB?: boolean;
  primaryUpdateStrategy?: "unsupervised" | "supervised";
  primaryUpdateMethod?: "switchover" | "restart";
  smartShutdownTimeout?: number;
  stopDelay?: number;
  switchoverDelay?: number;
  primaryLease?: {
    readonly leaseDurationSeconds: number;
    readonly renewDeadlineSeconds: number;
    readonly retryPeriodSeconds: number;
  };
  probes?: {
    /** No limit of failures here: the operator derives it from `startDelay`, an hour. */
    readonly startup: Omit<Probe, "failureThreshold">;
    readonly readiness: Probe;
    readonly liveness: Probe & {
      readonly isolationCheck: {
        readonly enabled: true;
        readonly requestTimeout: number;
        readonly connectionTimeout: number;
      };
    };
  };
  affinity?: {
    enablePodAntiAffinity?: boolean;
    podAntiAffinityType?: string;
    topologyKey?: string;
    /** Beside what the operator makes of the fields above. */
    additionalPodAntiAffinity?: PodAntiAffinity;
    nodeSelector?: Texts;
    tolerations?: readonly object[];
  };
  priorityClassName?: string;
  replicationSlots?: { highAvailability: { enabled: true; synchronizeLogicalDecoding: true } };
  topologySpreadConstraints?: readonly (SpreadTerm & {
    maxSkew?: number;
    whenUnsatisfiable?: string;
  })[];
  resources?: Partial<Resources>;
  storage?: Storage;
  walStorage?: Storage;
  tablespaces?: readonly { readonly storage?: Storage }[];
  certificates?: {
    serverAltDNSNames?: readonly string[];
    serverTLSSecret?: string;
    serverCASecret?: string;
  };
  plugins?: readonly Plugin[];
  monitoring?: {
    disableDefaultQueries?: boolean;
    customQueriesConfigMap?: readonly { readonly name: string; readonly key: string }[];
  };
  managed?: {
    roles?: readonly ManagedRole[];
    services?: { additional?: readonly { serviceTemplate?: ServiceTemplate }[] };
  };
  postgresql?: {
    parameters?: Texts;
    shared_preload_libraries?: readonly string[];
    pg_hba?: readonly string[];
    synchronous?: Synchronous;
    extensions?: readonly { readonly image?: { readonly reference?: string } }[];
  };
  /** Whether, and of what, it is a replica; read only. */
  replica?: { readonly enabled?: boolean; readonly source?: string; self?: string; primary?: string };
  /** The archiver of before the plugin. */
  backup?: { barmanObjectStore?: BarmanStore; retentionPolicy?: string };
  env?: readonly Variable[];
}

export interface Cluster extends KubernetesObject {
  spec?: ClusterSpec;
  status?: {
    phase?: string;
    phaseReason?: string;
    readyInstances?: number;
    image?: string;
    currentPrimary?: string;
    pgDataImageInfo?: { majorVersion?: number };
    conditions?: { type: string; status: string; message?: string }[];
    managedRolesStatus?: { cannotReconcile?: Record<string, string[]> };
  };
}

interface DatabasePart {
  name: string;
  applied?: boolean;
  message?: string;
}

export interface DatabaseSpec {
  cluster?: { name: string };
  name?: string;
  owner?: string;
  databaseReclaimPolicy?: "retain" | "delete";
  connectionLimit?: number;
  template?: string;
  encoding?: string;
  locale?: string;
  localeProvider?: string;
  icuLocale?: string | undefined;
  builtinLocale?: string | undefined;
  schemas?: readonly { name: string; ensure?: string; owner?: string }[];
  extensions?: readonly {
    name: string;
    ensure?: string;
    schema?: string | undefined;
    version?: string | undefined;
  }[];
}

export interface Database extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { generation?: number };
  spec?: DatabaseSpec;
  status?: {
    applied?: boolean;
    message?: string;
    observedGeneration?: number;
    schemas?: DatabasePart[];
    extensions?: DatabasePart[];
  };
}

export interface ObjectStore extends KubernetesObject {
  spec?: {
    configuration?: BarmanStore;
    retentionPolicy?: string;
    instanceSidecarConfiguration?: { env?: readonly Variable[]; resources?: Partial<Resources> };
  };
}

/** What is backed up, and how. */
export interface Backed {
  cluster?: { name?: string };
  method?: string;
  pluginConfiguration?: Plugin;
  target?: string;
}

export interface ScheduledBackup extends KubernetesObject {
  spec?: Backed & {
    schedule?: string;
    suspend?: boolean;
    immediate?: boolean;
    backupOwnerReference?: string;
  };
}

export interface Backup extends KubernetesObject {
  spec?: Backed;
  status?: { phase?: string; error?: string };
}

/** The operator's own pooler, which the platform makes none of. */
export interface Pooler extends KubernetesObject {
  spec?: {
    cluster?: { name?: string };
    instances?: number;
    type?: string;
    template?: {
      metadata?: { labels?: Labels };
      spec?: Spreading & { containers?: readonly { readonly name?: string }[] };
    };
    pgbouncer?: { parameters?: Record<string, string>; pg_hba?: readonly string[] };
    serviceTemplate?: ServiceTemplate;
  };
}

const is =
  <T extends KubernetesObject>(kind: string, version = apiVersion) =>
  (object: KubernetesObject): object is T =>
    object.apiVersion === version && object.kind === kind;

export const isCluster = is<Cluster>("Cluster");
export const isDatabase = is<Database>("Database");
export const isScheduledBackup = is<ScheduledBackup>("ScheduledBackup");
export const isBackup = is<Backup>("Backup");
export const isPooler = is<Pooler>("Pooler");
export const isObjectStore = is<ObjectStore>("ObjectStore", storeApiVersion);
