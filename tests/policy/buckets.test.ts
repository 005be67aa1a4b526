import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Previews } from "./kit/preview";

/** Whether our program and Pulumi's engine get on about buckets. What AWS, Cloudflare and B2 would say is not shown: all three are a fake. */
describe("buckets through Pulumi's engine, at a FAKE of AWS and Cloudflare", () => {
  let previews: Previews;
  let pulumi: Awaited<ReturnType<Previews["stack"]>>;
  before(async () => {
    previews = await Previews.make();
    pulumi = await previews.stack(join(__dirname, "buckets"), {});
  });
  after(() => previews?.close());

  const there = () =>
    readdirSync(previews.fakeCloud)
      .map((file) => file.replace(/^(aws|cloudflare)-(\w+?)-\w+-(\w+)--/, "$3 ").replace(/\.json$/, ""))
      .sort();
  const buckets = ["Bucket copy-bucket", "Bucket other-bucket", "R2Bucket live-bucket"];
  const protections = [
    "BucketLifecycleConfiguration copy-lifecycle",
    "BucketLifecycleConfiguration other-lifecycle",
    "BucketObjectLockConfiguration copy-lock",
    "BucketPolicy other-policy",
    "BucketPublicAccessBlock other-closed",
    "BucketServerSideEncryptionConfiguration other-encryption",
    "BucketVersioning other-versioning",
    "R2BucketLifecycle live-lifecycle",
  ];
  const keys = [
    "AccessKey other-key",
    "AccountToken live-token",
    "User other-user",
    "UserPolicy other-access",
  ];

  it("are made, with what protects them and the keys", async () => {
    const { exitCode, stdout, stderr } = await pulumi(["up", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(there(), [...buckets, ...protections, ...keys].sort());
  });

  it("stay as they are at the next preview", async () => {
    const { exitCode, stdout, stderr } = await pulumi(["preview", "--expect-no-changes"]);
    assert.equal(exitCode, 0, stdout + stderr);
  });

  it("outlive the stack, with what protects them; the keys don't", async () => {
    const { exitCode, stdout, stderr } = await pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(there(), [...buckets, ...protections].sort());
  });

  // Without this it would end at the first bucket, whichever that is.
  it("that are there already aren't taken over by a stack that would make them", async () => {
    const { exitCode, stdout, stderr } = await pulumi([
      "up",
      "--yes",
      "--skip-preview",
      "--continue-on-error",
    ]);
    assert.notEqual(exitCode, 0);
    for (const bucket of ["fake-aws", "fake-b2", "fake-r2"])
      assert.match(stdout + stderr, new RegExp(`the bucket ${bucket} is there already`));
  });
});
