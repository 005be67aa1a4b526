import { AccessKey } from "@pulumi/aws/iam/accessKey";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { Provider } from "@pulumi/aws/provider";
import { User } from "@pulumi/aws/iam/user";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy";
import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning";
import * as pulumi from "@pulumi/pulumi";
import type { Store } from "../../plan/backup/store";
import { arnOf } from "../../plan/backup/targets/aws";
import { type Bucket, type BucketArgs, type Keys, retained } from "./bucket";
import type { TargetOf } from "../../settings/schema/targets";

/** Unfinished uploads are deleted after so many days. */
const UNFINISHED_DAYS = 7;

/** Reads the bucket, since a restore may be from another cluster's place in it, and writes in the cluster's own place alone. */
export const accessPolicy = ({
  bucket,
  region,
  prefix,
  reports,
}: Pick<Store, "bucket" | "region" | "prefix" | "reports">): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "List",
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"],
        Resource: arnOf(region, bucket),
      },
      { Sid: "Read", Effect: "Allow", Action: "s3:GetObject", Resource: arnOf(region, bucket, "/*") },
      {
        Sid: "Write",
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        Resource: [prefix, reports].map((folder) => arnOf(region, bucket, `/${folder}/*`)),
      },
    ],
  });

/** Denies every request without TLS. */
const onlyEncryptedConnections = ({ bucket, region }: Store): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OnlyTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [arnOf(region, bucket), arnOf(region, bucket, "/*")],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });

/** A bucket of AWS S3, and a user, or a role that is there, that may do in it what backups take. */
export class AwsTarget extends pulumi.ComponentResource implements Bucket {
  declare public readonly keys?: Keys;
  private readonly provided: { provider?: pulumi.ProviderResource };

  constructor(
    private readonly name: string,
    args: BucketArgs<TargetOf<"aws">>,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("pgplatform:backup:AwsTarget", name, {}, options);
    const { target, store } = args;
    // A program may hand its own on. The default one, which takes its login from the stack's configuration, knows no region unless that says it, and a user of another
    // partition is made there.
    const handed = this.getProvider("aws:index:any");
    this.provided =
      handed === undefined && new pulumi.Config("aws").get("region") === store.region
        ? {}
        : {
            provider: handed ?? new Provider(`${name}-provider`, { region: store.region }, { parent: this }),
          };
    if (!target.adopt) this.bucket(args);
    if (target.roleArn !== undefined) this.grant(store, target.roleArn);
    else if (target.credentials === undefined) this.keys = this.user(store);
    this.registerOutputs({});
  }

  private own(): pulumi.CustomResourceOptions {
    return { parent: this, ...this.provided };
  }

  private kept(more: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
    return retained(this, { ...this.provided, ...more });
  }

  private bucket(args: BucketArgs<TargetOf<"aws">>): void {
    const { target, store, protect } = args;
    const { region } = store;
    const place = { bucket: store.bucket, region };
    const part = (suffix: string) => `${this.name}-${suffix}`;
    const bucket = new S3Bucket(
      part("bucket"),
      { ...place, ...(target.lockDays > 0 && { objectLockEnabled: true }) },
      // In prod no change of settings deletes backups: see docs/backup.md for the way out.
      this.kept({ protect }),
    );
    const behind = this.kept({ dependsOn: [bucket] });
    new BucketVersioning(
      part("versioning"),
      { ...place, versioningConfiguration: { status: "Enabled" } },
      behind,
    );
    new BucketServerSideEncryptionConfiguration(
      part("encryption"),
      { ...place, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      behind,
    );
    const closed = new BucketPublicAccessBlock(
      part("closed"),
      {
        ...place,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      behind,
    );
    new BucketPolicy(
      part("policy"),
      { ...place, policy: onlyEncryptedConnections(store) },
      // AWS refuses to change both at once.
      this.kept({ dependsOn: [closed] }),
    );
    this.lifecycle(args, place, behind);
    // Each copy is locked from its upload on; only who may bypass governance can shorten that.
    if (target.lockDays > 0)
      new BucketObjectLockConfiguration(
        part("lock"),
        { ...place, rule: { defaultRetention: { mode: "GOVERNANCE", days: target.lockDays } } },
        behind,
      );
  }

  /** What was deleted can be got back for as long as the recovery window; then it is gone. */
  private lifecycle(
    { recoveryWindowDays }: BucketArgs<TargetOf<"aws">>,
    place: { readonly bucket: string; readonly region: string },
    options: pulumi.CustomResourceOptions,
  ): void {
    new BucketLifecycleConfiguration(
      `${this.name}-lifecycle`,
      {
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
      options,
    );
  }

  /** Lets a role that is there do what a user would be made for. */
  private grant(store: Store, roleArn: string): void {
    const role = roleArn.slice(roleArn.lastIndexOf("/") + 1);
    new RolePolicy(`${this.name}-access`, { role, policy: accessPolicy(store) }, this.own());
  }

  private user(store: Store): Keys {
    const user = new User(`${this.name}-user`, { path: "/pgplatform/" }, this.own());
    new UserPolicy(`${this.name}-access`, { user: user.name, policy: accessPolicy(store) }, this.own());
    const key = new AccessKey(`${this.name}-key`, { user: user.name }, this.own());
    return { accessKeyId: key.id, secretAccessKey: pulumi.secret(key.secret) };
  }
}
