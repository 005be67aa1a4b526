import assert from "node:assert/strict";
import { backupPlan } from "../../plan/backup/plan";
import { readers } from "../../plan/engines/readers";
import { liveReaders } from "../../plan/engines/select";
import { planner as zalando } from "../../plan/engines/zalando/planner";
import { announcements } from "../../operations/announce";
import { check, sentence } from "../../checks/index";
import type { SettingsInput } from "../../settings/schema";
import { type CrdValidator, validatorOf } from "../support/crd";
import { mockId } from "../support/graph";
import { platformGraph } from "../support/platform";
import { bucket, changed, checked, smallest } from "../support/settings";

const near = { name: "near", kind: "local" } as const;
const withBackup = (backup: object, more: object = {}): SettingsInput => ({
  ...changed(smallest(), "cluster.engine", "zalando"),
  backup: { targets: [near], ...backup },
  ...more,
});
const restore = { target: "near", archiveId: "0123456789" };

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}
interface Spec {
  env?: Variable[];
  additionalVolumes?: object[];
  clone?: object;
  postgresql: { parameters: Record<string, string> };
}
const cluster = (input: unknown) =>
  zalando.plan(checked(input)).objects.find(({ id }) => id === "cluster")!.object;
const specOf = (input: unknown) => cluster(input).spec as Spec;
const variables = (input: unknown): Record<string, string | undefined> =>
  Object.fromEntries((specOf(input).env ?? []).map(({ name, value }) => [name, value]));
const refused = (input: unknown): string => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence).join("\n") : "";
};

describe("backups with the Zalando operator", () => {
  it("tell Spilo by the environment where to archive, how, and when to make base backups", () => {
    assert.deepEqual(specOf(withBackup({ recoveryWindowDays: 14 })).env, [
      { name: "USE_WALG_BACKUP", value: "true" },
      { name: "USE_WALG_RESTORE", value: "true" },
      { name: "WALG_COMPRESSION_METHOD", value: "brotli" },
      { name: "WALG_DELTA_MAX_STEPS", value: "6" },
      { name: "WALG_UPLOAD_CONCURRENCY", value: "2" },
      { name: "WALG_DOWNLOAD_CONCURRENCY", value: "2" },
      { name: "WAL_RESTORE_TIMEOUT", value: "2" },
      { name: "BACKUP_SCHEDULE", value: "0 2 * * *" },
      { name: "BACKUP_NUM_TO_RETAIN", value: "14" },
      { name: "WALG_S3_PREFIX", value: "s3://backups/postgres/main/{archiveId}" },
      { name: "AWS_REGION", value: "us-east-1" },
      { name: "AWS_ENDPOINT", value: "https://main-store-near.postgres-backups.svc:7070" },
      { name: "AWS_S3_FORCE_PATH_STYLE", value: "true" },
      { name: "WALG_S3_CA_CERT_FILE", value: "/stores/near/ca.crt" },
      {
        name: "AWS_ACCESS_KEY_ID",
        valueFrom: { secretKeyRef: { name: "main-store-near", key: "accessKeyId" } },
      },
      {
        name: "AWS_SECRET_ACCESS_KEY",
        valueFrom: { secretKeyRef: { name: "main-store-near", key: "secretAccessKey" } },
      },
    ]);
    const [store, ...further] = specOf(withBackup({})).additionalVolumes ?? [];
    assert.deepEqual(
      [store, further.length],
      [
        {
          name: "store-near",
          mountPath: "/stores/near",
          targetContainers: ["postgres"],
          volumeSource: {
            secret: {
              secretName: "main-store-near-ca",
              items: [{ key: "ca.crt", path: "ca.crt" }],
              defaultMode: 0o444,
            },
          },
        },
        1,
      ],
    );
  });

  it("speak to AWS without an endpoint, and to no store without a setting", () => {
    const aws = withBackup({ targets: [{ ...bucket(), region: "eu-central-1" }] });
    const { AWS_REGION, AWS_ENDPOINT, AWS_S3_FORCE_PATH_STYLE, WALG_S3_CA_CERT_FILE } = variables(aws);
    assert.deepEqual(
      [AWS_REGION, AWS_ENDPOINT, AWS_S3_FORCE_PATH_STYLE, WALG_S3_CA_CERT_FILE],
      ["eu-central-1", undefined, undefined, undefined],
    );
    assert.equal(specOf(aws).additionalVolumes?.length, 1, "the volume of the log alone");
    const { env, additionalVolumes } = specOf(changed(smallest(), "cluster.engine", "zalando"));
    assert.deepEqual([env, additionalVolumes?.length], [undefined, 1]);
  });

  it("archive as often as the RPO asks, and no key is in the object", () => {
    for (const [rpoMinutes, timeout] of [
      [1, "30s"],
      [60, "1800s"],
    ] as const)
      assert.equal(
        specOf(withBackup({ rpoMinutes })).postgresql.parameters.archive_timeout,
        timeout,
        `${rpoMinutes} minutes`,
      );
    const given = withBackup({ targets: [bucket()] });
    assert.doesNotMatch(JSON.stringify(cluster(given)), /a secret key|an identifier/);
  });

  it("compress as WAL-G can", () => {
    for (const compression of ["lz4", "zstd", "none", "brotli"])
      assert.equal(variables(withBackup({ compression })).WALG_COMPRESSION_METHOD, compression);
    assert.match(
      refused(withBackup({ compression: "gzip" })),
      /backup\.compression: "gzip" is not allowed\. Allowed: one of brotli, lz4, zstd, none with the engine zalando, which archives with WAL-G\. Fix: choose one of them, or leave it out\./,
    );
    assert.match(
      refused({ ...smallest(), backup: { targets: [near], compression: "brotli" } }),
      /backup\.compression: "brotli" is not allowed\. Allowed: one of gzip, lz4, zstd, none with the engine cnpg/,
    );
    assert.equal(
      checked({ ...smallest(), backup: { targets: [near] } }).backup?.compression,
      "gzip",
      "the default is the engine's own",
    );
  });

  describe("are verified", () => {
    const inCloud = (verify: object = {}): SettingsInput => ({
      ...changed(withBackup({ targets: [bucket()], verify }), "cluster.storage.class", "any"),
      platform: "cloud",
      tier: "dev",
    });
    interface Container {
      name: string;
      image: string;
      env: Variable[];
    }
    const containers = (input: unknown): Record<string, Container> => {
      const settings = checked(input);
      const { objects } = backupPlan(settings, zalando, zalando.plan(settings));
      const job = objects.find(({ id }) => id.startsWith("verify-"))!.object as unknown as {
        spec: {
          jobTemplate: { spec: { template: { spec: Record<"initContainers" | "containers", Container[]> } } };
        };
      };
      const pod = job.spec.jobTemplate.spec.template.spec;
      return Object.fromEntries(
        [...pod.initContainers, ...pod.containers].map((container) => [container.name, container]),
      );
    };
    const told = ({ env }: Container) => Object.fromEntries(env.map(({ name, value }) => [name, value]));

    it("with Spilo's own WAL-G, which is told of each target as the instances are (never run)", () => {
      const { restore, serve, choose, check: checking } = containers(inCloud());
      for (const container of [restore!, serve!]) {
        assert.equal(container.image, checked(inCloud()).images.postgresql);
        assert.deepEqual(told(container), {
          WORK: "/work",
          TOOL: "walg",
          DATA: "/scratch/data",
          HOME: "/tmp",
          WALG_S3_PREFIX: "s3://jewelry-shop-backups/postgres/main/{archiveId}",
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: undefined,
          AWS_SECRET_ACCESS_KEY: undefined,
          WALG_DOWNLOAD_CONCURRENCY: "4",
        });
        assert.deepEqual(
          container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
          [
            { name: "main-store-far", key: "accessKeyId" },
            { name: "main-store-far", key: "secretAccessKey" },
          ],
        );
      }
      assert.deepEqual([told(choose!).TOOL, told(choose!).WINDOW_DAYS], ["walg", "7"]);
      assert.equal(told(checking!).PROGRAMS, "/usr/lib/postgresql/17/bin", "the image has several versions");
    });

    it("with the CA of a store that has one of its own, where the pod has it", () => {
      const k3d: SettingsInput = { ...withBackup({}), platform: "k3d" };
      const { WALG_S3_CA_CERT_FILE, AWS_ENDPOINT, AWS_S3_FORCE_PATH_STYLE } = told(containers(k3d).serve!);
      assert.deepEqual(
        [WALG_S3_CA_CERT_FILE, AWS_ENDPOINT, AWS_S3_FORCE_PATH_STYLE],
        ["/tls/near/ca.crt", "https://main-store-near.postgres-backups.svc:7070", "true"],
      );
    });

    it("with Barman's tools where the image built here archives by them", () => {
      const { restore, choose, check: checking } = containers(withBackup({}));
      assert.equal(restore!.image, checked(withBackup({})).images.backupRestore);
      assert.equal(told(restore!).DESTINATION, "s3://backups/postgres/main");
      for (const one of [restore!, choose!, checking!])
        assert.deepEqual([told(one).TOOL, told(one).PROGRAMS], [undefined, undefined]);
    });

    it("and only then deleted: Spilo keeps them all, unless nothing is verified", () => {
      const kept = (input: unknown) => variables(input).BACKUP_NUM_TO_RETAIN;
      assert.equal(kept(inCloud()), "36500");
      assert.equal(kept(inCloud({ enabled: false })), "7");
      assert.equal(kept(withBackup({})), "7", "the image built here deletes nothing");
      const retention = (input: unknown) => readers.zalando.storeFacts(cluster(input))!.retentionDays;
      assert.deepEqual([retention(inCloud()), retention(inCloud({ enabled: false }))], [undefined, 7]);
    });
  });

  it("know UTC alone", () => {
    assert.equal(refused(withBackup({ timeZone: "UTC" })), "");
    assert.match(
      refused(withBackup({ timeZone: "Europe/Berlin" })),
      /backup\.timeZone: "Europe\/Berlin" is not allowed\. Allowed: what the engine zalando can do: its image starts cron with an empty environment/,
    );
  });

  it("are made on demand by Spilo's own script in the primary's pod, with the environment that the schedule has", () => {
    const request = zalando.backups!.request(checked(withBackup({})), "any");
    assert.deepEqual("command" in request && request.command, [
      "postgres",
      "envdir",
      "/run/etc/wal-e.d/env",
      "sh",
      "-c",
      '/scripts/postgres_backup.sh "$PGDATA"',
    ]);
    assert.deepEqual(zalando.backups!.server, { user: 101, group: 103 });
  });

  it("let the instances reach the store, and nothing else new", () => {
    const flows = (value: unknown) => zalando.plan(checked(value)).flows.map(({ name }) => name);
    const without = flows(changed(smallest(), "cluster.engine", "zalando"));
    assert.deepEqual(
      flows(withBackup({})).filter((name) => !without.includes(name)),
      ["archive-near"],
    );
  });

  it("have no field that the pinned CRD doesn't know", async function () {
    this.timeout(120_000);
    const validator: CrdValidator = await validatorOf("zalando");
    for (const input of [withBackup({}), withBackup({}, { restore })])
      assert.deepEqual(validator.problems(cluster(input)), []);
    const wrong = changed(cluster(withBackup({})), "spec.additionalVolumes.0.mountPath", 5);
    assert.notDeepEqual(validator.problems(wrong), []);
  });

  it("are announced as a restart when they come, and not when only the archive is known by now", () => {
    const shapeOf = (object: object) => liveReaders.zalando.shape(object as never)!;
    const planned = shapeOf(cluster(withBackup({})));
    const known = JSON.parse(
      JSON.stringify(cluster(withBackup({}))).replaceAll("{archiveId}", "aaaaaaaaaa"),
    ) as object;
    assert.deepEqual(announcements({ live: liveReaders.zalando }, shapeOf(known), planned, undefined), []);
    const before = shapeOf(cluster(changed(smallest(), "cluster.engine", "zalando")));
    assert.match(
      announcements({ live: liveReaders.zalando }, before, planned, undefined).join("\n"),
      /additionalVolumes, env: the instances restart one after another/,
    );
  });

  it("get their archive where the cluster is registered", async function () {
    this.timeout(120_000);
    const settings = checked(withBackup({}, { operator: { install: false } }));
    const { resources } = await platformGraph(settings, []);
    assert.doesNotMatch(JSON.stringify(resources), /\{archiveId\}/);
    const registered = resources.find(({ name }) => name === "main-cluster-cluster");
    const { env } = (registered?.inputs as { spec: Spec }).spec;
    assert.equal(
      env?.find(({ name }) => name === "WALG_S3_PREFIX")?.value,
      `s3://backups/postgres/main/${mockId("main-backup-archive-id")}`,
    );
  });
});

describe("a restore with the Zalando operator", () => {
  const cloned = (more: object) => variables(withBackup({}, { restore: { ...restore, ...more } }));

  it("begins with the archive that was asked for, and archives to one of its own", () => {
    const { env, clone } = specOf(withBackup({}, { restore }));
    // Without a moment the operator's own `clone` would copy a running cluster.
    assert.equal(clone, undefined);
    const names = env?.filter(({ name }) => name.startsWith("CLONE_"));
    assert.deepEqual(names, [
      { name: "CLONE_METHOD", value: "CLONE_WITH_WALE" },
      { name: "CLONE_USE_WALG_RESTORE", value: "true" },
      { name: "CLONE_WALG_S3_PREFIX", value: "s3://backups/postgres/main/0123456789" },
      { name: "CLONE_AWS_REGION", value: "us-east-1" },
      { name: "CLONE_AWS_ENDPOINT", value: "https://main-store-near.postgres-backups.svc:7070" },
      { name: "CLONE_AWS_S3_FORCE_PATH_STYLE", value: "true" },
      { name: "CLONE_WALG_S3_CA_CERT_FILE", value: "/stores/near/ca.crt" },
      {
        name: "CLONE_AWS_ACCESS_KEY_ID",
        valueFrom: { secretKeyRef: { name: "main-store-near", key: "accessKeyId" } },
      },
      {
        name: "CLONE_AWS_SECRET_ACCESS_KEY",
        valueFrom: { secretKeyRef: { name: "main-store-near", key: "secretAccessKey" } },
      },
    ]);
    assert.equal(cloned({}).WALG_S3_PREFIX, "s3://backups/postgres/main/{archiveId}");
  });

  it("reads another cluster's place, and stops at a moment that has an offset", () => {
    const given = cloned({ from: "postgres/old", to: { time: "2026-01-31T23:59:00.500Z" } });
    assert.equal(given.CLONE_WALG_S3_PREFIX, "s3://backups/postgres/old/0123456789");
    assert.equal(given.CLONE_TARGET_TIME, "2026-01-31T23:59:00.5+00:00");
  });

  it("goes to a moment only", () => {
    for (const [to, value] of [
      [{ lsn: "0/3000148" }, '"0/3000148"'],
      [{ name: "fair" }, '"fair"'],
    ] as const)
      assert.ok(
        refused(withBackup({}, { restore: { ...restore, to } })).includes(
          `restore.to.${Object.keys(to)[0]}: ${value} is not allowed. Allowed: what the engine zalando can do: its image restores to a moment only. Fix: set restore.to.time`,
        ),
      );
  });
});
