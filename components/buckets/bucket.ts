import type * as pulumi from "@pulumi/pulumi";
import type { Store } from "../../plan/backup/store";
import type { Target } from "../../settings/schema/targets";

/** The access key to a bucket. */
export interface Keys {
  readonly accessKeyId: pulumi.Output<string>;
  readonly secretAccessKey: pulumi.Output<string>;
}

export interface BucketArgs<T extends Target = Target> {
  /** The target as the settings have it, and how it is spoken to. */
  readonly target: T;
  readonly store: Store;
  /** The key that the settings give. @default - none */
  readonly given?: Keys;
  /** How far back every moment can be restored, in days. */
  readonly recoveryWindowDays: number;
  /** Whether deleting the bucket is refused until an operator unprotects it. */
  readonly protect: boolean;
}

/** What every kind of bucket is to the platform: a component that makes it, unless it is adopted, and access to it. */
export interface Bucket extends pulumi.ComponentResource {
  /** A key made for this bucket alone. @default - the settings give one, or none is needed */
  readonly keys?: Keys;
}

/** Options of everything that holds backups: it outlives the stack, and what the bucket is protected by stays with it. */
export const retained = (parent: pulumi.Resource, more: pulumi.CustomResourceOptions = {}) => ({
  parent,
  // Backups outlive what they are of.
  retainOnDelete: true,
  ...more,
});
