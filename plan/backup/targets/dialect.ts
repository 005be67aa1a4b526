import type { Settings } from "../../../settings/schema";
import type { TargetKind, TargetOf } from "../../../settings/schema/targets";
import type { Peer } from "../../network";
import type { NameRule } from "./bucketNames";

/**
 * How a store behaves. Whatever speaks to one (Barman, rclone, WAL-G, our own scripts) is told from here, and whatever judges settings asks
 * here: nothing else decides by the kind of a target.
 */
export interface Speech {
  /** Whether the bucket's name is in the path and not in the host's name. */
  readonly pathStyle: boolean;
  /** Whether the checksums that newer S3 clients send without being asked are left out: some stores answer them with an error. */
  readonly plainChecksums: boolean;
  /** Whether all parts of an upload but the last must be of one size. */
  readonly equalParts: boolean;
  /**
   * What its lock does. overwriting: under the locked prefix no object can be written over or deleted, by completing an upload neither. versions: an object that is written over
   * or deleted stays as a version, and a bucket with a default retention takes no upload without Content-MD5. none: it has no lock.
   */
  readonly lock: "overwriting" | "versions" | "none";
  /** Whether what is deleted, or written over, may stay as a version. */
  readonly keepsVersions: boolean;
  /** How many requests a day that list objects the watcher may send; fewer where they are counted. @default - as many as it likes */
  readonly listsADay?: number;
  /** rclone's name for the store, by which it knows more of it. */
  readonly rclone: string;
  /** What its buckets may be called. */
  readonly names: readonly NameRule[];
}

/** How a bucket is spoken to, in the dialect of its kind. No store is asked to encrypt: R2 refuses that, and the others do it by themselves. */
export interface Spoken extends Speech {
  readonly bucket: string;
  readonly region: string;
  /** @default - AWS */
  readonly endpoint?: string;
  /** The store's own CA, where no public one signed for it. */
  readonly ca?: { readonly secretName: string; readonly key: string };
  /** Who it is to network policies, and its port there. */
  readonly peer: Peer;
  readonly port: number;
  /** Whether the bucket may refuse an upload without Content-MD5: it has a default retention, or nobody here knows. */
  readonly md5: boolean;
  /** What a message calls the dialect, after "with". */
  readonly called: string;
}

export interface Dialect<K extends TargetKind> {
  /** Where the access key comes from, if the settings give none: nowhere, from the cloud that makes the bucket, or it is drawn. */
  readonly key: "given" | "made" | "drawn";
  /** Whether the store is lost with the Kubernetes cluster. @default false */
  readonly inCluster?: true;
  speak(target: TargetOf<K>, cluster: Settings["cluster"]): Spoken;
  /** What a setting of the kind asks of its others. @default - nothing */
  problems?(target: TargetOf<K>): readonly TargetProblem[];
}

/** One wrong setting of a target; `key` is below it. */
export interface TargetProblem {
  readonly key: string;
  readonly value: unknown;
  readonly allowed: string;
  readonly fix: string;
}

/** A store that isn't in the Kubernetes cluster; its address may be any. */
export const anywhere = (endpoint?: string): Pick<Spoken, "peer" | "port"> => ({
  peer: { kind: "addresses", cidr: "0.0.0.0/0" },
  port: Number(/:(\d+)$/.exec(endpoint ?? "")?.[1] ?? 443),
});

export const defaultRegion = "us-east-1";
