import assert from "node:assert/strict";
import { accessPolicy } from "../../components/buckets/aws";
import { backupPlan } from "../../plan/backup/plan";
import { readers } from "../../plan/engines/readers";
import { planners } from "../../plan/engines/select";
import { endpointOf, storesOf } from "../../plan/backup/store";
import type { KubernetesObject } from "../../plan/objects";
import { layersOver } from "../../operations/layers";
import { placesOf, providersOf, retentionsOf } from "../../policy/backups";
import { check, sentence } from "../../checks/index";
import { validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { bucket, checked, smallest } from "../support/settings";

/** A role of AWS in place of an access key. What EKS and AWS make of it is not shown here: it was never run. */

const roleArn = "arn:aws:iam::123456789012:role/backups/shop-backups";
const { credentials, ...withoutKey } = bucket();
const byRole = { ...withoutKey, roleArn };
const byKey = {
  ...bucket(),
  name: "copy",
  bucket: "shop-copies",
  endpoint: "https://s3.eu-central-003.backblazeb2.com",
};
const made = { name: "live", kind: "aws", bucket: "shop-live", roleArn };
/** Engines that take one. */
const names = ["cnpg", "standalone"] as const;
type Name = (typeof names)[number] | "zalando";

const input = (engine: Name, targets: readonly object[], more: object = {}) => {
  const alone = engine === "standalone" && { instances: 1, durability: "async" };
  const { cluster } = smallest();
  return {
    platform: "cloud",
    tier: "dev",
    operator: { install: false },
    cluster: { ...cluster, ...alone, engine, storage: { size: "2Gi", class: "gp3" } },
    backup: { targets },
    ...more,
  };
};
const settingsOf = (...those: Parameters<typeof input>) => checked(input(...those));
const refused = (targets: readonly object[], more: object = {}): string => {
  const result = check(input("cnpg", targets, more));
  return "problems" in result ? result.problems.map(sentence).join("\n") : "";
};
function objectsOf(...those: Parameters<typeof input>): KubernetesObject[] {
  const settings = settingsOf(...those);
  const engine = planners[those[0]];
  const plan = engine.plan(settings);
  return [...plan.objects, ...backupPlan(settings, engine, plan).objects].map(({ object }) => object);
}
const find = (objects: readonly KubernetesObject[], kind: string, name: string) => {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
};

interface Pod {
  metadata?: { annotations?: Record<string, string> };
  spec: { serviceAccountName?: string; automountServiceAccountToken?: boolean };
}
/** The pod of a workload. */
const podOf = ({ spec }: KubernetesObject): Pod => {
  const { template, jobTemplate } = spec as { template?: Pod; jobTemplate?: { spec: { template: Pod } } };
  return (template ?? jobTemplate?.spec.template)!;
};
const containers = (object: KubernetesObject) => {
  const { spec } = podOf(object) as unknown as { spec: Record<string, { name: string; env?: object[] }[]> };
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  return Object.fromEntries(
    all.map(({ name, env = [] }) => [
      name,
      Object.fromEntries(
        (env as { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string } } }[]).map(
          (one) => [one.name, one.value ?? one.valueFrom?.secretKeyRef?.name],
        ),
      ),
    ]),
  );
};

describe("a role in place of an access key is refused", () => {
  const cases: [title: string, targets: object[], more: object, sentence: RegExp][] = [
    [
      "that is no ARN of a role",
      [{ ...byRole, roleArn: "shop-backups" }],
      {},
      /targets\[0\]\.roleArn: "shop-backups" is not allowed\. Allowed: the ARN of a role such as arn:aws:iam::/,
    ],
    [
      "that is a user",
      [{ ...byRole, roleArn: "arn:aws:iam::123456789012:user/shop" }],
      {},
      /targets\[0\]\.roleArn: .* is not allowed\. Allowed: the ARN of a role/,
    ],
    [
      "beside a key",
      [{ ...byRole, credentials }],
      {},
      /targets\[0\]\.roleArn: must not be set beside credentials \(.*\): it takes their place\. Fix: leave out one of them\./,
    ],
    [
      "for a store that isn't AWS",
      [{ ...byRole, endpoint: "https://store.internal:9000" }],
      {},
      /targets\[0\]\.roleArn: must not be set with an endpoint \(.*\): only AWS knows its roles/,
    ],
    [
      "for R2",
      [{ ...byRole, kind: "r2", account: "0123456789abcdef0123456789abcdef" }],
      {},
      /targets\[0\]\.roleArn: must not be set with the kind r2 \(.*\)\. Fix: leave it out, or use the kind aws or s3/,
    ],
    [
      "for B2",
      [{ ...byRole, kind: "b2", region: "eu-central-003" }],
      {},
      /targets\[0\]\.roleArn: must not be set with the kind b2 \(.*\)/,
    ],
    [
      "for a store beside the cluster",
      [{ name: "near", kind: "local", roleArn }],
      {},
      /targets\[0\]\.roleArn: must not be set with the kind local \(.*\)/,
    ],
    [
      "where another target has another one",
      [byRole, { ...made, roleArn: "arn:aws:iam::123456789012:role/other" }],
      {},
      /targets\[1\]\.roleArn: ".*role\/other" is not allowed\. Allowed: arn:aws:iam::123456789012:role\/backups\/shop-backups, as at the target far: the pods/,
    ],
    [
      "on the built-in cluster, which isn't EKS",
      [byRole],
      { platform: "local" },
      /targets\[0\]\.roleArn: must not be set with the platform local \(.*\): EKS alone gives its pods a role/,
    ],
  ];
  for (const [title, targets, more, expected] of cases)
    it(title, () => assert.match(refused(targets, more), expected));

  it("but not for both targets, beside a key for the other, or in prod with a copy elsewhere", () => {
    assert.equal(refused([byRole, made]), "");
    assert.equal(refused([byKey, byRole]), "");
    assert.equal(refused([made, byKey], { tier: "prod" }), "");
  });

  it("and without one a bucket that is there needs its key", () =>
    assert.match(refused([withoutKey]), /targets\[0\]\.credentials: not set\. Allowed: an access key/));
});

describe("a role in place of an access key (never run)", () => {
  for (const engine of names) {
    it(`is taken by what watches, copies and verifies, and by no container that speaks to no store, on ${engine}`, () => {
      const objects = objectsOf(engine, [byRole, byKey]);
      const account = find(objects, "ServiceAccount", "main-backups");
      assert.deepEqual(account.metadata.annotations, { "eks.amazonaws.com/role-arn": roleArn });
      assert.equal(account.automountServiceAccountToken, false);
      for (const [kind, name] of [
        ["Deployment", "main-backups"],
        ["CronJob", "main-copy"],
        ["CronJob", "main-verify-1"],
        ["CronJob", "main-verify-2"],
      ] as const) {
        const workload = find(objects, kind, name);
        const { metadata, spec } = podOf(workload);
        assert.equal(spec.serviceAccountName, "main-backups", name);
        assert.equal(spec.automountServiceAccountToken, false);
        assert.equal(metadata?.annotations?.["pgplatform.io/role-arn"], roleArn);
        const skipped = metadata?.annotations?.["eks.amazonaws.com/skip-containers"]?.split(",") ?? [];
        for (const [container, variables] of Object.entries(containers(workload)))
          assert.equal(
            skipped.includes(container),
            !Object.keys(variables).some((one) => /^(TARGETS|DESTINATION|WALG_S3_PREFIX)$/.test(one)),
            `${name} ${container}`,
          );
      }
    });

    it(`is used for its own store alone, with no key beside it, on ${engine}`, () => {
      const objects = objectsOf(engine, [byRole, byKey]);
      const { watch } = containers(find(objects, "Deployment", "main-backups"));
      assert.equal(watch?.RCLONE_CONFIG_TARGET1_ENV_AUTH, "true");
      assert.equal(watch?.RCLONE_CONFIG_TARGET1_ACCESS_KEY_ID, undefined);
      assert.equal(watch?.RCLONE_CONFIG_TARGET2_ENV_AUTH, undefined);
      assert.equal(watch?.RCLONE_CONFIG_TARGET2_ACCESS_KEY_ID, "main-store-copy");
      const restoring = (name: string) => containers(find(objects, "CronJob", name)).restore;
      assert.equal(restoring("main-verify-1")?.AWS_ACCESS_KEY_ID, undefined);
      assert.equal(restoring("main-verify-1")?.AWS_SECRET_ACCESS_KEY, undefined);
      assert.equal(restoring("main-verify-2")?.AWS_ACCESS_KEY_ID, "main-store-copy");
      assert.doesNotMatch(JSON.stringify(objects), /main-store-far"[^}]*accessKeyId/);
    });

    it(`leaves no key and no Secret of one, and everything starts after its account, on ${engine}`, async function () {
      this.timeout(60_000);
      const { resources } = await platformGraph(settingsOf(engine, [byRole]), await releasedObjects("cnpg"));
      assert.ok(
        !resources.some(({ name }) => /-credentials$|-key(-id)?$/.test(name) && name.includes("-far-")),
      );
      assert.doesNotMatch(JSON.stringify(resources), /"name":"main-store-far","key"/);
      const watch = resources.find(({ name }) => name === "main-backup-watch");
      const account = resources.find(({ name }) => name === "main-backup-account");
      assert.equal(account?.type, "kubernetes:core/v1:ServiceAccount");
      assert.ok(watch?.dependsOn.includes("main-backup-account"), watch?.dependsOn.join());
    });

    it(`is seen by the policies as a target, on ${engine}`, () => {
      const settings = settingsOf(engine, [byKey, byRole]);
      const objects = objectsOf(engine, [byKey, byRole]);
      const store = storesOf(settings)[1]!;
      const { metadata } = find(objects, "ConfigMap", "main-store-far");
      assert.equal(metadata.annotations?.["pgplatform.io/store-endpoint"], endpointOf(store));
      const facts = objects.flatMap((one) => readers[engine].facts(one) ?? [])[0]!;
      const places = placesOf(objects, facts, {
        ...({} as Parameters<typeof placesOf>[2]),
        endpoint: byKey.endpoint,
        destination: "s3://shop-copies/postgres/main",
      });
      assert.deepEqual(providersOf(places), ["backblazeb2.com", "AWS"]);
      assert.deepEqual(
        retentionsOf({ objects, stores: [], buckets: [], clusters: [] }, withoutKey.bucket),
        [7],
      );
    });
  }

  it("is nowhere to be seen where every target has a key", () => {
    for (const engine of names)
      assert.doesNotMatch(
        JSON.stringify(objectsOf(engine, [byKey])),
        /role-arn|eks\.amazonaws|ENV_AUTH|serviceAccountTemplate|"serviceAccountName"/,
      );
  });

  it("is annotated at CloudNativePG's instances, whose store inherits it", async function () {
    this.timeout(60_000);
    const objects = objectsOf("cnpg", [byRole]);
    const cluster = find(objects, "Cluster", "main");
    assert.deepEqual((cluster.spec as { serviceAccountTemplate?: object }).serviceAccountTemplate, {
      metadata: { annotations: { "eks.amazonaws.com/role-arn": roleArn } },
    });
    const credentialsOf = (name: string, all = objects) =>
      (find(all, "ObjectStore", name).spec as { configuration: { s3Credentials: object } }).configuration
        .s3Credentials;
    assert.deepEqual(credentialsOf("main-archive"), { inheritFromIAMRole: true });
    assert.deepEqual((await validatorOf("cnpg")).problems(cluster), []);
    // A copy by a role takes nothing of the instances.
    const archived = find(objectsOf("cnpg", [byKey, byRole]), "Cluster", "main");
    assert.equal((archived.spec as { serviceAccountTemplate?: object }).serviceAccountTemplate, undefined);
    // But for a restore from it.
    const restored = objectsOf("cnpg", [byKey, byRole], {
      restore: { target: "far", archiveId: "0123456789" },
    });
    assert.ok("serviceAccountTemplate" in (find(restored, "Cluster", "main").spec as object));
    assert.deepEqual(credentialsOf("main-origin", restored), { inheritFromIAMRole: true });
    assert.ok("accessKeyId" in credentialsOf("main-archive", restored));
  });

  it("is refused with Zalando, at either target: WAL-G there can't use it", () => {
    for (const [index, targets] of [[byRole], [byKey, byRole]].entries()) {
      const result = check(input("zalando", targets));
      assert.deepEqual("problems" in result ? result.problems.map(sentence) : [], [
        `pgplatform:backup.targets[${index}].roleArn: "${roleArn}" is not allowed. Allowed: what the engine zalando can do: WAL-G before 3.0.6, which Spilo 4.0-p3 has, asks AWS to assume the role once more, and fails. Fix: give credentials, or choose cnpg.`,
      ]);
    }
  });

  it("is refused in another partition than the bucket's", () => {
    const china = { ...byRole, region: "cn-north-1" };
    assert.match(
      refused([china]),
      /roleArn: .* Allowed: a role of the partition aws-cn, where the region cn-north-1 is/,
    );
    assert.equal(refused([{ ...china, roleArn: roleArn.replace("aws", "aws-cn") }]), "");
    assert.match(
      refused([{ ...made, roleArn: roleArn.replace("aws", "aws-us-gov") }]),
      /a role of the partition aws,/,
    );
  });

  it("is taken by the pods of a standalone server, but by no container of the server's own, and its key is empty", () => {
    const objects = objectsOf("standalone", [byRole]);
    for (const [kind, name, speaks] of [
      ["StatefulSet", "main", ["archiver"]],
      ["CronJob", "main-base", ["store"]],
    ] as const) {
      const workload = find(objects, kind, name);
      const { metadata, spec } = podOf(workload);
      assert.equal(spec.serviceAccountName, "main-backups");
      const skipped = metadata?.annotations?.["eks.amazonaws.com/skip-containers"]?.split(",") ?? [];
      const all = containers(workload);
      assert.deepEqual(
        Object.keys(all).filter((one) => !skipped.includes(one)),
        speaks,
      );
      assert.deepEqual(
        speaks.map((one) => [all[one]?.ARCHIVE_ACCESS_KEY_ID, all[one]?.ARCHIVE_SECRET_ACCESS_KEY]),
        [["", ""]],
      );
    }
    const copied = podOf(find(objectsOf("standalone", [byKey, byRole]), "StatefulSet", "main"));
    assert.equal(copied.spec.serviceAccountName, undefined);
  });

  it("is let into a bucket that the platform makes, without a user; an adopted one is left to its owner", async function () {
    this.timeout(60_000);
    const iam = async (target: object) => {
      const { resources } = await platformGraph(settingsOf("cnpg", [target]), []);
      return resources
        .filter(({ type }) => type.startsWith("aws:"))
        .map(({ type, inputs }) => ({ type, inputs }));
    };
    const asked = await iam(made);
    assert.ok(asked.some(({ type }) => type === "aws:s3/bucket:Bucket"));
    assert.deepEqual(
      asked.filter(({ type }) => type.startsWith("aws:iam")),
      [
        {
          type: "aws:iam/rolePolicy:RolePolicy",
          inputs: {
            role: "shop-backups",
            policy: accessPolicy({
              bucket: "shop-live",
              region: "us-east-1",
              prefix: "postgres/main",
              reports: "_verified/postgres/main",
            }),
          },
        },
      ],
    );
    assert.deepEqual(await iam({ ...made, adopt: true }), []);
  });

  it("needs no stand-in for a key in a preview from nothing", () => {
    const config = { "pgplatform:backup": { targets: [byRole] } };
    assert.deepEqual(
      layersOver({ config }, { engine: undefined, builtIn: false, withoutKeys: true }).said,
      [],
    );
  });
});
