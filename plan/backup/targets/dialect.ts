import type { Settings } from "../../../settings/schema";
import type { TargetKind, TargetOf } from "../../../settings/schema/targets";
import type { Peer } from "../../network";

/** How a bucket is spoken to, in the dialect of its kind. No store is asked to encrypt: R2 refuses that, and the others do it by themselves. */
export interface Spoken {
  readonly bucket: string;
  readonly region: string;
  /** @default - AWS */
  readonly endpoint?: string;
  /** Whether the checksums that newer S3 clients send without being asked are left out: some stores answer them with an error. */
  readonly plainChecksums: boolean;
  /** Whether the bucket's name is in the path and not in the host's name. */
  readonly pathStyle: boolean;
  /** The store's own CA, where no public one signed for it. */
  readonly ca?: { readonly secretName: string; readonly key: string };
  /** Who it is to network policies, and its port there. */
  readonly peer: Peer;
  readonly port: number;
}

export interface Dialect<K extends TargetKind> {
  /** Where the access key comes from, if the settings give none: nowhere, from the cloud that makes the bucket, or it is drawn. */
  readonly key: "given" | "made" | "drawn";
  speak(target: TargetOf<K>, cluster: Settings["cluster"]): Spoken;
}

/** A store that isn't in the Kubernetes cluster; its address may be any. */
export const anywhere = (endpoint?: string): Pick<Spoken, "peer" | "port"> => ({
  peer: { kind: "addresses", cidr: "0.0.0.0/0" },
  port: Number(/:(\d+)$/.exec(endpoint ?? "")?.[1] ?? 443),
});

export const defaultRegion = "us-east-1";
