import type { Compression, Images, Settings } from "../stacks/schema";
import type { Store } from "./backup/store";

/**
 * The seam between the platform and what runs PostgreSQL.
 *
 * An engine plans: settings in, plain data out. It uses no Pulumi and does no I/O, so that plans can be tested, compared
 * and checked without mocks, provider or cluster. Components register what a plan says, and never ask which engine it is.
 */
export interface Engine extends EngineTraits {
  /** Everything that one database cluster needs. */
  plan(settings: Settings): Plan;
  /** The engine's operator, out of its released manifest. @default - the engine has none */
  readonly operator?: (settings: Settings, released: readonly KubernetesObject[]) => OperatorPlan;
  /** What a rendered object of this engine claims, or undefined for objects that claim nothing. */
  facts(object: KubernetesObject): Facts | undefined;
  /** @default - the engine makes none */
  readonly backups?: Backups;
  /** What rendered objects claim of backups beside the cluster object. @default - nothing that policies could judge */
  readonly backupFacts?: BackupFacts;
  /** What a cluster object, planned or live, is made of; undefined for other objects. */
  shape(object: KubernetesObject): Shape | undefined;
  /** Versions of Kubernetes that the operator runs on, as ranges of semver: `runs` is refused outside, `tested` only told. */
  readonly kubernetes: { readonly runs: string; readonly tested: string };
  /** What a rendered pooler of this engine's own kind claims; the platform's poolers are read by components/pgbouncer. */
  poolerFacts(object: KubernetesObject): PoolerFacts | undefined;
  /** Whether a live object has got where it should be, and why not. */
  progress(object: KubernetesObject): Progress;
}

/** How an engine's backups are made and read. They lie in the layout of Barman's cloud tools, or of WAL-G. */
export interface Backups {
  /** How a base backup is asked for, beside the schedule's. */
  request(settings: Settings, name: string): BackupRequest;
  /** User and group that own the data, in the image of PostgreSQL. */
  readonly server: { readonly user: number; readonly group: number };
  /** The tool that archives are made by, and can be restored by alone. @default - Barman's cloud tools */
  readonly tool?: (settings: Settings) => ArchiveTool | undefined;
}

/** Another tool than Barman's. */
export interface ArchiveTool {
  /** How it is used stands in components/backup/scripts/<name>.sh. */
  readonly name: "walg";
  readonly image: string;
  /** How it is told of the archive in a store; `authority` is the file of the store's own, where it has one. */
  variables(store: Store, authority: string): readonly object[];
  /** Where the instances' image has PostgreSQL's programs, of which it has several versions. */
  readonly programs: string;
}

export type BackupRequest =
  | {
      /** An object that asks for one, when it is made. */
      readonly object: KubernetesObject;
      /** What takes it along when it is deleted. @default - nothing: it holds nothing that others wait for */
      readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string };
      /** What the live one has come to. */
      state(object: KubernetesObject): {
        readonly phase: "running" | "done" | "failed";
        readonly why: string;
      };
    }
  | {
      /** A command for the primary's pod that makes one, and ends badly when it can't. */
      readonly command: readonly [container: string, ...command: string[]];
    };

/** What an engine is like: enough to check settings for it, without planning anything. */
export interface EngineTraits {
  /** The name that `pgplatform:cluster.engine` selects. */
  readonly name: Settings["cluster"]["engine"];
  /** Major versions of PostgreSQL that it runs. */
  readonly postgresVersions: readonly Settings["cluster"]["postgresVersion"][];
  /** What the engine can do. A setting that needs something else is refused with the reason and the way out. */
  readonly can: Readonly<Record<Capability, Ability>>;
  /** Kind of the object that stands for a database cluster: to delete it is to lose the data. */
  readonly clusterKind: Pick<KubernetesObject, "apiVersion" | "kind">;
  readonly instancePods: InstancePods;
  /** The settings' images that its clusters and its operator run; those of the poolers are the platform's. */
  readonly images: readonly (keyof Images)[];
  /** Those that it runs beside them where the settings ask for backups. */
  readonly backupImages: readonly (keyof Images)[];
  /** How it can compress its log in a store, the default first, and the tool that decides. */
  readonly compression: { readonly methods: readonly [Compression, ...Compression[]]; readonly by: string };
  /** Longest name that a cluster of this engine may have. */
  readonly longestClusterName: number;
  /** Server parameters that users can't set, with the reason; a key that ends with `*` stands for a prefix. */
  readonly ownedParameters: Readonly<Record<string, string>>;
}

/** How the pods that hold an instance are found, and what each of them is at the moment. */
export interface InstancePods {
  /** Selects the instances of a cluster, and no other pod. */
  labels(cluster: string): Labels;
  /** The label by which an instance says what it is, and its value at the primary. @default - there is one instance */
  readonly role?: { readonly label: string; readonly primary: string };
}

/** Things that engines differ in. Add one when a setting depends on it, or a case of the test suites. */
export const capabilities = [
  "standbys",
  "quorumFailover",
  "walVolume",
  "archiveVolume",
  /** Makes base backups by the clock of any time zone. */
  "backupTimeZone",
  /** Restores to a place in the log and to a named point, not only to a moment. */
  "restoreToPlace",
  "zoneSpread",
  "severalDatabases",
  "podSecurityRestricted",
  /** An operator keeps the cluster as its object says: it rolls instances, and its absence is a fault of its own. */
  "operator",
  /** No superuser has a password, and none gets in over the network. */
  "passwordlessSuperuser",
] as const;
export type Capability = (typeof capabilities)[number];

/** `true`, or why not and what to do instead. */
export type Ability = true | { readonly because: string; readonly instead: string };

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

/** Kubernetes' own default counts where an object names no namespace. */
export const namespaceOf = ({ metadata }: KubernetesObject): string => metadata.namespace ?? "default";

/** An object and how it is registered. */
export interface PlannedObject {
  /** Suffix of the resource's name; unique within its plan. */
  readonly id: string;
  readonly object: KubernetesObject;
  /** Objects of a stage wait for all objects of the stages before. */
  readonly stage: number;
  /** Wait for this condition of the live object, as the Kubernetes provider spells it. @default - the provider's own rules for the kind */
  readonly waitFor?: string;
  /** How long creating or updating may take. @default - the provider's, 10 minutes */
  readonly timeoutMinutes?: number;
  /** Object of an earlier stage that takes this one along when it is deleted, so that nobody has to delete it alone. */
  readonly goesWith?: string;
  /** Fields that someone else keeps once the object is there, and who. */
  readonly leave?: { readonly fields: readonly string[]; readonly to: string };
  /** Set when the object must survive the stack, with the reason. */
  readonly retain?: string;
  /** Set when deleting the object must be refused, with the reason. */
  readonly protect?: string;
}

/** A password to generate and the Secret that it goes into. */
export interface Credential {
  /** What it is for; also the suffix of its resources' names. */
  readonly id: string;
  /** Name of the role that logs in with it. */
  readonly role: string;
  /** Role whose rights the login has. @default - its own */
  readonly actsAs?: string;
  /** Which of the role's passwords it is: each rotation counts one more. @default 1 */
  readonly generation?: number;
  /** Read by the engine and by nobody else; another credential with the same id is the one that applications read. */
  readonly internal?: true;
  readonly secretName: string;
  readonly type: "kubernetes.io/basic-auth" | "Opaque";
  readonly labels: Record<string, string>;
  /** Further keys; `{password:<id>}` stands for the password of the credential with that id, `{password:<id>.<n>}` for that of generation n. */
  readonly extraKeys: Record<string, string>;
  readonly why: string;
}

/** A Secret that holds passwords of several credentials; the keys of a mounted one come and go under a running pod. */
export interface PasswordFiles {
  readonly secretName: string;
  readonly labels: Record<string, string>;
  /** Texts in which `{password:<id>}` stands for the password of the credential with that id. */
  readonly keys: Record<string, string>;
  readonly why: string;
}

/** Pods that load mounted files when these change: once they have, the version stands in a file of a container. */
export interface LoadedFiles {
  readonly container: string;
  readonly file: string;
  readonly version: string;
}

/** Where something listens, as its clients name it. */
export interface Endpoint {
  /** Name of the Service, enough for pods of the same namespace. */
  readonly service: string;
  /** Name of the host from any namespace. */
  readonly host: string;
  readonly port: number;
}

/** One end of a flow. */
export type Peer =
  | {
      readonly kind: "pods";
      /** What these pods are called; the same name stands for the same pods in every flow. */
      readonly name: string;
      readonly namespace: string;
      /** No label at all means every pod of the namespace. */
      readonly labels: Record<string, string>;
    }
  | { readonly kind: "namespace"; readonly namespace: string }
  | { readonly kind: "addresses"; readonly cidr: string };

/** Traffic that must be possible. Ports are those of the containers, which is what network policies see. */
export interface Flow {
  readonly name: string;
  readonly from: Peer;
  readonly to: Peer;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly why: string;
}

export interface Plan {
  readonly objects: readonly PlannedObject[];
  readonly credentials: readonly Credential[];
  /** Passwords in one Secret, where the engine's own pods set them. @default - nobody needs them together */
  readonly passwords?: PasswordFiles;
  /** How to see that the pods have loaded the plan's files. @default - an operator sees to it */
  readonly loaded?: LoadedFiles;
  readonly endpoints: { readonly primary: Endpoint; readonly standbys: Endpoint; readonly any: Endpoint };
  readonly tls: {
    /** Who signs: the engine by itself, or the platform, which then makes both Secrets before anything of the cluster. */
    readonly issuer: "engine" | "platform";
    /** Names that the server's certificate carries; beside the engine's own where that signs. */
    readonly names: readonly string[];
    readonly authority: { readonly secretName: string; readonly key: string };
    readonly server: {
      readonly secretName: string;
      readonly certificateKey: string;
      readonly privateKeyKey: string;
    };
  };
  /** Every pod of the cluster, helper jobs included. */
  readonly pods: Peer;
  readonly ports: { readonly postgres: number; readonly metrics: number };
  /** How a pooler looks up the verifiers of the roles that log in through it. */
  readonly poolerLogin: { readonly role: string; readonly database: string; readonly query: string };
  readonly flows: readonly Flow[];
}

export interface OperatorPlan {
  readonly namespace: string;
  readonly podLabels: Record<string, string>;
  readonly objects: readonly PlannedObject[];
  /** Certificates by which parts of the operator know each other, in Secrets of its namespace. @default - it makes its own */
  readonly certificates?: readonly OperatorCertificate[];
}

/** A certificate whose users trust what stands in its Secret, and no other authority. */
export interface OperatorCertificate {
  /** Suffix of its resources' names. */
  readonly id: string;
  readonly use: "server" | "client";
  readonly names: readonly string[];
  readonly secretName: string;
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
  /** Whether the object says that an acknowledged commit is never lost. */
  readonly claimsZeroLoss: boolean;
  readonly disruptionBudget: boolean;
  readonly requiredHostSpread: boolean;
  /** Undefined where the object has no way to say it. */
  readonly zoneSpread: boolean | undefined;
  readonly dataChecksums: boolean;
  readonly superuserAccess: boolean;
  /** Rules of pg_hba.conf in the order in which they are tried: the object's own, then what the engine puts behind them. */
  readonly hostBasedAccess: readonly string[];
  readonly passwordEncryption: string;
  readonly lowestTls: string;
  /** Empty when the operator or a catalog of images decides. */
  readonly image: string;
  /** Whether a catalog of images decides, which names them with their digests. */
  readonly imageFromCatalog: boolean;
  readonly resources: Resources;
  /** As PostgreSQL writes it, such as `128MB`. */
  readonly sharedBuffers: string;
  readonly maxConnections: number;
  /** Seconds after which the log is archived though its segment isn't full; 0 is never. */
  readonly archiveTimeoutSeconds: number;
  /** How the log is archived. @default - the object doesn't say, and nothing is judged */
  readonly archive?: ArchiveFacts;
  /** Size of the log's own volume as a Kubernetes quantity. @default - it lies with the data */
  readonly logVolume?: string | undefined;
  /** For how long the object says that the store may be out while so much is written. @default - it says nothing */
  readonly claimsOutage?: { readonly writeMiBPerSecond: number; readonly hours: number } | undefined;
  /** Services of type LoadBalancer that the engine makes for the cluster. */
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
  /** How many archivers it names that send the log off: 0 is no archive, and more than one can't be. */
  readonly archivers: number;
  /** The volume of its own that has the log too. @default - none */
  readonly volume?: string;
  /** The object in the same namespace that says where the log goes. @default - nothing is archived */
  readonly store: { readonly kind: string; readonly name: string } | undefined;
  /** Under what name the cluster's backups lie in the store. */
  readonly generation: string;
  /** A way to archive that the engine gives up, and what to use in its place. */
  readonly outdated: { readonly way: string; readonly instead: string } | undefined;
}

/** Readers of rendered objects that say where backups go and when base backups are made. */
export interface BackupFacts {
  /** The store that an object describes; undefined for other objects. */
  store(object: KubernetesObject): StoreFacts | undefined;
  /** The schedule of base backups that an object is; undefined for other objects. */
  baseBackups(object: KubernetesObject): BaseBackupFacts | undefined;
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
  /** How the engine wants a schedule, to read on after "allowed is". */
  readonly form: string;
  /** Whether it says how base backups are made, in place of a default that changes. */
  readonly explicitMethod: boolean;
  /** Another store than the archive's, by its name. @default - the archive's */
  readonly store: string | undefined;
}

export type Labels = Readonly<Record<string, string>>;

/** Resources of a container; a part that is left out is missing. */
export interface Resources {
  readonly requests: { readonly cpu?: string; readonly memory?: string };
  readonly limits: { readonly cpu?: string; readonly memory?: string };
}

export interface LoadBalancer {
  readonly service: string;
  /** Ranges of addresses that may use it; none is everybody. */
  readonly sourceRanges: readonly string[];
}

/** What a rendered PgBouncer claims, whoever made it. Read lazily, as the facts of clusters. */
export interface PoolerFacts {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Least and most pods: different where an autoscaler decides. */
  readonly pods: { readonly least: number; readonly most: number };
  readonly podLabels: Labels;
  /** Whether two pods are kept on different nodes, at least by preference. */
  readonly hostSpread: boolean;
  readonly pools: readonly Pool[];
}

/** One database of a PgBouncer: how many server connections each pod may open for it. */
export interface Pool {
  readonly database: string;
  /** Name of the Service that it connects to. */
  readonly service: string;
  /** For each role. */
  readonly perRole: number;
  /** For all roles together. @default - no limit */
  readonly inAll?: number;
}

/** What an update compares between the live cluster and the plan. */
export interface Shape {
  readonly image: string;
  /** Major version of PostgreSQL: of the data where there is any, else of the image. */
  readonly major?: number;
  readonly instances: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** Further fields, by their names, that are part of the instances' pods: a change of one rolls them. */
  readonly pods: Readonly<Record<string, unknown>>;
  readonly data: VolumeShape;
  /** The write-ahead log's own volume. */
  readonly log?: VolumeShape;
  /** Whether the volumes of standbys that are taken away stay. @default - they go with them */
  readonly keepsVolumes?: boolean;
  /** What it was restored from when it was made. @default - it began empty */
  readonly restored?: unknown;
  /** Whether one of its pods waits in vain for an image; only a live cluster's can. */
  readonly imageFails?: boolean;
  /** Name of the primary's pod; only a live cluster has one. */
  readonly primary?: string;
}

export interface VolumeShape {
  /** As a Kubernetes quantity. */
  readonly size: string;
  /** @default - the Kubernetes cluster's default class */
  readonly class?: string;
}

export interface Progress {
  readonly done: boolean;
  readonly why: string;
}
