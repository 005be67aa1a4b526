import type { Amounts } from "../../settings/schema";
import type { Labels } from "../network";
import type { NamedService } from "../services";
import type { KubernetesObject } from "../objects";

/** A cluster's object leaves a field to its operator's configuration, another object: the fact is there where all objects are given. */
export class Deferred extends Error {
  constructor(readonly field: string) {
    super(`${field} is decided by the configuration of the operator`);
  }
}

/** What rendered objects of an engine claim. Each function gives undefined for objects that aren't what it reads. */
export interface EngineReader {
  /** The database cluster that an object describes; without the stack's objects some facts are `Deferred`. */
  facts(object: KubernetesObject, objects?: readonly KubernetesObject[]): Facts | undefined;
  /** The store that an object describes. */
  storeFacts(object: KubernetesObject, objects?: readonly KubernetesObject[]): StoreFacts | undefined;
  /** The schedule of base backups that an object is. */
  baseBackupFacts(
    object: KubernetesObject,
    objects?: readonly KubernetesObject[],
  ): BaseBackupFacts | undefined;
  /** Poolers of this engine's own kind; the platform's poolers are read by plan/pooler. */
  poolerFacts(object: KubernetesObject, objects?: readonly KubernetesObject[]): readonly PoolerFacts[];
}

/**
 * What a rendered cluster object claims; checks and policies read this and nothing of the engine's own form. A field is
 * read from the object when it is asked for, since at a preview another one may be unknown.
 */
export interface Facts {
  readonly name: string;
  readonly namespace: string;
  readonly instances: number;
  readonly synchronous: { readonly number: number; readonly blocks: boolean; readonly quorum: boolean };
  /** What the object says that an acknowledged commit is worth, as it is written. @default - it says nothing */
  readonly durability: string | undefined;
  /** Undefined where nothing in the stack says it. */
  readonly disruptionBudget: boolean | undefined;
  readonly requiredHostSpread: boolean | undefined;
  /** Undefined where the object has no way to say it. */
  readonly zoneSpread: boolean | undefined;
  /** Whether the primary stays one while the store of its leases is away. @default - the engine has no such mode, or nothing says it */
  readonly failsafe?: boolean | undefined;
  /** Of which cluster it is a replica, by the name that the object gives it. @default - it is no replica */
  readonly follows?: string | undefined;
  readonly dataChecksums: boolean;
  /** The strictest Pod Security that its pods fulfil. */
  readonly podSecurity: "baseline" | "restricted";
  /** Storage classes that the object itself names. */
  readonly storageClasses: readonly string[];
  readonly superuserAccess: boolean;
  /** Roles that the object makes superusers. */
  readonly superusers: readonly string[];
  /**
   * Rules of pg_hba.conf in the order in which they are tried: the object's own, then what the engine puts behind them. Reading one may throw.
   * Undefined where nothing in the stack says them.
   */
  readonly hostBasedAccess: readonly string[] | undefined;
  readonly passwordEncryption: string;
  readonly lowestTls: string;
  /** Empty when the operator or a catalog of images decides. */
  readonly image: string;
  /** Whether a catalog of images decides, which names them with their digests. */
  readonly imageFromCatalog: boolean;
  /** Images that the object names beside the server's. @default - none */
  readonly furtherImages?: readonly Image[];
  readonly resources: Resources;
  /** As PostgreSQL writes it, such as `128MB`. */
  readonly sharedBuffers: string;
  readonly maxConnections: number;
  /** A server parameter that the object sets, as PostgreSQL writes it. */
  readonly parameter: (name: string) => string | undefined;
  /** Where roles get their passwords from: role, and the Secret's name. */
  readonly passwords?: readonly { readonly role: string; readonly secret: string }[];
  /** Seconds after which a WAL segment is archived though it isn't full; 0 is never. */
  readonly archiveTimeoutSeconds: number;
  /** How WAL is archived. @default - the object doesn't say, and nothing is judged */
  readonly archive?: ArchiveFacts;
  /** Size of the WAL volume as a Kubernetes quantity. @default - WAL is on the data volume */
  readonly walVolume?: string | undefined;
  /** For how long the object says that the store may be out while so much is written, as it is written. @default - it says nothing */
  readonly claimsOutage?:
    { readonly writeMiBPerSecond: string | undefined; readonly hours: string | undefined } | undefined;
  /** Services that are open beyond the Kubernetes cluster, which the engine makes for the database cluster. */
  readonly loadBalancers: readonly LoadBalancer[];
  /** Names of the Services by which clients reach the primary, the standbys, and any instance. */
  readonly services: { readonly primary: string; readonly standbys: string; readonly any: string };
  /** What a network policy must let through. */
  readonly network: {
    readonly pods: Labels;
    /** What reads the instances' status, and adds instances that copy the data. @default - there is no operator */
    readonly operator?: { readonly namespace: string; readonly labels: Labels; readonly statusPort: number };
    readonly ports: { readonly postgres: number; readonly metrics: number };
  };
}

/** What a cluster object says of its archive. Read lazily, as all facts. */
export interface ArchiveFacts {
  /** How many archivers it names that send WAL off: 0 is no archive, and more than one can't be. */
  readonly archivers: number;
  /** The archive volume that has the WAL too. @default - none */
  readonly volume?: string;
  /** The object in the same namespace that says where WAL goes. @default - nothing is archived */
  readonly store: { readonly kind: string; readonly name: string } | undefined;
  /** Under what name the cluster's backups lie in the store. */
  readonly archiveId: string;
  /** A way to archive that the engine gives up, and what to use in its place. */
  readonly outdated: { readonly way: string; readonly instead: string } | undefined;
}

/** A place in an object store, as a rendered object names it. */
export interface StoreFacts {
  /** The object. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** `s3://<bucket>/<prefix>` */
  readonly destination: string;
  /** @default - AWS */
  readonly endpoint: string | undefined;
  /** Secrets that its keys are in. @default - none that the object names */
  readonly secrets?: readonly string[];
  /** Whether checksums that stores beside AWS don't know are left out in both directions. */
  readonly plainChecksums: boolean;
  /** Encryption that the store is asked for with each object. @default - none: what the bucket does by itself */
  readonly encryption: string | undefined;
  /** How many days back can be restored. @default - nothing is deleted */
  readonly retentionDays: number | undefined;
}

/** A schedule of base backups. */
export interface BaseBackupFacts {
  /** The object. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Name of the cluster, in the same namespace. */
  readonly cluster: string;
  readonly suspended: boolean;
  /** As the object has it. */
  readonly schedule: string;
  /** Most days from one base backup to the next; undefined where the schedule isn't one to the engine. */
  readonly days: number | undefined;
  /** How the engine wants a schedule, as a message writes it after "Allowed:". */
  readonly form: string;
  /** Whether it says how base backups are made, in place of a default that changes. */
  readonly explicitMethod: boolean;
  /** Another store than the archive's, by its name. @default - the archive's */
  readonly store: string | undefined;
}

/** Resources of a container; a part that is left out is missing. */
export interface Resources {
  readonly requests: Partial<Amounts>;
  readonly limits: Partial<Amounts>;
}

/** An image, and the field that names it. */
export interface Image {
  readonly path: string;
  readonly image: string;
}

/** A Service that is open beyond the Kubernetes cluster. */
export interface LoadBalancer {
  readonly service: string;
  /** @default - LoadBalancer */
  readonly type?: "LoadBalancer" | "NodePort" | "ClusterIP";
  /** The Service's annotations, which may keep it inside the provider's network. */
  readonly annotations?: Labels;
  /** Ranges of addresses that may use it; none is every address. */
  readonly sourceRanges: readonly string[];
  /** Addresses of its own, which nodes take for it. @default - none */
  readonly externalIPs?: readonly string[];
}

/** What a rendered PgBouncer claims, of the platform's or not. Read lazily, as the facts of clusters. */
export interface PoolerFacts {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Least and most pods: different where an autoscaler decides. */
  readonly pods: { readonly least: number; readonly most: number };
  readonly podLabels: Labels;
  /** Whether two pods are kept on different nodes, at least by preference. */
  readonly hostSpread: boolean;
  /** How clients prove who they are, and whether they must use TLS. @default - nothing in the stack says it */
  readonly logins?: {
    readonly type: string | undefined;
    readonly hostBasedAccess: readonly string[];
    readonly tls: string | undefined;
  };
  /** A container that its operator makes without resources, since the object doesn't list it. @default - none */
  readonly bareContainer?: string | undefined;
  /** @default - it makes none */
  readonly loadBalancers?: readonly LoadBalancer[];
  readonly pools: readonly Pool[];
}

/** One database of a PgBouncer: how many server connections each pod may open for it, and the Service that it connects to. */
export interface Pool extends NamedService {
  readonly database: string;
  /** For each role, with those in reserve. */
  readonly perRole: number;
  /** For all roles together. @default - no limit */
  readonly inAll?: number;
}
