import { createHash } from "node:crypto";
import { AccountToken } from "@pulumi/cloudflare/accountToken";
import { R2Bucket } from "@pulumi/cloudflare/r2bucket";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock";
import * as pulumi from "@pulumi/pulumi";
import { type Bucket, type BucketArgs, type Keys, retained } from "./bucket";
import type { TargetOf } from "../../settings/schema/targets";

const DAY_SECONDS = 86_400;

/** Cloudflare's permission group "Workers R2 Storage Bucket Item Write": reads, writes and lists objects, and nothing else. */
const ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6";

/** A bucket at Cloudflare R2, and an API token for it alone. R2 itself deletes unfinished uploads after seven days. */
export class R2Target extends pulumi.ComponentResource implements Bucket {
  declare public readonly keys?: Keys;

  constructor(
    private readonly name: string,
    args: BucketArgs<TargetOf<"r2">>,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("pgplatform:backup:R2Target", name, {}, options);
    const { target, store } = args;
    const bucket = target.adopt ? [] : [this.bucket(args)];
    if (target.credentials === undefined) this.keys = this.token(target.account, store.bucket, bucket);
    this.registerOutputs({});
  }

  private bucket({ target, store, protect }: BucketArgs<TargetOf<"r2">>): R2Bucket {
    const { account: accountId, lockDays } = target;
    const bucketName = store.bucket;
    const bucket = new R2Bucket(
      `${this.name}-bucket`,
      { accountId, name: bucketName },
      // In prod no change of settings deletes backups: see docs/backup.md for the way out.
      retained(this, { protect }),
    );
    if (lockDays > 0)
      new R2BucketLock(
        `${this.name}-lock`,
        {
          accountId,
          bucketName,
          rules: [
            {
              id: "copies",
              enabled: true,
              prefix: `${store.prefix}/`,
              condition: { type: "Age", maxAgeSeconds: lockDays * DAY_SECONDS },
            },
          ],
        },
        retained(this, { dependsOn: [bucket] }),
      );
    return bucket;
  }

  /** R2 takes a token's id for an access key's, and the SHA-256 of its value for the key. */
  private token(accountId: string, bucket: string, dependsOn: pulumi.Resource[]): Keys {
    const token = new AccountToken(
      `${this.name}-token`,
      {
        accountId,
        name: `${this.name} (${bucket})`,
        policies: [
          {
            effect: "allow",
            permissionGroups: [{ id: ITEM_WRITE }],
            resources: JSON.stringify({
              [`com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket}`]: "*",
            }),
          },
        ],
      },
      { parent: this, dependsOn },
    );
    return {
      accessKeyId: token.id,
      secretAccessKey: pulumi.secret(
        token.value.apply((value) => createHash("sha256").update(value).digest("hex")),
      ),
    };
  }
}
