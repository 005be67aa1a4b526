import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { Backup } from "../../components/backup";
import { accessPolicy } from "../../components/buckets/aws";
import { planLocalStores } from "../../plan/backup/localStore";
import { storeOf } from "../../plan/backup/store";
import { check, sentence } from "../../checks/index";
import type { Settings } from "../../settings/schema";
import { run } from "../../shell/process";
import { type Graph, graphOf, mockPassword, type Registered } from "../support/graph";
import { platformGraph } from "../support/platform";
import { bucket, changed, checked, smallest } from "../support/settings";

/**
 * Buckets under Pulumi's mocks: what the providers of Cloudflare and AWS are asked for. That they do what they are asked is not
 * shown here: no bucket was ever made.
 */

const account = "0123456789abcdef0123456789abcdef";
const keys = { accessKeyId: "an identifier", secretAccessKey: "a secret key" };
const r2 = { name: "live", kind: "r2", bucket: "shop-live", account } as const;
const b2 = {
  name: "copy",
  kind: "b2",
  bucket: "shop-copies",
  region: "eu-central-003",
  credentials: keys,
} as const;
const aws = { name: "live", kind: "aws", bucket: "shop-live", region: "eu-west-1" } as const;

const settingsWith = (targets: readonly object[], more: object = {}) => ({
  ...smallest(),
  operator: { install: false },
  backup: { targets },
  ...more,
});
const refused = (targets: readonly object[]): string[] => {
  const result = check(settingsWith(targets));
  return "problems" in result ? result.problems.map(sentence) : [];
};

/** What is registered for backups. */
const backupGraph = (settings: Settings): Promise<Graph> =>
  graphOf((options) => {
    const localStores = planLocalStores(settings, {}, []);
    new Backup("main-backup", { settings, objects: [], ...(localStores && { localStores }) }, options);
    return {};
  });

/** What is registered for the buckets alone. */
async function made(targets: readonly object[], more: object = {}): Promise<Registered[]> {
  const { resources }: Graph = await backupGraph(checked(settingsWith(targets, more)));
  return resources.filter(({ type }) => /^(aws|cloudflare|pgplatform:backup):/.test(type));
}
const inputsByName = (resources: readonly Registered[]) =>
  Object.fromEntries(resources.filter(({ custom }) => custom).map(({ name, inputs }) => [name, inputs]));

describe("a bucket at R2", function () {
  this.timeout(60_000);
  const bucketName = "shop-live";

  it("is made with a token for it alone; unfinished uploads R2 throws away by itself", async () => {
    const resources = await made([r2]);
    assert.deepEqual(inputsByName(resources), {
      "main-backup-live-bucket": { accountId: account, name: bucketName },
      "main-backup-live-token": {
        accountId: account,
        name: "main-backup-live (shop-live)",
        policies: [
          {
            effect: "allow",
            permissionGroups: [{ id: "2efd5506f9c8494dacb1fa10a3e7d5b6" }],
            resources: `{"com.cloudflare.edge.r2.bucket.${account}_default_shop-live":"*"}`,
          },
        ],
      },
    });
  });

  it("is spoken to by the token: its id, and the SHA-256 of its value, which only the Secret holds", async () => {
    const { resources } = await backupGraph(checked(settingsWith([r2])));
    const token = mockPassword("main-backup-live-token");
    const secretKey = createHash("sha256").update(token).digest("hex");
    const encoded = (text: string) => Buffer.from(text).toString("base64");
    const secret = resources.find(({ name }) => name === "main-backup-live-credentials")!;
    assert.deepEqual(secret.inputs.data, {
      secret: { accessKeyId: encoded("id-of-main-backup-live-token"), secretAccessKey: encoded(secretKey) },
    });
    const holders = resources.filter(({ inputs }) =>
      [token, secretKey, encoded(secretKey)].some((text) => JSON.stringify(inputs).includes(text)),
    );
    assert.deepEqual(
      holders.map(({ name }) => name),
      ["main-backup-live-credentials"],
    );
  });

  it("is locked where the copy lies, and nowhere else", async () => {
    const copy = { ...r2, name: "copy", lockDays: 5 };
    const resources = inputsByName(await made([bucket(), copy]));
    assert.deepEqual(resources["main-backup-copy-lock"], {
      accountId: account,
      bucketName,
      rules: [
        {
          id: "copies",
          enabled: true,
          prefix: "postgres/main/",
          condition: { type: "Age", maxAgeSeconds: 432_000 },
        },
      ],
    });
  });

  it("gets no token where the settings give a key", async () => {
    const names = (await made([{ ...r2, credentials: keys }])).map(({ name }) => name);
    assert.deepEqual(names, ["main-backup-live", "main-backup-live-bucket"]);
  });

  it("that is adopted gets a token and is left alone; with a key of its own nothing is asked of Cloudflare", async () => {
    const adopted = await made([{ ...r2, adopt: true }]);
    assert.deepEqual(Object.keys(inputsByName(adopted)), ["main-backup-live-token"]);
    assert.deepEqual(await made([{ ...r2, adopt: true, credentials: keys }]), []);
  });

  it("is spoken to as R2 wants it", () => {
    const settings = checked(settingsWith([r2]));
    const { endpoint, region, plainChecksums, pathStyle } = storeOf(settings, settings.backup!.targets[0]!);
    assert.deepEqual(
      [endpoint, region, plainChecksums, pathStyle],
      [`https://${account}.r2.cloudflarestorage.com`, "auto", true, true],
    );
  });
});

describe("a bucket at B2", () => {
  it("is never made: the provider of AWS couldn't read it afterwards", async () => {
    for (const more of [{}, { adopt: true }])
      assert.deepEqual(await made([bucket(), { ...b2, ...more }]), []);
    assert.match(
      refused([bucket(), { ...b2, adopt: false }]).join("\n"),
      /targets\[1\]\.adopt: false is not allowed\. Allowed: true with the kind b2, whose buckets the platform can't make\. Fix: make the bucket as docs\/backup\.md says/,
    );
  });

  it("is spoken to as B2 wants it", () => {
    const settings = checked(settingsWith([bucket(), b2]));
    const { endpoint, region, plainChecksums, pathStyle, md5 } = storeOf(
      settings,
      settings.backup!.targets[1]!,
    );
    assert.deepEqual(
      [endpoint, region, plainChecksums, pathStyle, md5],
      ["https://s3.eu-central-003.backblazeb2.com", "eu-central-003", true, true, true],
    );
  });
});

describe("a bucket of AWS", function () {
  this.timeout(60_000);

  it("is closed, versioned, encrypted, and cleaned up; its user writes in the cluster's place alone", async () => {
    const resources = await made([aws]);
    const place = { bucket: "shop-live", region: "eu-west-1" };
    const { "main-backup-live-policy": policy, ...others } = inputsByName(resources);
    assert.deepEqual(others, {
      "main-backup-live-bucket": place,
      "main-backup-live-versioning": { ...place, versioningConfiguration: { status: "Enabled" } },
      "main-backup-live-encryption": {
        ...place,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      },
      "main-backup-live-closed": {
        ...place,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      "main-backup-live-lifecycle": {
        ...place,
        rules: [
          {
            id: "deleted-objects",
            status: "Enabled",
            filter: { prefix: "" },
            noncurrentVersionExpiration: { noncurrentDays: 7 },
          },
          {
            id: "unfinished-uploads",
            status: "Enabled",
            filter: { prefix: "" },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
      },
      "main-backup-live-user": { path: "/pgplatform/" },
      "main-backup-live-access": {
        user: "main-backup-live-user",
        policy: accessPolicy({
          bucket: "shop-live",
          region: "eu-west-1",
          prefix: "postgres/main",
          reports: "_verified/postgres/main",
        }),
      },
      "main-backup-live-key": { user: "main-backup-live-user" },
    });
    assert.deepEqual(JSON.parse(policy!.policy as string), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "OnlyTls",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: ["arn:aws:s3:::shop-live", "arn:aws:s3:::shop-live/*"],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });

  it("lets its user list and read the bucket, and write below the cluster's prefix", () =>
    assert.deepEqual(
      JSON.parse(
        accessPolicy({
          bucket: "b",
          region: "eu-west-1",
          prefix: "shop/main",
          reports: "_verified/shop/main",
        }),
      ),
      {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "List",
            Effect: "Allow",
            Action: ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"],
            Resource: "arn:aws:s3:::b",
          },
          { Sid: "Read", Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" },
          {
            Sid: "Write",
            Effect: "Allow",
            Action: [
              "s3:PutObject",
              "s3:DeleteObject",
              "s3:AbortMultipartUpload",
              "s3:ListMultipartUploadParts",
            ],
            Resource: ["arn:aws:s3:::b/shop/main/*", "arn:aws:s3:::b/_verified/shop/main/*"],
          },
        ],
      },
    ));

  it("has a provider for its region, or the stack's own where its configuration names that region", async () => {
    const providers = async (configured?: string) => {
      pulumi.runtime.setAllConfig(configured === undefined ? {} : { "aws:region": configured });
      const { resources } = await backupGraph(checked(settingsWith([aws])));
      return resources
        .filter(({ type }) => type === "pulumi:providers:aws")
        .map(({ inputs }) => inputs.region);
    };
    try {
      assert.deepEqual(await providers(), ["eu-west-1"]);
      assert.deepEqual(await providers("us-east-1"), ["eu-west-1"]);
      assert.deepEqual(await providers("eu-west-1"), []);
    } finally {
      pulumi.runtime.setAllConfig({});
    }
  });

  it("is locked from its making on, where it has the copy", async () => {
    const copy = { ...aws, name: "copy", bucket: "shop-copies", lockDays: 7 };
    const resources = inputsByName(await made([r2, copy]));
    const place = { bucket: "shop-copies", region: "eu-west-1" };
    assert.deepEqual(resources["main-backup-copy-bucket"], { ...place, objectLockEnabled: true });
    assert.deepEqual(resources["main-backup-copy-lock"], {
      ...place,
      rule: { defaultRetention: { mode: "GOVERNANCE", days: 7 } },
    });
  });

  for (const [region, partition] of [
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["eusc-de-east-1", "aws-eusc"],
    ["eu-central-1", "aws"],
  ] as const)
    it(`is named in its partition: ${region}`, async () => {
      const resources = inputsByName(await made([{ ...aws, region }]));
      const policies = ["main-backup-live-policy", "main-backup-live-access"].map(
        (name) => resources[name]?.policy as string,
      );
      for (const policy of policies) {
        const arns = policy.match(/arn:[a-z-]+:s3/g) ?? [];
        assert.deepEqual([...new Set(arns)], [`arn:${partition}:s3`]);
      }
    });

  it("is spoken to by the user's key", async () => {
    const { resources } = await backupGraph(checked(settingsWith([aws])));
    const secret = resources.find(({ name }) => name === "main-backup-live-credentials")!;
    const encoded = (text: string) => Buffer.from(text).toString("base64");
    assert.deepEqual(secret.inputs.data, {
      secret: {
        accessKeyId: encoded("id-of-main-backup-live-key"),
        secretAccessKey: encoded(mockPassword("main-backup-live-key")),
      },
    });
  });

  it("is spoken to as AWS wants it, in us-east-1 unless the settings say where", () => {
    const settings = checked(settingsWith([{ ...aws, region: undefined }]));
    const { endpoint, region, plainChecksums, pathStyle } = storeOf(settings, settings.backup!.targets[0]!);
    assert.deepEqual([endpoint, region, plainChecksums, pathStyle], [undefined, "us-east-1", false, false]);
  });

  it("that is adopted gets a user and is left alone", async () => {
    const adopted = await made([{ ...aws, adopt: true }]);
    assert.deepEqual(Object.keys(inputsByName(adopted)).sort(), [
      "main-backup-live-access",
      "main-backup-live-key",
      "main-backup-live-user",
    ]);
    assert.deepEqual(await made([{ ...aws, adopt: true, credentials: keys }]), []);
  });
});

describe("buckets of any kind", function () {
  this.timeout(60_000);
  const sets = [[r2], [aws], [r2, { ...aws, name: "copy", bucket: "shop-copies", lockDays: 3 }]] as const;

  it("outlive the stack with all that protects them; keys don't", async () => {
    for (const targets of sets) {
      const resources = (await made(targets)).filter(({ custom }) => custom);
      const isKey = ({ type }: Registered) => /:iam\/|accountToken/.test(type);
      assert.ok(resources.length > 1);
      for (const resource of resources)
        assert.equal(resource.retainOnDelete ?? false, !isKey(resource), resource.name);
    }
  });

  it("are protected in prod, and nowhere else", async () => {
    const protectedOnes = async (tier: string, targets: readonly object[]) => {
      const input = changed(changed(settingsWith(targets), "tier", tier), "cluster.instances", 3);
      const { resources } = await backupGraph(checked(input));
      return resources
        .filter(({ type, protect }) => /^(aws|cloudflare):/.test(type) && protect === true)
        .map(({ type }) => type);
    };
    const inProd = { r2: [r2], aws: [aws] };
    assert.deepEqual(await protectedOnes("prod", inProd.r2), ["cloudflare:index/r2Bucket:R2Bucket"]);
    assert.deepEqual(await protectedOnes("prod", inProd.aws), ["aws:s3/bucket:Bucket"]);
    assert.deepEqual(await protectedOnes("dev", inProd.r2), []);
  });

  it("are children of the backups, and the archive waits for them", async () => {
    const { resources } = await platformGraph(checked(settingsWith([r2])), []);
    const parentOf = (name: string) => resources.find((one) => one.name === name)?.parent;
    assert.equal(parentOf("main-backup-live-bucket"), "main-backup-live");
    assert.equal(parentOf("main-backup-live"), "main-backup");
    const archive = resources.find(({ name }) => name === "main-cluster");
    assert.ok(archive?.dependsOn.includes("main-backup"));
  });

  it("are read from modules that other programs don't load", async () => {
    const loaded = `
      require("./stacks/program");
      const of = (name) => Object.keys(require.cache).filter((file) => file.includes("@pulumi/" + name)).length;
      console.log(JSON.stringify([of("kubernetes") > 0, of("aws"), of("cloudflare")]));`;
    const { stdout } = await run(process.execPath, ["--import", "tsx", "-e", loaded]);
    assert.deepEqual(JSON.parse(stdout), [true, 0, 0]);
  });
});

describe("targets are refused", () => {
  const cases: [title: string, targets: readonly object[], sentence: RegExp][] = [
    [
      "at R2 without the account",
      [{ ...r2, account: undefined }],
      /targets\[0\]\.account: not set\. Allowed: the identifier of the Cloudflare account with the kind r2/,
    ],
    [
      "at R2 with a region",
      [{ ...r2, region: "weur" }],
      /targets\[0\]\.region: must not be set with the kind r2 \("weur"\)\. Fix: leave it out, or use the kind b2 or aws/,
    ],
    [
      "at B2 without the region",
      [{ ...b2, region: undefined }],
      /targets\[0\]\.region: not set\. Allowed: the region of the bucket with the kind b2/,
    ],
    ["at B2 without a key", [{ ...b2, credentials: undefined }], /targets\[0\]\.credentials: not set/],
    [
      "at B2 with the account's master key",
      [{ ...b2, credentials: { ...keys, accessKeyId: "0123456789ab" } }],
      /accessKeyId: "0123456789ab" is not allowed\. Allowed: an application key: this is the account's master key/,
    ],
    [
      "at AWS with an endpoint",
      [{ ...aws, endpoint: "https://s3.example.com" }],
      /targets\[0\]\.endpoint: must not be set with the kind aws \("https:.*"\)\. Fix: leave it out, or use the kind s3/,
    ],
    ["at AWS without a bucket", [{ ...aws, bucket: undefined }], /targets\[0\]\.bucket: not set/],
    [
      "with an account elsewhere",
      [{ ...aws, account }],
      /targets\[0\]\.account: must not be set with the kind aws \(.*\)/,
    ],
    [
      "in a bucket that the platform never makes, adopted",
      [{ ...bucket(), adopt: true }],
      /targets\[0\]\.adopt: must not be set with the kind s3 \(true\)/,
    ],
    [
      "with a lock where the archive is live",
      [{ ...r2, lockDays: 3 }],
      /targets\[0\]\.lockDays: 3 is not allowed\. Allowed: 0 at the first target/,
    ],
    [
      "with a lock that outlasts the backups",
      [r2, { ...aws, name: "copy", lockDays: 8 }],
      /targets\[1\]\.lockDays: 8 is not allowed\. Allowed: at most 7, as long as backups are kept/,
    ],
    [
      "with a lock on a bucket that was there",
      [r2, { ...aws, name: "copy", adopt: true, lockDays: 3 }],
      /targets\[1\]\.lockDays: 3 is not allowed\. Allowed: 0 with a bucket that was there/,
    ],
    [
      "with a lock at B2, where nothing is made",
      [r2, { ...b2, lockDays: 3 }],
      /targets\[1\]\.lockDays: must not be set with the kind b2 \(3\)\. Fix: leave it out, or use the kind r2 or aws/,
    ],
    [
      "with a lock where the store has none",
      [r2, { ...bucket(), lockDays: 3 }],
      /targets\[1\]\.lockDays: must not be set with the kind s3 \(3\)/,
    ],
    [
      "twice in one bucket, by two kinds",
      [{ ...aws, bucket: "jewelry-shop-backups" }, bucket()],
      /targets\[1\]\.bucket: "jewelry-shop-backups" is not allowed\. Allowed: another bucket/,
    ],
  ];
  for (const [title, targets, expected] of cases)
    it(title, () => {
      const found = refused(targets);
      assert.ok(
        found.some((text) => expected.test(text)),
        found.join("\n"),
      );
    });
  it("and not as they should be", () => {
    for (const targets of [[r2], [aws], [r2, b2], [r2, { ...aws, name: "copy", lockDays: 7 }]])
      assert.deepEqual(refused(targets), []);
  });
});
