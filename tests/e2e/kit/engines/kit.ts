import { type Bounds } from "../../../faults/fault";
import type { PlannedObject } from "../../../../plan/objects";
import { type KubeObject } from "../../../../operations/kubectl";
import { type Images, type Settings } from "../../../../settings/schema";
import { type Cluster } from "../cluster";

export type WatchKind = "pod" | "cluster" | "lease" | "endpoints";

/** Arguments of `kubectl get`, and the JSONPath of what each event is printed as. */
export interface Watched {
  readonly what: readonly string[];
  readonly print: string;
}

/** What Kubernetes' objects say of a cluster, without a word from PostgreSQL: an instance that is out of reach can't answer. */
export interface View {
  /** Pod of the primary. */
  readonly primary: string | undefined;
  /** Pod that is to lead; another than the primary's while the lead changes. */
  readonly successor: string | undefined;
  /** Raised with each change of the primary. */
  readonly term: number;
  /** Why the engine doesn't call the cluster well; undefined when it does. */
  readonly illness: string | undefined;
}

/** What someone may change by hand on the cluster's object: merge patches. */
export interface Patches {
  parameter(name: string, value: string): object;
  /** Takes a parameter back that had this value before it was set. */
  formerParameter(name: string, value: string): object;
  image(name: string): object;
}

/** A cluster as the operator makes it of a short object, without the platform's care. */
export interface PlainCluster {
  /** Two small instances whose standby confirms nothing: made to lose rows. Image, storage and timing are the product's. */
  asynchronous(product: KubeObject, namespace: string, name: string): object[];
  /** The shortest sensible object, with the operator's own pooler of this name; image, volume and resources are the product's. */
  defaults(
    product: KubeObject,
    at: { namespace: string; name: string; pooler: string },
    images: Images,
  ): object[];
  /** What a reader of the figures must know about it. */
  readonly notes: readonly string[];
  /** Service of the primary, and the Secrets that its clients need. */
  access(name: string): { service: string; application: string; ca: string };
}

/** The platform's own plan without its tuning, where the operator makes no whole cluster of a short object. */
export interface Untuned {
  /** The objects of a plan with the operator's defaults in the place of what the platform chose for short failovers. */
  objects(planned: readonly PlannedObject[]): PlannedObject[];
  readonly notes: readonly string[];
}

/** What the suites do or know differently by engine. Everything else they do alike. */
export interface EngineKit {
  /** Names of the engine's software with their versions, as results are to be read. */
  readonly versions: Readonly<Record<string, string>>;
  view(cluster: Cluster): Promise<View>;
  /** Text that changes whenever the primary renews its claim to lead. @default - no instance claims to lead */
  readonly renewal?: (cluster: Cluster) => Promise<string>;
  /** PostgreSQL of these instances isn't started again once it is down; that of all others is. @default - nothing to keep it from */
  readonly fence?: (cluster: Cluster, pods: readonly string[]) => Promise<void>;
  /** @default - no operator rolls the instances after its object */
  readonly patches?: Patches;
  /** A change of the cluster's object by hand that removes some of its safety; `path` reads it. */
  readonly drift: { readonly patch: object; readonly path: string };
  /** What someone may change that the cluster's object has no field for, and the CronJob that puts it right. @default - there is none */
  readonly upkeep?: {
    spoil(cluster: Cluster): Promise<void>;
    value(cluster: Cluster): Promise<string>;
    cronJob(cluster: string): string;
  };
  /** Ports that instances declare and no process listens on. @default - none */
  readonly silentPorts?: readonly number[];
  /** `synchronous_standby_names` of a primary whose commits wait for one of the standbys. @default - there are none */
  readonly synchronousNames?: RegExp;
  /** @default - no other stack makes clusters of it, or none that clients could check */
  readonly plain?: PlainCluster;
  /** @default - the operator's defaults are those of `plain`, or there is no operator */
  readonly untuned?: Untuned;
  /** What is watched while the lead changes, by the kind of what is seen. */
  readonly watches: (cluster: string) => Readonly<Partial<Record<WatchKind, Watched>>>;
  /** What each failover profile is made of, as results are to be read. */
  readonly profileNotes: readonly string[];
  /** Bounds of faults, by their numbers, in the place of those that count for every engine. */
  readonly bounds?: (failover: Settings["cluster"]["failover"]) => Readonly<Record<string, Bounds>>;
}
