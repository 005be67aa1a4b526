import assert from "node:assert/strict";
import { backupPlan } from "../../../plan/backup/plan";
import { readers } from "../../../plan/engines/readers";
import { endpointOf, storesOf } from "../../../plan/backup/store";
import type { KubernetesObject } from "../../../plan/objects";
import type { EnginePlanner } from "../../../plan/engines/planner";
import { planner as standalone } from "../../../plan/engines/standalone/planner";
import { planner as zalando } from "../../../plan/engines/zalando/planner";
import { invariants, valuesOf } from "../../../policy/invariants";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import { changed, checked, smallest } from "../../support/settings";
import { violationsOf, violationsInStack } from "./kit";

/** Policies of archives and base backups by the engines without objects of their own for them: each right and wrong, as rendered. */

const account = "0123456789abcdef0123456789abcdef";
const credentials = { accessKeyId: "an id", secretAccessKey: "a secret key" };
const targets = [
  { name: "live", kind: "r2", bucket: "orders", account },
  { name: "copy", kind: "b2", bucket: "copies", region: "eu-central-003", adopt: true, credentials },
];

const inputOf: Record<string, object> = {
  zalando: changed(smallest(), "cluster.engine", "zalando"),
  standalone: changed(
    changed(changed(smallest(), "cluster.engine", "standalone"), "cluster.instances", 1),
    "cluster.durability",
    "async",
  ),
};

/** What the platform renders, with the Secrets that its components add. */
function rendered(engine: EnginePlanner, backup: object | undefined): KubernetesObject[] {
  const settings = checked({ ...inputOf[engine.name], platform: "local", ...(backup && { backup }) });
  const plan = engine.plan(settings);
  const { name, namespace } = settings.cluster;
  const secrets = storesOf(settings).map((store): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `main-store-${store.name}`,
      namespace,
      labels: { "pgplatform.io/cluster": name, "pgplatform.io/role": "backup-target" },
      annotations: {
        "pgplatform.io/store-endpoint": endpointOf(store),
        "pgplatform.io/store-bucket": store.bucket,
        "pgplatform.io/recovery-window-days": "7",
      },
    },
  }));
  return [...plan.objects, ...backupPlan(settings, engine, plan).objects]
    .map(({ object }) => structuredClone(object))
    .concat(secrets);
}

const clusterOf = (engine: EnginePlanner, objects: readonly KubernetesObject[]): KubernetesObject =>
  objects.find(({ kind }) => kind === engine.clusterKind.kind)!;

interface Variable {
  name: string;
  value?: string;
}
/** Variables of a list set, or removed with undefined. */
const withVariables = (env: readonly Variable[], values: Record<string, string | undefined>): Variable[] => [
  ...env.filter(({ name }) => !(name in values)),
  ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
];

const inEnv =
  (values: Record<string, string | undefined>) =>
  (object: KubernetesObject): KubernetesObject =>
    changed(object, "spec.env", withVariables((object.spec as { env?: Variable[] }).env ?? [], values));

const inArchiver =
  (values: Record<string, string | undefined>) =>
  (object: KubernetesObject): KubernetesObject => {
    const copy = structuredClone(object);
    const { initContainers } = (
      copy.spec as { template: { spec: { initContainers: { name: string; env: Variable[] }[] } } }
    ).template.spec;
    const archiver = initContainers.find(({ name }) => name === "archiver")!;
    archiver.env = withVariables(archiver.env, values);
    return copy;
  };

const names = [
  "wal-archiving",
  "base-backups",
  "daily-base-backups",
  "base-backup-schedule",
  "two-targets",
  "one-archive",
  "archive-of-its-own",
  "current-archiver",
  "explicit-backup-method",
  "plain-checksums",
  "no-encryption-header-at-r2",
  "archive-timeout",
  "weekly-verification",
];

for (const engine of [zalando, standalone] as EnginePlanner[]) {
  const { kind } = engine.clusterKind;
  const at = `${kind} postgres/main`;

  describe(`the policies of backups, about the engine ${engine.name}`, () => {
    let good: KubernetesObject[];
    before(() => {
      good = rendered(engine, { targets });
    });

    it("have nothing to say about the platform's own", () => {
      const found = invariants
        .filter(({ name }) => names.includes(name))
        .flatMap((invariant) =>
          invariant.on === "stack"
            ? invariant.check(stackFacts(good), valuesOf(invariant)).map(sentence)
            : good.flatMap((object) => violationsOf(invariant.name, object)),
        );
      assert.deepEqual(found, []);
    });

    it("say when its WAL goes to no store", () => {
      const without = clusterOf(engine, rendered(engine, undefined));
      const value = engine === zalando ? "none" : "on the volume main-archive alone";
      assert.deepEqual(violationsOf("wal-archiving", without), [
        `${at}: WAL archive: "${value}" is not allowed. Allowed: one, since what isn't archived is lost with the cluster. Fix: set pgplatform:backup, or name an archiver.`,
      ]);
    });

    it("say when its base backups are rare, or have no schedule that is one", () => {
      const weekly = rendered(engine, { targets, schedule: "0 2 * * 0" });
      const found = weekly.flatMap((object) => violationsOf("daily-base-backups", object));
      assert.equal(found.length, 1);
      assert.match(
        found[0]!,
        /^(postgresql|CronJob) postgres\/main(-base)?: schedule: "0 2 \* \* 0" is not allowed\. Allowed: at least daily/,
      );
      assert.deepEqual(
        weekly.flatMap((object) => violationsOf("daily-base-backups", object, { most: 7 })),
        [],
      );
    });

    it("say when there is one target, when both are one provider's, and when nothing is verified", () => {
      const one = rendered(engine, { targets: targets.slice(0, 1) });
      assert.deepEqual(violationsInStack("two-targets", one), [
        'Cluster postgres/main: backup targets: "one" is not allowed. Allowed: two at different providers, so that no provider, account or key takes both. Fix: copy to another provider.',
      ]);
      const both = rendered(engine, {
        targets: [targets[0], { ...targets[0], name: "copy", bucket: "copies" }],
      });
      assert.match(
        violationsInStack("two-targets", both)[0] ?? "",
        /: "2 at cloudflarestorage.com" is not allowed/,
      );
      const unverified = rendered(engine, { targets, verify: { enabled: false } });
      assert.deepEqual(violationsInStack("weekly-verification", unverified), [
        'Cluster postgres/main: verification of backups: "none" is not allowed. Allowed: one at least every 7 days, since only a restore proves a backup. Fix: schedule one.',
      ]);
    });

    it("say when two clusters archive to one place", () => {
      const second = structuredClone(clusterOf(engine, good));
      second.metadata.name = "second";
      const found = violationsInStack("archive-of-its-own", [...good, second]);
      assert.equal(found.length, 1);
      assert.match(found[0]!, /^Cluster postgres\/second: archive: "https:.* s3:\/\/order/);
      assert.match(found[0]!, /Allowed: another place or name than that of the cluster postgres\/main/);
    });

    it("say when what isn't archived yet may be more than the recovery point objective", () => {
      const settings = { ...inputOf[engine.name], platform: "local", backup: { targets } };
      // The check would refuse it.
      const plan = engine.plan(
        changed(checked(settings), "cluster.parameters", { archive_timeout: "20min" }),
      );
      const cluster = clusterOf(
        engine,
        plan.objects.map(({ object }) => object),
      );
      assert.match(violationsOf("archive-timeout", cluster)[0] ?? "", /: archive_timeout: "1200s"/);
    });
  });
}

describe("what Spilo is told", () => {
  let objects: KubernetesObject[];
  let cluster: KubernetesObject;
  before(() => {
    objects = rendered(zalando, { targets });
    cluster = clusterOf(zalando, objects);
  });
  const withEnv = (values: Record<string, string | undefined>) => inEnv(values)(cluster);
  // Its operator's configuration is in no stack here.
  const store = (object: KubernetesObject) => readers.zalando.storeFacts(object, [])!;

  it("is five fields, or Spilo's own schedule", () => {
    assert.deepEqual(violationsOf("base-backup-schedule", withEnv({ BACKUP_SCHEDULE: "0 0 2 * * *" })), [
      'postgresql postgres/main: schedule: "0 0 2 * * *" is not allowed. Allowed: cron\'s five fields. Fix: write it so.',
    ]);
    for (const schedule of [undefined, "@daily", "0 2 * * MON-SUN", "0 2 * * 1-7"]) {
      const object = withEnv({ BACKUP_SCHEDULE: schedule });
      assert.deepEqual(violationsOf("base-backup-schedule", object), []);
      assert.deepEqual(violationsOf("daily-base-backups", object), []);
    }
  });

  it("is an archive by any of its variables, and a place only in S3's", () => {
    const nothing = changed(cluster, "spec.env", undefined);
    for (const name of ["WAL_S3_BUCKET", "WALE_S3_PREFIX", "WAL_GS_BUCKET", "WALG_AZ_PREFIX"]) {
      const object = inEnv({ [name]: "somewhere", USE_WALG_BACKUP: "true" })(nothing);
      assert.deepEqual(violationsOf("wal-archiving", object), [], name);
      assert.equal(
        readers.zalando.facts(object, [])?.archive?.store !== undefined,
        name.includes("S3"),
        name,
      );
    }
    assert.equal(readers.zalando.baseBackupFacts(nothing, []), undefined);
    assert.equal(readers.zalando.storeFacts(nothing, []), undefined);
  });

  it("is the place that Spilo makes of bucket, scope and cluster, where no prefix is given", () => {
    const foreign = changed(cluster, "metadata.annotations", {});
    const place = (values: Record<string, string | undefined>) =>
      store(inEnv({ WALG_S3_PREFIX: undefined, ...values })(foreign)).destination;
    assert.equal(place({ WAL_S3_BUCKET: "b" }), "s3://b/spilo/main/wal");
    assert.equal(
      place({ WAL_S3_BUCKET: "b", WAL_BUCKET_SCOPE_PREFIX: "a-", WAL_BUCKET_SCOPE_SUFFIX: "/17" }),
      "s3://b/spilo/a-main/17/wal",
    );
    assert.equal(place({ WALE_S3_PREFIX: "s3://b/c/" }), "s3://b/c");
    assert.equal(store(cluster).destination, "s3://orders/postgres/main");
    assert.equal(readers.zalando.facts(cluster)?.archive?.archiveId, "{archiveId}");
  });

  it("isn't WAL-E, which is Spilo's default", () => {
    for (const values of [{ USE_WALG_BACKUP: undefined }, { USE_WALG_BACKUP: "false", USE_WALG: "true" }])
      assert.deepEqual(violationsOf("current-archiver", withEnv(values)), [
        'postgresql postgres/main: archiver: "WAL-E" is not allowed. Allowed: WAL-G (USE_WALG_BACKUP is true): WAL-E is no longer maintained. Fix: move the archive.',
      ]);
    assert.deepEqual(
      violationsOf("current-archiver", withEnv({ USE_WALG_BACKUP: undefined, USE_WALG: "true" })),
      [],
    );
  });

  it("asks R2 for no encryption, which Spilo does by itself where it isn't told of an endpoint", () => {
    const says = (value: string) => [
      `postgresql postgres/main: encryption: "${value}" is not allowed. Allowed: none at R2, which refuses the header and encrypts by itself. Fix: remove it.`,
    ];
    const find = (values: Record<string, string>) =>
      violationsOf("no-encryption-header-at-r2", withEnv(values));
    assert.deepEqual(find({ WALG_S3_SSE: "aws:kms" }), says("aws:kms"));
    assert.deepEqual(find({ WALG_DISABLE_S3_SSE: "false" }), says("AES256"));
    assert.deepEqual(find({ WALG_DISABLE_S3_SSE: "true" }), []);
    assert.equal(store(withEnv({ AWS_ENDPOINT: undefined })).encryption, "AES256");
  });

  it("has no checksums in it that only AWS knows, wherever it goes: WAL-G's library has none (not run here)", () => {
    assert.deepEqual(
      violationsOf("plain-checksums", withEnv({ AWS_ENDPOINT: "https://s3.example.com" })),
      [],
    );
  });

  it("keeps so many days, at least two", () => {
    const days = (count: string | undefined) => store(withEnv({ BACKUP_NUM_TO_RETAIN: count })).retentionDays;
    assert.deepEqual([days("7"), days("1"), days(undefined)], [7, 2, 5]);
  });

  it("is judged though the archive's name isn't known yet", () => {
    const unknown = structuredClone(cluster);
    const variable = (unknown.spec as { env: Variable[] }).env.find(({ name }) => name === "WALG_S3_PREFIX")!;
    Object.defineProperty(variable, "value", {
      enumerable: true,
      get() {
        throw new Error("not known");
      },
    });
    const stack = objects.map((one) => (one === cluster ? unknown : one));
    for (const name of names) {
      const invariant = invariants.find((one) => one.name === name)!;
      if (invariant.on === "stack") assert.deepEqual(violationsInStack(name, stack), [], name);
      else assert.deepEqual(violationsOf(name, unknown), [], name);
    }
  });
});

describe("what the standalone server's pods are told", () => {
  let objects: KubernetesObject[];
  before(() => {
    objects = rendered(standalone, { targets });
  });

  it("leaves out checksums that R2 refuses", () => {
    const cluster = clusterOf(standalone, objects);
    assert.deepEqual(
      violationsOf("plain-checksums", inArchiver({ ARCHIVE_PLAIN_CHECKSUMS: undefined })(cluster)),
      [
        `StatefulSet postgres/main: checksums: "sent always" is not allowed. Allowed: when_required in both directions at https://${account}.r2.cloudflarestorage.com, which is not AWS. Fix: set AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION.`,
      ],
    );
  });

  it("is a schedule of base backups in a CronJob of their role, which isn't suspended", () => {
    const jobs = (change: (object: KubernetesObject) => KubernetesObject) =>
      objects.map((one) => (one.metadata.name === "main-base" ? change(one) : one));
    const none = (value: string) => [
      `Cluster postgres/main: base backups: "${value}" is not allowed. Allowed: a schedule, since archived WAL alone restores nothing. Fix: add one to the stack, or resume it.`,
    ];
    const find = (change: (object: KubernetesObject) => KubernetesObject) =>
      violationsInStack("base-backups", jobs(change));
    assert.deepEqual(
      find((one) => changed(one, "spec.suspend", true)),
      none("suspended"),
    );
    assert.deepEqual(
      find((one) => changed(one, "metadata.namespace", "other")),
      none("none"),
    );
    assert.deepEqual(
      find((one) => ({ ...one, metadata: { ...one.metadata, labels: { "pgplatform.io/cluster": "main" } } })),
      none("none"),
    );
    const [job] = jobs((one) => changed(one, "spec.schedule", "0 0 2 * * *")).filter(
      ({ metadata }) => metadata.name === "main-base",
    );
    assert.deepEqual(violationsOf("base-backup-schedule", job!), [
      'CronJob postgres/main-base: schedule: "0 0 2 * * *" is not allowed. Allowed: cron\'s five fields, with 0 to 6 for the days of the week. Fix: write it so.',
    ]);
    const said = (schedule: string) =>
      violationsOf("base-backup-schedule", changed(job!, "spec.schedule", schedule)).length;
    assert.deepEqual(["0 2 * * 1-7", "0 2 * * 1-6", "@every 24h"].map(said), [1, 0, 0]);
  });

  it("isn't judged by what goes to the archive volume alone", () => {
    const volume = rendered(standalone, { volume: { walRetentionDays: 3 } });
    for (const name of ["base-backups", "two-targets", "weekly-verification"])
      assert.deepEqual(violationsInStack(name, volume), [], name);
  });
});
