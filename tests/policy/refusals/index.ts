import { Bucket } from "@pulumi/aws/s3/bucket";
import { Provider } from "@pulumi/aws/provider";
import { R2BucketLifecycle } from "@pulumi/cloudflare/r2bucketLifecycle";
import * as pulumi from "@pulumi/pulumi";

/** What our program asked for once, for the FAKE cloud: `what` says which. */
const what = new pulumi.Config("pgp-refusals").require("what");

if (what === "account") {
  const provider = new Provider("b2", {
    region: "eu-central-003",
    endpoints: [{ s3: "https://s3.eu-central-003.backblazeb2.com" }],
    skipRequestingAccountId: true,
  });
  new Bucket("copy", { bucket: "fake-b2" }, { provider });
}

if (what === "transition")
  new R2BucketLifecycle("live", {
    accountId: "0123456789abcdef0123456789abcdef",
    bucketName: "fake-r2",
    rules: [
      {
        id: "unfinished-uploads",
        enabled: true,
        conditions: { prefix: "" },
        abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 604_800 } },
      },
    ],
  });

if (what === "region") new Bucket("live", { bucket: "fake-nowhere" });
