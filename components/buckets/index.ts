import { createRequire } from "node:module";
import type * as pulumi from "@pulumi/pulumi";
import type { Target } from "../../plan/backup/store";
import type { Bucket, BucketArgs } from "./bucket";

/**
 * The component that makes a target's bucket, by its kind. Its module, and the provider's that it takes, is read only where a target of the
 * kind is there: all other programs start without them.
 */

type BucketClass = new (name: string, args: BucketArgs, options: pulumi.ComponentResourceOptions) => Bucket;

const read = createRequire(__filename);

const classes: Readonly<Partial<Record<Target["kind"], () => BucketClass>>> = {
  r2: () => (read("./r2") as typeof import("./r2")).R2Target,
  b2: () => (read("./b2") as typeof import("./b2")).B2Target,
  aws: () => (read("./aws") as typeof import("./aws")).AwsTarget,
};

/** Undefined where nothing is to be made: for kinds without a bucket of the platform's, and for an adopted one with a key or a role of its own. */
export function makeBucket(
  name: string,
  args: BucketArgs,
  options: pulumi.ComponentResourceOptions,
): Bucket | undefined {
  const { kind, adopt, credentials, roleArn } = args.target;
  const made = classes[kind];
  if (made === undefined || (adopt && (credentials ?? roleArn) !== undefined)) return undefined;
  return new (made())(name, args, options);
}
