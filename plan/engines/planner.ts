import type { Compression, Images, Settings } from "../../settings/schema";
import type { Issuer } from "../../settings/schema/tls";
import type { Store } from "../backup/store";
import type { DormantImage } from "../imagePlaces";
import type { Exporter } from "../monitoring/exporter";
import type { Labels } from "../network";
import type { KubernetesObject } from "../objects";
import type { Plan, OperatorPlan } from "../plan";
import type { Pauses, Timed } from "./pauses";

/**
 * The seam between the platform and what runs PostgreSQL, of three: an engine plans (here), reads rendered objects (reader.ts) and live ones (live.ts).
 *
 * Settings in, plain data out. It uses no Pulumi and does no I/O, so that plans can be tested, compared
 * and checked without mocks, provider or cluster. Components register what a plan says, and never ask which engine it is.
 */
export interface EnginePlanner extends EngineTraits {
  /** Everything that one database cluster needs. */
  plan(settings: Settings): Plan;
  /** The engine's operator, out of its released manifest. @default - the engine has none */
  readonly operator?: (settings: Settings, released: readonly KubernetesObject[]) => OperatorPlan;
  /** @default - the engine makes none */
  readonly backups?: Backups;
}

/** How an engine's backups are made. They lie in the layout of Barman's cloud tools, or of WAL-G. */
export interface Backups {
  /** How a base backup is asked for, beside the schedule's. */
  request(settings: Settings, name: string): BackupRequest;
  /** User and group that own the data, in the image of PostgreSQL. */
  readonly server: { readonly user: number; readonly group: number };
  /** What a restore to a moment takes for the time of a base backup: when it came to the store. @default - when it ended */
  readonly baseTime?: "uploaded";
  /** Libraries without which the extensions can't be created that its databases have beside those of the settings. @default - none */
  readonly preload?: readonly string[];
  /** The tool that archives are made by, and can be restored by alone. @default - Barman's cloud tools */
  readonly tool?: (settings: Settings) => ArchiveTool | undefined;
}

/** Another tool than Barman's. */
export interface ArchiveTool {
  /** plan/backup/scripts/<name>.sh uses it. */
  readonly name: "walg";
  readonly image: string;
  /** How it is told of the archive in a store; `ca` is the file of the store's own, where it has one. */
  variables(store: Store, ca: string): readonly object[];
  /** Where the instances' image has PostgreSQL's programs, of which it has several versions. */
  readonly programs: string;
}

type InPod = readonly [container: string, ...command: string[]];

export type BackupRequest =
  | {
      /** An object that asks for one, when it is made; what the live one has come to, the live reader tells. */
      readonly object: KubernetesObject;
      /** What takes it along when it is deleted. @default - nothing: it holds nothing that others wait for */
      readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string };
    }
  | {
      /** A command for the primary's pod that makes one. */
      readonly command: InPod;
      /** What it says when there is one, and its name: a command may end well all the same. */
      readonly made: RegExp;
      /** A command that ends well while one is made, or the primary will make one by itself. */
      readonly underway: InPod;
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
  /** How what reads an instance's statistics names its samples. */
  readonly exporter: Exporter;
  /** Pods of its operator that have metrics, on a port called `metrics`. @default - none has */
  readonly operatorMetrics?: { readonly namespace: string; readonly pods: Labels };
  readonly inMetrics: InMetrics;
  /** Versions of Kubernetes that the operator runs on, as ranges of semver: `runs` is refused outside, `tested` only told. */
  readonly kubernetes: { readonly runs: string; readonly tested: string };
  /** The settings' images that its clusters and its operator run; those of the poolers are the platform's. */
  readonly images: readonly (keyof Images)[];
  /** Those that it runs beside them where the settings ask for backups. */
  readonly backupImages: readonly (keyof Images)[];
  /** Images that its operator's configuration names, and that run only where a cluster's object asks for them. @default - there are none */
  readonly dormantImages?: readonly DormantImage[];
  /** What takes memory in PostgreSQL's own container beside it, where the settings ask for it. @default - nothing that counts */
  readonly besideServer?: { readonly who: string; bytes(settings: Settings): number };
  /** How it can compress its log in a store, the default first, and the tool that decides. */
  readonly compression: {
    readonly methods: readonly [Compression, ...Compression[]];
    readonly by: string;
    /** Those with which the parts of an upload are of different sizes. */
    readonly unequalParts: readonly Compression[];
  };
  /** Who can sign its servers' certificate, the default first. */
  readonly issuers: readonly [Issuer, ...Issuer[]];
  /** Namespace of its operator. @default - the engine has none */
  readonly operatorNamespace?: string;
  /** Objects of a cluster that stay until its operator takes a finalizer off them. @default - there are none */
  readonly finalized?: readonly {
    /** As Pulumi names it. */
    readonly type: string;
    /** As kubectl names it, and that of the clusters. */
    readonly kind: string;
    readonly clusters: string;
    readonly finalizer: string;
  }[];
  /** What a drain of a single instance's node does where no setting says it. */
  readonly drains: NonNullable<Settings["cluster"]["drains"]>;
  /** How long writes pause when something fails or changes. */
  pauses(settings: Timed): Pauses;
  /** Longest name that a cluster of this engine may have. */
  readonly longestClusterName: number;
  /** Roles that its operator or its image makes and changes; a name that ends with `*` stands for a prefix. */
  readonly systemRoles: readonly string[];
  /** Keys of labels that it writes on the objects that it makes; a key that ends with `*` stands for a prefix. */
  readonly operatorLabels: readonly string[];
  /** Images that its makers publish; `pinned`: the versions of PostgreSQL and of its operator, which are in releases/. */
  publishedImages(pinned: { readonly postgresql: string; readonly operator: string }): PublishedImages;
  /** Whether its operator refuses an image of PostgreSQL whose tag doesn't begin with the version. @default false */
  readonly readsVersionFromTag?: true;
  /** What its makers' image has. */
  readonly imageContents: ImageContents;
  /** Server parameters that users can't set, with the reason; a key that ends with `*` stands for a prefix. */
  readonly ownedParameters: Readonly<Record<string, string>>;
}

/** `operator` where the engine has one. */
export type PublishedImages = Pick<Images, "postgresql"> & Partial<Pick<Images, "operator">>;

/** What an image of PostgreSQL has beside PostgreSQL. */
export interface ImageContents {
  /** Extensions beside PostgreSQL's own. */
  readonly extensions: readonly string[];
  /** Libraries that bring parameters and no extension. */
  readonly libraries: readonly string[];
  /** Extensions that are there and that no database may list, with the reason. */
  readonly refused: Readonly<Record<string, Exclude<Ability, true>>>;
  /** Where that was read. */
  readonly source: string;
}

/** How the pods that hold an instance are found, and what each of them is at the moment. */
export interface InstancePods {
  /** Selects the instances of a cluster, and no other pod. */
  labels(cluster: string): Labels;
  /** The label by which an instance says what it is, and its value at the primary. @default - there is one instance */
  readonly role?: { readonly label: string; readonly primary: string };
}

/** How Kubernetes' own metrics name what a cluster is made of; texts are regular expressions of the whole name. */
export interface InMetrics {
  readonly pods: (cluster: string) => string;
  /** Claims of the instances' volumes: those with data, and those with WAL alone where there are such. */
  readonly claims: {
    readonly data: (cluster: string) => string;
    /** @default - WAL is beside the data */
    readonly wal?: (cluster: string) => string;
  };
  /** Name of the operator's Deployment. @default - the engine has no operator */
  readonly operator?: string;
  /** Whether the operator counts its reconciliations, as programs of controller-runtime do. */
  readonly countsReconciliations: boolean;
  /** The CronJob that makes base backups. @default - the engine makes them without one, or elsewhere */
  readonly baseBackups?: (cluster: string) => string;
  /** How long before its end a healthy certificate has been renewed, in days: by the engine, or by the next update where the platform signs. */
  readonly certificateDays: { readonly warning: number; readonly critical: number };
}

/** Things that engines differ in. Add one when a setting depends on it, or a case of the test suites. */
export const capabilities = [
  "standbys",
  "quorumFailover",
  "walVolume",
  "archiveVolume",
  /** Makes base backups by the clock of any time zone. */
  "backupTimeZone",
  /** Restores to an LSN and to a named point, not only to a moment. */
  "restoreToPlace",
  /** Begins with an archive that CloudNativePG's backup plugin made for another program. */
  "foreignArchive",
  "zoneSpread",
  "severalDatabases",
  /** Data of an older major version of PostgreSQL become those of a newer one. */
  "majorUpgrade",
  "podSecurityRestricted",
  /** An operator keeps the cluster as its object says: it rolls instances, and its absence is a fault of its own. */
  "operator",
  /** Its pods log in at registries, or have a role at the cloud, in a namespace that the platform didn't make. */
  "accountInForeignNamespace",
  /** Keeps a single instance on its node until it is let go. */
  "drainsWait",
  /** Replaces a primary that hangs only when its pod is deleted, which a watchdog does. */
  "watchdog",
  /** Makes logical slots that are listed, and keeps them on every instance. */
  "listedSlots",
  /** Its pods run as any user, where the Kubernetes cluster chooses one for each namespace. */
  "anyUser",
  /** No superuser has a password, and none gets in over the network. */
  "passwordlessSuperuser",
  /** Its tools speak to the archive by a role of AWS where there is no key. */
  "roleInPlaceOfKey",
  /** Its tools can be told that the bucket's name is in the host's name, at a store that isn't AWS. */
  "virtualHosts",
] as const;
export type Capability = (typeof capabilities)[number];

/** `true`, or why not and what to do instead. */
export type Ability = true | { readonly because: string; readonly instead: string };
