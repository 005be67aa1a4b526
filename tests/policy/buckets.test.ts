import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type PreviewedStack, Previews } from "./kit/preview";

/** Whether our program and Pulumi's engine get on about buckets. What AWS and Cloudflare would say is not shown: both are a fake. */
describe("buckets through Pulumi's engine, at a FAKE of AWS and Cloudflare", () => {
  let previews: Previews;
  let pulumi: PreviewedStack;
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
  const ofAws = (name: string) => [
    `BucketLifecycleConfiguration ${name}-lifecycle`,
    `BucketPolicy ${name}-policy`,
    `BucketPublicAccessBlock ${name}-closed`,
    `BucketServerSideEncryptionConfiguration ${name}-encryption`,
    `BucketVersioning ${name}-versioning`,
  ];
  const protections = [...ofAws("copy"), ...ofAws("other"), "BucketObjectLockConfiguration copy-lock"];
  const keys = [
    ...["copy", "other"].flatMap((name) => [
      `AccessKey ${name}-key`,
      `User ${name}-user`,
      `UserPolicy ${name}-access`,
    ]),
    "AccountToken live-token",
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
    for (const bucket of ["fake-aws", "fake-copies", "fake-r2"])
      assert.match(stdout + stderr, new RegExp(`the bucket ${bucket} is there already`));
  });
});

/** What the real providers were seen to do, which a fake that takes everything would hide. */
describe("the FAKE of AWS and Cloudflare refuses what the real ones do", () => {
  let previews: Previews;
  before(async () => {
    previews = await Previews.make();
  });
  after(() => previews?.close());
  const stack = (what: string) => previews.stack(join(__dirname, "refusals"), { "pgp-refusals:what": what });

  it("a bucket at B2 is made by the provider of AWS, which can't read it then, and never again", async () => {
    const pulumi = await stack("account");
    for (const expected of [/S3 Control: .*AccountId is empty/, /the bucket fake-b2 is there already/]) {
      const { exitCode, stdout, stderr } = await pulumi(["up", "--yes", "--skip-preview"]);
      assert.notEqual(exitCode, 0);
      assert.match(stdout + stderr, expected);
    }
  });

  it("a rule for unfinished uploads at R2 differs at every preview", async () => {
    const pulumi = await stack("transition");
    const { exitCode, stdout } = await pulumi(["up", "--yes", "--skip-preview"]);
    assert.equal(exitCode, 0, stdout);
    assert.notEqual((await pulumi(["preview", "--expect-no-changes"])).exitCode, 0);
  });

  it("AWS's provider works in no region that it wasn't told", async () => {
    const { exitCode, stdout, stderr } = await (await stack("region"))(["up", "--yes", "--skip-preview"]);
    assert.notEqual(exitCode, 0);
    assert.match(stdout + stderr, /missing region/);
  });
});
