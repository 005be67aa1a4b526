import type { LineReader } from "../logs/record";
import type { Labels } from "../network";
import type { KubernetesObject } from "../objects";
import type { Act, Acts, ActScene, Command } from "./acts";
import type { OnCall } from "./onCall";

/** What operations ask an engine about objects that are there, beside those that are planned. */
export interface LiveReader {
  /** What a cluster object, planned or live, is made of; undefined for other objects. */
  shape(object: KubernetesObject): Shape | undefined;
  /** Whether a live object has got where it should be, and why not. */
  progress(object: KubernetesObject): Progress;
  /** What says how far a restore is. */
  readonly restore: RestoreReader;
  /** What really restarts when something changes, and how. @default - the instances one after another, the primary last, by a switchover */
  restarts?(change: Change): string | undefined;
  /** Why one update must not change the servers' certificates beside something else of a running cluster. @default - it may */
  certificatesApart?(
    live: Shape,
    planned: Shape,
  ): { readonly beside: string; readonly because: string } | undefined;
  /** What a new image of the operator restarts. @default - nothing */
  readonly operatorRestarts?: string;
  /** What an object that asked for a base backup has come to; undefined for other objects. */
  baseBackup(object: KubernetesObject): BaseBackup | undefined;
  /** What an engine does that stops PostgreSQL before a volume is full. @default - it tells nothing of full volumes */
  readonly fullVolumes?: FullVolumes;
  /** How the lines of an instance's containers are read, by the containers' names; the others log nothing of the database. */
  readonly logs: Readonly<Record<string, LineReader>>;
  /** @default - there is none */
  readonly upgrade?: UpgradeReader;
  /** What the one on call asks. */
  readonly onCall: OnCall;
  /** How one acts on it. */
  readonly acts: Acts;
  /** @default - it can't be told to leave the primary to somebody else */
  readonly rolling?: RollingReader;
}

/** Of an engine that can leave the primary's part of a rolling restart to somebody else, who has the poolers hold their clients meanwhile. */
export interface RollingReader {
  /** Whether it is a change of the kind that somebody else can end. */
  fits(live: Shape, planned: Shape): boolean;
  /** Tells the engine to leave it, or no longer to. */
  leave(cluster: string, on: boolean): Command;
  /** Whether it was told so; an update that was killed leaves it so. */
  isLeft(cluster: KubernetesObject): boolean;
  /** Whether everything else is done, and the primary waits for somebody. */
  waits(cluster: KubernetesObject): boolean;
  /** What is done then. `inPlace`: a restart of PostgreSQL is enough. */
  end(scene: ActScene, inPlace: boolean): Act;
}

/** Of an engine that doesn't grow the volumes of a cluster which it has stopped. */
export interface FullVolumes {
  /** Whether it has stopped the cluster since a volume is full. */
  stopped(cluster: KubernetesObject): boolean;
  /** Selects the claims of a cluster. */
  claims(cluster: string): Readonly<Record<string, string>>;
  /** Whether a claim is for the data or the WAL; undefined for any other. */
  role(claim: KubernetesObject): "data" | "log" | undefined;
}

/** What a change of a live cluster is made of. */
export interface Change {
  readonly live: Shape;
  readonly planned: Shape;
  readonly of: "parameters" | "pods" | "image" | "walVolume";
  /** Names of the parameters that need a restart. */
  readonly parameters: readonly string[];
}

/** A question about a cluster that is being restored: kubectl's arguments behind the namespace, and what their answer means. */
export interface RestoreQuestion {
  readonly ask: (cluster: string) => readonly string[];
  /** Whether the database has begun: it has ended its recovery and takes writes. Undefined where the answer doesn't tell. */
  readonly begun: (answer: { readonly exitCode: number; readonly stdout: string }) => boolean | undefined;
}

/** How far a restore is that a cluster is made by, and what is left of one that has not ended. */
export interface RestoreReader {
  /** Asked in turn until one tells. */
  readonly questions: readonly RestoreQuestion[];
  /** The pods that recover, and the container that logs what PostgreSQL says meanwhile. */
  readonly pods: { readonly labels: (cluster: string) => Labels; readonly container: string };
  /** What a half-made cluster consists of, as arguments of `kubectl delete`, in order. */
  halfMade(cluster: string): readonly (readonly string[])[];
}

/** The pod in which data of an older major version become those of a newer one, once and for all: nobody tries again after a failure. */
export interface UpgradeReader {
  readonly pods: { readonly labels: (cluster: string) => Labels; readonly container: string };
  /** What the upgrade itself said last, of the container's log. */
  words(log: string): string;
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
  /** The WAL volume. */
  readonly log?: VolumeShape;
  /** The Secrets with the certificates of the servers and of their CA. @default - the engine doesn't name them in its object, or signs by itself */
  readonly certificates?: string;
  /** Whether the volumes of removed standbys stay. @default - they go with them */
  readonly keepsVolumes?: boolean;
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

export interface BaseBackup {
  readonly phase: "running" | "done" | "failed";
  readonly why: string;
}
