import type { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration";
import type * as pulumi from "@pulumi/pulumi";
import { type BucketArgs, retained, UNFINISHED_DAYS } from "./bucket";
import type { TargetOf } from "../../settings/schema/targets";

/** What buckets of AWS and B2 share. `place` is where they are, for resources that take it. */
type Place = { readonly region?: string };

/** What was deleted can be got back for as long as the recovery window; then it is gone. */
export const lifecycle = (
  parent: pulumi.Resource,
  name: string,
  { store, recoveryWindowDays }: BucketArgs<TargetOf<"aws" | "b2">>,
  bucket: S3Bucket,
  place: Place = {},
  provider?: pulumi.ProviderResource,
): BucketLifecycleConfiguration =>
  new BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    {
      bucket: store.bucket,
      ...place,
      rules: [
        {
          id: "deleted-objects",
          status: "Enabled",
          filter: { prefix: "" },
          noncurrentVersionExpiration: { noncurrentDays: recoveryWindowDays },
        },
        {
          id: "unfinished-uploads",
          status: "Enabled",
          filter: { prefix: "" },
          abortIncompleteMultipartUpload: { daysAfterInitiation: UNFINISHED_DAYS },
        },
      ],
    },
    retained(parent, { dependsOn: [bucket], ...(provider && { provider }) }),
  );

/** Each copy is locked from its upload on; only who may bypass governance can shorten that. */
export const lock = (
  parent: pulumi.Resource,
  name: string,
  { target, store }: BucketArgs<TargetOf<"aws" | "b2">>,
  bucket: S3Bucket,
  place: Place = {},
  provider?: pulumi.ProviderResource,
): BucketObjectLockConfiguration | undefined =>
  target.lockDays === 0
    ? undefined
    : new BucketObjectLockConfiguration(
        `${name}-lock`,
        {
          bucket: store.bucket,
          ...place,
          rule: { defaultRetention: { mode: "GOVERNANCE", days: target.lockDays } },
        },
        retained(parent, { dependsOn: [bucket], ...(provider && { provider }) }),
      );
