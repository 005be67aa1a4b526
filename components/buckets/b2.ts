import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket";
import { Provider, type ProviderArgs } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import type { Store } from "../../plan/backup/store";
import type { TargetOf } from "../../settings/schema/targets";
import { type Bucket, type BucketArgs, type Keys, retained } from "./bucket";
import { lifecycle, lock } from "./s3";

/**
 * A bucket at Backblaze B2, made over its S3 API, by an AWS provider of its own that is aimed there. B2 keeps versions and
 * is private by default, and its S3 API makes no keys: the settings give one.
 */
export class B2Target extends pulumi.ComponentResource implements Bucket {
  declare public readonly keys?: Keys;

  constructor(name: string, args: BucketArgs<TargetOf<"b2">>, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:backup:B2Target", name, {}, options);
    const { target, store, protect, given } = args;
    if (given === undefined) throw new Error("a target at B2 without a key was not checked");
    const provider = new Provider(`${name}-provider`, b2Provider(given, store), { parent: this });
    const bucket = new S3Bucket(
      `${name}-bucket`,
      { bucket: store.bucket, ...(target.lockDays > 0 && { objectLockEnabled: true }) },
      // In prod no change of settings deletes backups: see docs/backup.md for the way out.
      retained(this, { protect, provider }),
    );
    lifecycle(this, name, args, bucket, {}, provider);
    lock(this, name, args, bucket, {}, provider);
    this.registerOutputs({});
  }
}

/** AWS's provider, aimed at B2's S3 API with the target's key. */
export const b2Provider = (
  keys: Keys,
  { endpoint = "", region, pathStyle }: Pick<Store, "endpoint" | "region" | "pathStyle">,
): ProviderArgs => ({
  region,
  accessKey: keys.accessKeyId,
  secretKey: pulumi.secret(keys.secretAccessKey),
  endpoints: [{ s3: endpoint }],
  s3UsePathStyle: pathStyle,
  // All of these ask AWS, which knows neither the key nor the region.
  skipCredentialsValidation: true,
  skipMetadataApiCheck: true,
  skipRegionValidation: true,
  skipRequestingAccountId: true,
});
