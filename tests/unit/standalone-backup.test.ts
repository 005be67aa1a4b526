import assert from "node:assert/strict";
import type { KubernetesObject } from "../../plan/objects";
import { liveReaders, planners } from "../../plan/engines/select";
import { backupSql } from "../../plan/engines/standalone/backup";
import { accessRules, configurationFiles } from "../../plan/engines/standalone/configuration";
import { parametersOf } from "../../plan/engines/standalone/parameters";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import { pins } from "../../releases/pins";
import { containersOf } from "../../policy/kubernetes";
import { backUp } from "../../operations/backup";
import { type Subject } from "../../operations/health";
import { check, sentence } from "../../checks/index";
import { platformGraph } from "../support/platform";
import { mockId } from "../support/graph";
import { bucket, changed, checked, smallest } from "../support/settings";

const { standalone } = planners;
const near = { name: "near", kind: "local" } as const;
const alone = (more: object = {}): unknown => ({
  ...changed(
    changed(changed(smallest(), "cluster.engine", "standalone"), "cluster.instances", 1),
    "cluster.durability",
    "async",
  ),
  ...more,
});
const onVolume = alone({ backup: {} });
const toStore = alone({ backup: { targets: [near], rpoMinutes: 1 } });
const restore = { target: "near", archiveId: "0123456789", to: { time: "2026-01-31T23:59:00Z" } };

const objectOf = (input: unknown, id: string): KubernetesObject => {
  const found = standalone.plan(checked(input)).objects.find((one) => one.id === id);
  if (!found) throw new Error(`no object ${id}`);
  return found.object;
};
interface Container {
  name: string;
  command?: string[];
  restartPolicy?: string;
  securityContext: object;
  env: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string } } }[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}
interface Pod {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    containers: Container[];
    initContainers?: Container[];
    securityContext: object;
    affinity?: object;
    volumes: { name: string; persistentVolumeClaim?: { claimName: string } }[];
  };
}
const serverPod = (input: unknown) => (objectOf(input, "server").spec as { template: Pod }).template;
const jobPod = (input: unknown) => (objectOf(input, "first-base-backup").spec as { template: Pod }).template;
const variables = ({ env }: Container) => Object.fromEntries(env.map(({ name, value }) => [name, value]));
const refused = (input: unknown): string => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence).join("\n") : "";
};

describe("base backups of a standalone server", () => {
  it("is ready without its store: an update of the pod must not wait for one that is away", () => {
    const asked = (input: unknown) =>
      (serverPod(input).spec.containers[1] as unknown as { readinessProbe: unknown }).readinessProbe;
    assert.match(JSON.stringify(asked(onVolume)), /\/archiving/);
    assert.match(JSON.stringify(asked(toStore)), /\/applied/);
    assert.doesNotMatch(JSON.stringify(asked(toStore)), /\/archiving/);
  });

  it("are made on the schedule in its time zone, one at a time, and once at first", () => {
    const input = alone({ backup: { schedule: "30 3 * * 1-5", timeZone: "Europe/Berlin" } });
    const { jobTemplate, ...schedule } = objectOf(input, "base-backups").spec as {
      jobTemplate: { spec: unknown };
    };
    assert.deepEqual(schedule, {
      schedule: "30 3 * * 1-5",
      timeZone: "Europe/Berlin",
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    const first = objectOf(input, "first-base-backup");
    assert.deepEqual(first.spec, jobTemplate.spec);
    assert.equal(first.metadata.annotations?.["pulumi.com/skipAwait"], "true");
    const stages = standalone.plan(checked(input)).objects.map(({ id, stage }) => [id, stage] as const);
    const stageOf = Object.fromEntries(stages);
    assert.ok(stageOf["first-base-backup"]! > stageOf.server!);
  });

  it("have names that Kubernetes takes, with the longest name of a cluster and a time behind it", () => {
    const input = changed(onVolume, "cluster.name", "c".repeat(standalone.longestClusterName));
    assert.ok(objectOf(input, "base-backups").metadata.name.length <= 52);
    assert.ok(objectOf(input, "first-base-backup").metadata.name.length <= 63);
    assert.ok(standalone.longestClusterName + "-20260131235900".length <= 63);
  });

  it("go to the archive volume, from a pod beside the server, which no Service takes for it", () => {
    const { metadata, spec } = jobPod(onVolume);
    assert.deepEqual(
      spec.containers.map(({ name, command }) => [name, ...(command ?? [])]),
      [["volume", "/bin/bash", "/etc/pgplatform/config/base.sh"]],
    );
    assert.deepEqual(
      spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []),
      ["main-archive"],
    );
    assert.deepEqual(spec.affinity, {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: standalone.instancePods.labels("main") },
          },
        ],
      },
    });
    const selector = standalone.instancePods.labels("main");
    assert.ok(Object.entries(selector).some(([key, value]) => metadata.labels[key] !== value));
  });

  it("go to the store too, from the data that are mounted to be read only", () => {
    const input = changed(toStore, "cluster.storage.walSize", "3Gi");
    const [volume, store] = jobPod(input).spec.containers;
    assert.deepEqual(store?.command, ["python3", "/etc/pgplatform/config/store.py", "backup"]);
    assert.deepEqual(
      store.volumeMounts.filter(({ name }) => ["data", "wal"].includes(name)),
      [
        { name: "data", mountPath: "/var/lib/postgresql/data", readOnly: true },
        { name: "wal", mountPath: "/var/lib/postgresql/wal", readOnly: true },
      ],
    );
    assert.ok(!volume?.volumeMounts.some(({ name }) => name === "data"));
    assert.equal(variables(store).ARCHIVE_LOCATION, "s3://backups/postgres/main");
  });

  it("log in over TLS that is verified, as a role that is no superuser and has no more rights than it needs", () => {
    const { PGHOST, PGUSER, PGSSLMODE, PGSSLROOTCERT } = variables(jobPod(onVolume).spec.containers[0]!);
    assert.deepEqual(
      [PGHOST, PGUSER, PGSSLMODE, PGSSLROOTCERT],
      ["main.postgres.svc", "pgp_backup", "verify-full", "/etc/pgplatform/tls/ca.crt"],
    );
    const sqlOf = (input: unknown) => {
      const settings = checked(input);
      return scriptsOf(settings, backupSql(settings))[0]!.sql;
    };
    assert.match(
      sqlOf(onVolume),
      /ALTER ROLE "pgp_backup" LOGIN NOCREATEDB NOCREATEROLE NOSUPERUSER REPLICATION NOBYPASSRLS CONNECTION LIMIT 5;/,
    );
    assert.doesNotMatch(sqlOf(onVolume), /pg_backup_start/);
    assert.match(sqlOf(toStore), /GRANT EXECUTE ON FUNCTION pg_backup_start\(text, boolean\) TO pgp_backup;/);
    assert.doesNotMatch(sqlOf(alone()), /CREATE ROLE "pgp_backup"/);
    assert.match(sqlOf(alone()), /ALTER ROLE pgp_backup NOLOGIN NOREPLICATION/);
    const rule = "hostssl postgres,replication pgp_backup all scram-sha-256";
    assert.ok(accessRules(checked(onVolume)).includes(rule));
    assert.ok(!accessRules(checked(alone())).includes(rule));
  });

  it("have a password like every other role, in a Secret of its own", () => {
    const { credentials, passwords } = standalone.plan(checked(onVolume));
    const own = credentials.find(({ role }) => role === "pgp_backup");
    assert.deepEqual(
      [own?.secretName, own?.labels],
      ["main-base-backup", { "pgplatform.io/cluster": "main" }],
    );
    assert.equal(passwords?.keys.pgp_backup, "{password:backup}");
    assert.ok(!("pgp_backup" in standalone.plan(checked(alone())).passwords!.keys));
  });

  it("expire by the settings, which restart nothing", () => {
    const expiry = (input: unknown) => {
      const settings = checked(input);
      return configurationFiles(settings, parametersOf(settings)).expiry;
    };
    assert.equal(expiry(onVolume), "30 7\n");
    const own = alone({ backup: { volume: { baseBackupDays: 14, walRetentionDays: 3 } } });
    assert.equal(expiry(own), "14 3\n");
    assert.deepEqual(serverPod(own), serverPod(onVolume));
    assert.deepEqual(serverPod(onVolume), serverPod(alone()));
  });

  it("are made by a Job that goes with the schedule's CronJob, so that it keeps no volume", async () => {
    const applied: object[] = [];
    const asked: string[] = [];
    const kubectl = {
      get: (kind: string, _: string, name: string) => {
        asked.push(`${kind} ${name}`);
        return Promise.resolve({ metadata: { uid: "the-uid" } });
      },
      apply: (object: object) => Promise.resolve(applied.push(object)),
      list: () =>
        Promise.resolve(
          (applied as { metadata: object }[]).map((job) => ({
            ...job,
            status: { conditions: [{ type: "Complete", status: "True" }] },
          })),
        ),
    };
    const subject = {
      kubectl,
      settings: checked(toStore),
      engine: standalone,
      live: liveReaders.standalone,
    } as unknown as Subject;
    const name = await backUp(subject, { detail: () => undefined, say: () => undefined });
    const { metadata } = objectOf(toStore, "base-backups");
    assert.deepEqual(asked, [`CronJob.v1.batch ${metadata.name}`]);
    const owner = { apiVersion: "batch/v1", kind: "CronJob", name: metadata.name, uid: "the-uid" };
    const [job] = applied as { metadata: { name: string; ownerReferences: object } }[];
    assert.equal(job?.metadata.name, name);
    assert.deepEqual(job?.metadata.ownerReferences, [owner]);
  });

  it("are asked for by a Job, whose conditions say what came of it", () => {
    const backups = standalone.backups!;
    const request = backups.request(checked(toStore), "main-20260131235900");
    assert.ok("object" in request);
    const { object: job } = request;
    assert.equal(job.metadata.name, "main-20260131235900");
    const { ttlSecondsAfterFinished, ...spec } = job.spec as { ttlSecondsAfterFinished: number };
    assert.deepEqual(spec, objectOf(toStore, "first-base-backup").spec);
    assert.equal(ttlSecondsAfterFinished, 7 * 86_400);
    // It is applied as it stands, when the archive was drawn long ago.
    assert.doesNotMatch(JSON.stringify(job), /\{archiveId\}/);
    const after = (status: object) => liveReaders.standalone.baseBackup({ ...job, status })?.phase;
    assert.equal(after({}), "running");
    assert.equal(after({ failed: 1 }), "running");
    assert.equal(after({ conditions: [{ type: "Complete", status: "True" }] }), "done");
    const failed = liveReaders.standalone.baseBackup({
      ...job,
      status: { conditions: [{ type: "Failed", status: "True", message: "it was tried 3 times" }] },
    });
    assert.deepEqual(failed, {
      phase: "failed",
      why: "it was tried 3 times; the log of the Job main-20260131235900 says why",
    });
  });

  it("run restricted, in pods and containers", () => {
    for (const pod of [jobPod(toStore), serverPod({ ...(toStore as object), restore })]) {
      assert.deepEqual(pod.spec.securityContext, {
        runAsNonRoot: true,
        runAsUser: 999,
        runAsGroup: 999,
        fsGroup: 999,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const { name, securityContext } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers])
        if (name !== "exporter")
          assert.deepEqual(
            securityContext,
            {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            name,
          );
    }
    for (const id of ["base-backups", "server"])
      for (const { resources } of containersOf(objectOf({ ...(toStore as object), restore }, id)))
        assert.ok(resources?.requests?.memory !== undefined && resources.limits?.memory !== undefined);
  });
});

describe("a store of a standalone server", () => {
  it("is spoken to by a container that is there before the server and after it", () => {
    const [archiver, ...others] = serverPod(toStore).spec.initContainers ?? [];
    assert.equal(others.length, 0);
    assert.deepEqual(
      [archiver?.name, archiver?.restartPolicy, archiver?.command],
      ["archiver", "Always", ["python3", "/etc/pgplatform/config/store.py", "serve"]],
    );
    assert.ok(archiver?.volumeMounts.find(({ name }) => name === "data")?.readOnly);
    assert.equal(serverPod(onVolume).spec.initContainers, undefined);
    const port = (input: unknown) => variables(serverPod(input).spec.containers[0]!).STORE_PORT;
    assert.deepEqual([port(toStore), port(onVolume)], [variables(archiver).PORT, undefined]);
  });

  it("has its keys by their Secret alone, and is told what it must be", () => {
    for (const container of [
      serverPod(toStore).spec.initContainers![0]!,
      jobPod(toStore).spec.containers[1]!,
    ]) {
      const secret = container.env.filter(({ name }) => /KEY/.test(name));
      assert.deepEqual(
        secret.map(({ name, value, valueFrom }) => [name, value, valueFrom?.secretKeyRef.name]),
        [
          ["ARCHIVE_ACCESS_KEY_ID", undefined, "main-store-near"],
          ["ARCHIVE_SECRET_ACCESS_KEY", undefined, "main-store-near"],
        ],
      );
      const told = variables(container);
      assert.equal(told.ARCHIVE_ENDPOINT, "https://main-store-near.postgres-backups.svc:7070");
      assert.equal(told.ARCHIVE_PLAIN_CHECKSUMS, "yes");
      assert.equal(told.ARCHIVE_CA, "/etc/pgplatform/stores/near/ca.crt");
      assert.ok(container.volumeMounts.some(({ mountPath }) => mountPath === "/etc/pgplatform/stores/near"));
    }
    const aws = variables(jobPod(alone({ backup: { targets: [bucket()] } })).spec.containers[1]!);
    assert.deepEqual(
      [aws.ARCHIVE_ENDPOINT, aws.ARCHIVE_PLAIN_CHECKSUMS, aws.ARCHIVE_CA, aws.ARCHIVE_REGION],
      [undefined, undefined, undefined, "us-east-1"],
    );
  });

  it("is archived to at least every half of the RPO", () => {
    const timeout = (input: unknown) => parametersOf(checked(input)).archive_timeout;
    assert.deepEqual([timeout(toStore), timeout(onVolume), timeout(alone())], ["30s", "60s", "60s"]);
  });

  it("opens these flows and no other", () => {
    const flows = (input: unknown) =>
      standalone
        .plan(checked(input))
        .flows.map(({ name, from, to, port }) => [
          name,
          from.kind === "pods" ? from.name : from.kind,
          to.kind === "pods" ? to.name : to.kind,
          port,
        ]);
    assert.deepEqual(flows(alone()), []);
    assert.deepEqual(flows(onVolume), [["base-backup", "base-backup", "instances", 5432]]);
    assert.deepEqual(flows(toStore), [
      ["base-backup", "base-backup", "instances", 5432],
      ["base-backup-near", "base-backup", "store-near", 7070],
      ["archive-near", "instances", "store-near", 7070],
    ]);
  });

  it("is restored from once, by a container before all others", () => {
    const input = { ...(toStore as object), restore };
    const { initContainers } = serverPod(input).spec;
    assert.deepEqual(
      initContainers?.map(({ name }) => name),
      ["restore", "archiver"],
    );
    for (const container of initContainers) {
      const told = variables(container);
      assert.deepEqual(
        [told.ORIGIN_LOCATION, told.ORIGIN_SERVER],
        ["s3://backups/postgres/main", "0123456789"],
      );
    }
    assert.equal(variables(initContainers[0]!).TARGET, '{"time":"2026-01-31T23:59:00Z"}');
    const from = changed(
      alone({ backup: { targets: [bucket()] }, restore: { ...restore, target: "far" } }),
      "restore.from",
      "shop/old",
    );
    assert.equal(
      variables(serverPod(from).spec.initContainers![0]!).ORIGIN_LOCATION,
      "s3://jewelry-shop-backups/shop/old",
    );
  });

  it("restarts the server when it comes, and says so", () => {
    const pods = (input: unknown) => liveReaders.standalone.shape(objectOf(input, "server"))?.pods.backup;
    assert.deepEqual(pods(onVolume), undefined);
    assert.deepEqual(pods(toStore), [{ name: "archiver", image: pins.images.barmanSidecar }]);
  });

  it("has the archive in a mounted file, once it is registered", async function () {
    this.timeout(120_000);
    const { resources } = await platformGraph(checked(toStore), []);
    assert.doesNotMatch(JSON.stringify(resources), /\{archiveId\}/);
    const config = resources.find(({ name }) => name === "main-cluster-config");
    const { data } = config?.inputs as { data: Record<string, string> };
    assert.equal(data.archiveId, mockId("main-backup-archive-id"));
    assert.ok(!("archiveId" in (objectOf(onVolume, "config").data as object)));
  });
});

describe("settings of base backups on a volume are refused", () => {
  it("with an engine that has none", () => {
    assert.match(
      refused({ ...smallest(), backup: {} }),
      /backup\.targets: \[\] is not allowed\. Allowed: a list of one or two targets with the engine cnpg/,
    );
    assert.match(
      refused({ ...smallest(), backup: { targets: [near], volume: { walRetentionDays: 3 } } }),
      /backup\.volume: .* is not allowed\. Allowed: what the engine cnpg can do: .*\. Fix: leave it out/,
    );
  });

  it("where log would stay longer than what it begins with", () =>
    assert.match(
      refused(alone({ backup: { volume: { baseBackupDays: 3 } } })),
      /backup\.volume\.baseBackupDays: 3 is not allowed\. Allowed: at least 7/,
    ));

  it("where no base backup could be copied", () => {
    const senders = (count: number) =>
      refused(changed(onVolume, "cluster.parameters", { max_wal_senders: count }));
    assert.match(
      senders(1),
      /cluster\.parameters\.max_wal_senders: 1 is not allowed\. Allowed: at least 2 with backup/,
    );
    assert.equal(senders(2), "");
  });
});
