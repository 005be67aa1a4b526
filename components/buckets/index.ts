import { createRequire } from "node:module";
import type * as pulumi from "@pulumi/pulumi";
import { onDemand } from "../onDemand";
import type { Bucket, BucketArgs } from "./bucket";

/**
 * The component that makes a target's bucket, by its kind. Its module, and the provider's that it takes, is read only where a target of the
 * kind is there: all other programs start without them.
 */

const load = createRequire(__filename);

/** A program installs the provider that it needs. */
const read = (module: string, provider: string): unknown =>
  onDemand(load, module, provider, `A backup target of the kind ${module.slice(2)}`);

const r2 = () => read("./r2", "@pulumi/cloudflare") as typeof import("./r2");
const aws = () => read("./aws", "@pulumi/aws") as typeof import("./aws");

/** Undefined where nothing is to be made: for kinds without a bucket of the platform's, and for an adopted one with a key or a role of its own. */
export function makeBucket(
  name: string,
  { target, ...args }: BucketArgs,
  options: pulumi.ComponentResourceOptions,
): Bucket | undefined {
  if (target.adopt === true && (target.credentials ?? target.roleArn) !== undefined) return undefined;
  switch (target.kind) {
    case "r2":
      return new (r2().R2Target)(name, { target, ...args }, options);
    case "aws":
      return new (aws().AwsTarget)(name, { target, ...args }, options);
    case "b2":
    case "s3":
    case "local":
      return undefined;
  }
}
