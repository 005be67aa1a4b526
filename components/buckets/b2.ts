import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket";
import * as pulumi from "@pulumi/pulumi";
import { type Bucket, type BucketArgs, type Keys, retained } from "./bucket";
import { lifecycle, lock } from "./s3";

/**
 * A bucket at Backblaze B2, made over its S3 API: `options.providers` holds an AWS provider that is aimed there. B2 keeps versions and
 * is private by default, and its S3 API makes no keys: the settings give one.
 */
export class B2Target extends pulumi.ComponentResource implements Bucket {
  declare public readonly keys?: Keys;

  constructor(name: string, args: BucketArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:backup:B2Target", name, {}, options);
    const { target, store, protect } = args;
    const bucket = new S3Bucket(
      `${name}-bucket`,
      { bucket: store.bucket, ...(target.lockDays > 0 && { objectLockEnabled: true }) },
      // In prod no change of settings deletes backups: see docs/backup.md for the way out.
      retained(this, { protect }),
    );
    lifecycle(this, name, args, bucket);
    lock(this, name, args, bucket);
    this.registerOutputs({});
  }
}
