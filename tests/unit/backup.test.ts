import assert from "node:assert/strict";
import { planLocalStores } from "../../plan/backup/localStore";
import { liveReaders, planners } from "../../plan/engines/select";
import { backupPlan } from "../../plan/backup/plan";
import { storeOf } from "../../plan/backup/store";
import { rawSettings } from "../../stacks/program";
import { check, sentence } from "../../checks/index";
import { type Graph, mockId, mockPassword } from "../support/graph";
import { releasedObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { bucket, certificate, changed, checked, everything, smallest } from "../support/settings";

const { cnpg } = planners;
const near = { name: "near", kind: "local" } as const;
const withBackup = (backup: object, more: object = {}): unknown => ({ ...smallest(), backup, ...more });
const planned = (input: unknown) => cnpg.plan(checked(input));
const object = (input: unknown, id: string) => planned(input).objects.find((one) => one.id === id)?.object;

/** The sentences of a backup that is refused, in the stack that is the smallest otherwise. */
function refused(backup: object, more: object = {}): string[] {
  const result = check(withBackup(backup, more));
  return "problems" in result ? result.problems.map(sentence) : [];
}

describe("backups are refused", () => {
  const cases: [title: string, backup: object, sentence: RegExp][] = [
    [
      "without a target",
      { targets: [] },
      /backup\.targets: \[\] is not allowed\. Allowed: a list of one or two targets/,
    ],
    [
      "to three targets",
      { targets: [near, bucket(), { ...bucket(), name: "third" }] },
      /Allowed: a list of one or two targets/,
    ],
    [
      "to two targets of one name",
      { targets: [near, { ...bucket(), name: "near" }] },
      /backup\.targets\[1\]\.name: "near" is not allowed\. Allowed: a name that the first target doesn't have/,
    ],
    [
      "twice to one bucket",
      { targets: [bucket(), { ...bucket(), name: "copy" }] },
      /backup\.targets\[1\]\.bucket: "jewelry-shop-backups" is not allowed\. Allowed: another bucket than that of the target far/,
    ],
    [
      "by six fields",
      { targets: [near], schedule: "0 0 2 * * *" },
      /backup\.schedule: "0 0 2 \* \* \*" is not allowed\. Allowed: cron's five fields/,
    ],
    [
      "at a time that never comes",
      { targets: [near], schedule: "0 0 30 2 *" },
      /backup\.schedule: "0 0 30 2 \*" is not allowed/,
    ],
    [
      "in a zone that isn't one",
      { targets: [near], timeZone: "Mars/Base" },
      /backup\.timeZone: "Mars\/Base" is not allowed/,
    ],
    [
      "less often than the recovery window",
      { targets: [near], schedule: "0 2 1 * *" },
      /Allowed: at least every 7 days, the recovery window/,
    ],
    [
      "to a bucket without a name",
      { targets: [{ ...bucket(), bucket: undefined }] },
      /targets\[0\]\.bucket: not set/,
    ],
    [
      "to a bucket without a key",
      { targets: [{ ...bucket(), credentials: undefined }] },
      /targets\[0\]\.credentials: not set/,
    ],
    [
      "to a store without TLS",
      { targets: [{ ...bucket(), endpoint: "http://store:9000" }] },
      /targets\[0\]\.endpoint: "http:/,
    ],
    [
      "to a store whose CA is a file's name",
      { targets: [{ ...bucket(), endpoint: "https://store", caCertificate: "/etc/ssl/ca.pem" }] },
      /targets\[0\]\.caCertificate: "\/etc\/ssl\/ca\.pem" is not allowed\. Allowed: one certificate or more in PEM/,
    ],
    [
      "to a store whose CA is cut off",
      { targets: [{ ...bucket(), endpoint: "https://store", caCertificate: certificate.slice(0, 200) }] },
      /targets\[0\]\.caCertificate: "-----BEGIN CERTIFICATE/,
    ],
    [
      "to a store whose CA is no certificate inside",
      {
        targets: [
          {
            ...bucket(),
            endpoint: "https://store",
            caCertificate: certificate.replace(/\nMII\w+/, "\nMIIabc"),
          },
        ],
      },
      /targets\[0\]\.caCertificate: "-----BEGIN CERTIFICATE/,
    ],
    [
      "to AWS with a CA",
      { targets: [{ ...bucket(), caCertificate: certificate }] },
      /targets\[0\]\.caCertificate: must not be set without an endpoint \("given"\)/,
    ],
    [
      "to a store beside the cluster with a CA",
      { targets: [{ ...near, caCertificate: certificate }] },
      /targets\[0\]\.caCertificate: must not be set with the kind local \("given"\)/,
    ],
    [
      "to a target of no kind",
      { targets: [{ name: "far" }] },
      /targets\[0\]\.kind: not set\. Allowed: r2, b2, aws, s3, local\. Fix: set it\.$/,
    ],
    [
      "to a target of a kind that isn't there",
      { targets: [{ ...bucket(), kind: "gcs" }] },
      /targets\[0\]\.kind: "gcs" is not allowed\. Allowed: r2, b2, aws, s3, local\. Fix: choose an allowed value\.$/,
    ],
    [
      "to a target with a setting that no kind has",
      { targets: [{ ...near, folder: "/backups" }] },
      /targets\[0\]\.folder: no such setting \("\/backups"\)\. Allowed: name, kind, region, size\. Fix: remove it, or correct its spelling\.$/,
    ],
    [
      "to a store beside the cluster with a key",
      { targets: [{ ...near, credentials: bucket().credentials }] },
      /targets\[0\]\.credentials: must not be set with the kind local \("given"\)\. Fix: leave it out, or use the kind r2 or b2 or aws or s3\.$/,
    ],
    [
      "to a bucket without a name, of any kind",
      { targets: [{ ...bucket(), kind: "aws", bucket: undefined }] },
      /targets\[0\]\.bucket: not set\. Allowed: the name of a bucket with the kind aws\. Fix: set it\.$/,
    ],
    [
      "to a store beside the cluster with a bucket",
      { targets: [{ ...near, bucket: "abc" }] },
      /targets\[0\]\.bucket: must not be set with the kind local \("abc"\)/,
    ],
    [
      "to a store that is too small",
      { targets: [{ ...near, size: "10Mi" }] },
      /targets\[0\]\.size: "10Mi" is not allowed\. Allowed: at least 1Gi/,
    ],
    [
      "with a copy at a time that never comes",
      { targets: [near], copy: { schedule: "0 0 30 2 *" } },
      /backup\.copy\.schedule: "0 0 30 2 \*" is not allowed\. Allowed: a schedule that fires/,
    ],
    [
      "with a verification by six fields",
      { targets: [near], verify: { schedule: "0 0 5 * * 0" } },
      /backup\.verify\.schedule: "0 0 5 \* \* 0" is not allowed\. Allowed: cron's five fields/,
    ],
    [
      "with a verification that is neither on nor off",
      { targets: [near], verify: { enabled: "sometimes" } },
      /backup\.verify\.enabled: "sometimes" is not allowed\. Allowed: true or false/,
    ],
    [
      "with a dump that is neither on nor off",
      { targets: [near], verify: { dump: "weekly" } },
      /backup\.verify\.dump: "weekly" is not allowed\. Allowed: true or false/,
    ],
    [
      "with a scratch volume without a size",
      { targets: [near], verify: { size: "large" } },
      /backup\.verify\.size: "large" is not allowed\. Allowed: a Kubernetes quantity of bytes/,
    ],
    [
      "with a query that asks nothing",
      { targets: [near], verify: { queries: [{ name: "orders", sql: "x" }] } },
      /backup\.verify\.queries\[0\]\.sql: "x" is not allowed\. Allowed: a query of 8 to 10,000 characters that returns one true/,
    ],
    [
      "with two queries of one name in one database, which one of them names",
      {
        targets: [near],
        verify: {
          queries: [
            { name: "orders", sql: "select true" },
            { name: "orders", database: "app", sql: "select 1 = 1" },
          ],
        },
      },
      /backup\.verify\.queries\[1\]\.name: "orders" is not allowed\. Allowed: a name that no other query of its database has\. Fix: rename it\.$/,
    ],
    [
      "with a query of a database that isn't there",
      { targets: [near], verify: { queries: [{ name: "orders", database: "shop", sql: "select true" }] } },
      /backup\.verify\.queries\[0\]\.database: "shop" is not allowed\. Allowed: one of pgplatform:cluster\.databases \(app\), or postgres\. Fix: correct it, or add the database\.$/,
    ],
    [
      "with a verification that would wait for the copy for most of a day",
      { targets: [near, { ...near, name: "far" }], copy: { schedule: "0 3 * * *" } },
      /backup\.verify\.schedule: "0 5 \* \* 0" is not allowed\. Allowed: at most 6 hours before the next copy, which it waits for \(backup\.copy\.schedule is 0 3 \* \* \*\)\. Fix: verify shortly before the copy, or copy more often\.$/,
    ],
    [
      "with a log older than an hour",
      { targets: [near], rpoMinutes: 90 },
      /backup\.rpoMinutes: 90 is not allowed\. Allowed: a whole number of minutes from 1 to 60/,
    ],
  ];
  for (const [title, backup, expected] of cases)
    it(title, () => {
      const found = refused(backup);
      assert.ok(
        found.some((text) => expected.test(text)),
        found.join("\n"),
      );
    });

  it("but not with queries of one name in two databases, nor with a copy that comes soon, or that nothing waits for", () => {
    const two = changed(smallest(), "cluster.databases", [
      { name: "app", owner: "app" },
      { name: "shop", owner: "shop" },
    ]);
    const queries = ["app", "shop"].map((database) => ({ name: "orders", database, sql: "select true" }));
    const targets = [near, { ...near, name: "far" }];
    for (const backup of [
      { targets, verify: { queries } },
      { targets, copy: { schedule: "0 3 * * *" }, verify: { schedule: "30 2 * * 0" } },
      { targets, copy: { schedule: "0 3 * * *" }, verify: { enabled: false } },
      { targets: [near], copy: { schedule: "0 3 * * *" } },
      // What says no more than the default of other kinds.
      { targets: [{ ...near, adopt: false, lockDays: 0 }] },
    ])
      assert.ok("settings" in check({ ...two, backup }), JSON.stringify(backup));
  });

  it("with the key in no sentence", () => {
    const found = refused({
      targets: [{ ...bucket(), credentials: { accessKeyId: "id", secretAccessKey: "hunter22", x: 1 } }],
    });
    assert.ok(found.length > 0);
    assert.doesNotMatch(found.join("\n"), /hunter22/);
  });

  it("with a private key in no sentence, whatever it was given for", () => {
    const key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIabcdef\n-----END EC PRIVATE KEY-----\n";
    const found = refused({
      targets: [{ ...bucket(), endpoint: "https://store", caCertificate: certificate + key }],
    });
    assert.match(found.join("\n"), /targets\[0\]\.caCertificate: "\(hidden\)"/);
  });

  it("in prod: seldom, or only beside the cluster", () => {
    const prod = { ...everything(), backup: { targets: [near], schedule: "0 2 * * 1" } };
    const result = check(prod);
    const found = "problems" in result ? result.problems.map(sentence).join("\n") : "";
    assert.match(
      found,
      /backup\.schedule: "0 2 \* \* 1" is not allowed\. Allowed: in the tier prod at least daily: a restore/,
    );
    assert.match(
      found,
      /backup\.targets\[0\]\.kind: "local" is not allowed\. Allowed: a store outside of the Kubernetes cluster/,
    );
  });
});

describe("a second target", () => {
  const copy = (more: object) => ({ ...bucket(), name: "copy", ...more });
  const elsewhere = { endpoint: "https://s3.eu-central-003.backblazeb2.com" };
  const keys = { accessKeyId: "another", secretAccessKey: "a second key" };
  const sentences = (second: object, tier: "dev" | "prod") => {
    const result = check({
      ...everything(),
      tier,
      kubernetes: {},
      backup: { targets: [bucket(), second] },
    });
    return "problems" in result ? result.problems.map(sentence) : [];
  };

  it("may have the same bucket's name elsewhere, by another key", () =>
    assert.deepEqual(sentences(copy({ ...elsewhere, credentials: keys }), "prod"), []));

  it("is refused in prod at the same provider, whatever the region", () => {
    const [same, ...others] = sentences(copy({ bucket: "other", credentials: keys }), "prod");
    assert.match(
      same ?? "",
      /backup\.targets\[1\]\.kind: "s3" is not allowed\. Allowed: a store of another provider than amazonaws\.com, where the target far is, in the tier prod/,
    );
    assert.deepEqual(others, []);
    const normalizedTime = copy({
      bucket: "other",
      endpoint: "https://s3.eu-west-1.amazonaws.com",
      credentials: keys,
    });
    assert.match(sentences(normalizedTime, "prod").join("\n"), /targets\[1\]\.endpoint: "https:/);
  });

  it("is refused in prod with the first one's key", () =>
    assert.match(
      sentences(copy(elsewhere), "prod").join("\n"),
      /targets\[1\]\.credentials\.accessKeyId: "an identifier" is not allowed\. Allowed: another key than that of the target far/,
    ));

  it("may be beside the first one in dev, with its key", () => {
    assert.deepEqual(sentences(copy({ bucket: "other" }), "dev"), []);
    assert.deepEqual(sentences({ name: "copy", kind: "local" }, "dev"), []);
  });

  it("gets its Secret, and the first one stays the archive", () => {
    const settings = checked(withBackup({ targets: [near, { name: "copy", kind: "local" }] }));
    const archive = cnpg.plan(settings).objects.find(({ id }) => id === "archive")?.object.spec as {
      configuration: { endpointURL: string };
    };
    assert.equal(archive.configuration.endpointURL, "https://main-store-near.postgres-backups.svc:7070");
    assert.deepEqual(
      settings.backup?.targets.map((target) => storeOf(settings, target).login),
      [{ secretName: "main-store-near" }, { secretName: "main-store-copy" }],
    );
  });
});

describe("a restore is refused", () => {
  const restore = { target: "near", archiveId: "0123456789" };
  it("but not for a time without quotes, which Pulumi hands on in Go's form", () => {
    const written = (time: string) =>
      rawSettings({ "pgplatform:restore": JSON.stringify({ to: { time } }) }).restore;
    for (const [given, read] of [
      ["2026-11-22 04:31:01.678946 +0000 UTC", "2026-11-22T04:31:01.678946+00:00"],
      ["2026-11-22 04:31:01 +0100 CET", "2026-11-22T04:31:01+01:00"],
      ["2026-11-22T04:31:01Z", "2026-11-22T04:31:01Z"],
    ] as const) {
      assert.deepEqual(written(given), { to: { time: read } });
      const full = { ...restore, to: { time: read } };
      assert.deepEqual(refused({ targets: [near] }, { restore: full }), []);
    }
  });

  const cases: [title: string, restore: object, sentence: RegExp][] = [
    [
      "from a target that isn't there",
      { ...restore, target: "far" },
      /restore\.target: "far" is not allowed\. Allowed: one of the backup targets \(near\)/,
    ],
    [
      "from a store beside a cluster in another namespace",
      { ...restore, from: "shop/main" },
      /restore\.from: "shop\/main" is not allowed\. Allowed: a cluster of the namespace postgres, where the store near is/,
    ],
    [
      "of something else than an archive",
      { ...restore, archiveId: "latest" },
      /restore\.archiveId: "latest" is not allowed\. Allowed: the ten characters/,
    ],
    [
      "to a time without its zone",
      { ...restore, to: { time: "2026-01-31T23:59:00" } },
      /restore\.to\.time: /,
    ],
    [
      "to a time and a place at once",
      { ...restore, to: { time: "2026-01-31T23:59:00Z", lsn: "0/3000148" } },
      /restore\.to: .* is not allowed\. Allowed: one of time, lsn and name/,
    ],
  ];
  for (const [title, wrong, expected] of cases)
    it(title, () => assert.match(refused({ targets: [near] }, { restore: wrong }).join("\n"), expected));
});

describe("CloudNativePG's backups", () => {
  const input = withBackup({
    targets: [near],
    schedule: "30 3 * * *",
    rpoMinutes: 5,
  });

  it("are archived to the target, under the archive, and scheduled with six fields", () => {
    const spec = object(input, "archive")?.spec as {
      configuration: Record<string, unknown>;
      retentionPolicy: string;
    };
    assert.equal(spec.configuration.destinationPath, "s3://backups/postgres/main");
    assert.equal(spec.configuration.endpointURL, "https://main-store-near.postgres-backups.svc:7070");
    // Of that name whichever the target is: pods that run have it mounted.
    assert.deepEqual(spec.configuration.endpointCA, { name: "main-archive-ca", key: "ca.crt" });
    const cluster = object(input, "cluster")?.spec as {
      plugins: unknown;
      postgresql: { parameters: Record<string, string> };
    };
    assert.deepEqual(cluster.plugins, [
      {
        name: "barman-cloud.cloudnative-pg.io",
        isWALArchiver: true,
        parameters: { barmanObjectName: "main-archive", serverName: "{archiveId}" },
      },
    ]);
    assert.equal(cluster.postgresql.parameters.archive_timeout, "150s");
    const schedule = object(input, "base-backups")?.spec as { schedule: string; method: string };
    assert.deepEqual([schedule.schedule, schedule.method], ["0 30 3 * * *", "plugin"]);
  });

  it("are archived at least every 30 s, and every half of the RPO", () => {
    for (const [rpoMinutes, timeout] of [
      [1, "30s"],
      [2, "60s"],
      [60, "1800s"],
    ] as const) {
      const spec = object(withBackup({ targets: [near], rpoMinutes }), "cluster")?.spec;
      assert.equal(
        (spec as { postgresql: { parameters: Record<string, string> } }).postgresql.parameters
          .archive_timeout,
        timeout,
      );
    }
  });

  it("keep what the window takes, compressed as asked", () => {
    const spec = (more: object) =>
      object(withBackup({ targets: [near], ...more }), "archive")?.spec as {
        retentionPolicy?: string;
        configuration: { wal: { compression?: string }; data: { compression?: string } };
      };
    assert.equal(spec({}).retentionPolicy, undefined, "the verification deletes");
    const unverified = { verify: { enabled: false }, recoveryWindowDays: 30 };
    assert.equal(spec(unverified).retentionPolicy, "30d");
    for (const [compression, log, data] of [
      ["lz4", "lz4", "lz4"],
      ["zstd", "zstd", "gzip"],
      ["none", undefined, undefined],
    ] as const) {
      const { configuration } = spec({ compression });
      assert.deepEqual([configuration.wal.compression, configuration.data.compression], [log, data]);
    }
  });

  it("are restored to an LSN or to a named point, too", () => {
    for (const [to, target] of [
      [{ lsn: "0/3000148" }, { targetLSN: "0/3000148" }],
      [{ name: "before the fair" }, { targetName: "before the fair" }],
      [{}, undefined],
    ] as const) {
      const value = withBackup(
        { targets: [near] },
        { restore: { target: "near", archiveId: "0123456789", to } },
      );
      const { bootstrap } = object(value, "cluster")?.spec as { bootstrap: { recovery: object } };
      assert.deepEqual((bootstrap.recovery as { recoveryTarget?: object }).recoveryTarget, target);
    }
  });

  it("send no checksums that stores beside AWS don't know", () => {
    const sent = (target: object) =>
      JSON.stringify(object(withBackup({ targets: [target] }), "archive")).includes("when_required");
    assert.equal(sent(near), true);
    assert.equal(sent({ ...bucket(), endpoint: "https://s3.example.com" }), true);
    assert.equal(sent(bucket()), false);
  });

  it("are lost last by the operator, whose plugin's Service it must let go of", async function () {
    this.timeout(120_000);
    const { objects } = cnpg.operator!(checked(input), await releasedObjects());
    const stageOf = (kind: string, name: RegExp) =>
      objects.find(({ object: one }) => one.kind === kind && name.test(one.metadata.name))?.stage ?? -1;
    assert.ok(stageOf("Service", /^barman-cloud$/) > stageOf("Deployment", /^cnpg-controller-manager$/));
  });

  it("let the instances reach the store, and nothing else new", () => {
    const flows = (value: unknown) => planned(value).flows.map(({ name }) => name);
    const added = flows(input).filter((name) => !flows(smallest()).includes(name));
    assert.deepEqual(added, ["archive-near"]);
  });

  it("are restored from the target and archive that were asked for, into an archive of their own", () => {
    const restore = {
      target: "far",
      archiveId: "0123456789",
      from: "shop/old",
      to: { time: "2026-01-31T23:59:00.000Z" },
    };
    const value = withBackup({ targets: [bucket()] }, { restore });
    const { bootstrap, externalClusters } = object(value, "cluster")?.spec as Record<string, unknown>;
    assert.deepEqual(bootstrap, {
      recovery: {
        source: "origin",
        database: "app",
        owner: "pgp_health",
        secret: { name: "main-health" },
        recoveryTarget: { targetTime: "2026-01-31T23:59:00+00:00" },
      },
    });
    assert.deepEqual(externalClusters, [
      {
        name: "origin",
        plugin: {
          name: "barman-cloud.cloudnative-pg.io",
          parameters: { barmanObjectName: "main-origin", serverName: "0123456789" },
        },
      },
    ]);
    const { configuration } = object(value, "origin")?.spec as { configuration: { destinationPath: string } };
    assert.equal(configuration.destinationPath, "s3://jewelry-shop-backups/shop/old");
  });

  it("are healthy only while WAL is archived", () => {
    const cluster = object(input, "cluster")!;
    const status = (archiving: string) => ({
      phase: "Cluster in healthy state",
      readyInstances: 3,
      conditions: [
        { type: "Ready", status: "True" },
        { type: "ContinuousArchiving", status: archiving, message: "exit status 4" },
      ],
    });
    assert.equal(liveReaders.cnpg.progress({ ...cluster, status: status("True") }).done, true);
    assert.deepEqual(liveReaders.cnpg.progress({ ...cluster, status: status("False") }), {
      done: false,
      why: "WAL is not archived: exit status 4",
    });
  });

  it("speak to a bucket as it asks", () => {
    const settings = checked(
      withBackup({
        targets: [{ ...bucket(), endpoint: "https://s3.example.com:8443", region: "eu-1" }],
      }),
    );
    const store = storeOf(settings, settings.backup!.targets[0]!);
    assert.deepEqual(
      [store.port, store.region, store.bucket, store.ca],
      [8443, "eu-1", "jewelry-shop-backups", undefined],
    );
  });
});

describe("a store with a CA of its own", () => {
  const endpoint = "https://store.internal:9000";
  const target = { ...bucket(), endpoint, caCertificate: certificate };
  const secret = "main-store-far-ca";

  it("is believed by it in everything that speaks to it, on every engine", () => {
    for (const name of ["cnpg", "zalando", "standalone"] as const) {
      const input = { ...smallest(), backup: { targets: [target] } };
      const one = name === "standalone" ? { instances: 1, durability: "async" } : {};
      const settings = checked({ ...input, cluster: { ...input.cluster, engine: name, ...one } });
      const plan = planners[name].plan(settings);
      const named = [...plan.objects, ...backupPlan(settings, planners[name], plan).objects]
        .filter(({ object }) =>
          [secret, "main-archive-ca"].some((one) => JSON.stringify(object).includes(`"${one}"`)),
        )
        .map(({ id }) => id);
      assert.ok(named.length >= 3, `${name}: ${named.join()}`);
      for (const id of ["watch", "verify-1"]) assert.ok(named.includes(id), `${name}: ${id}`);
    }
  });

  it("has it in a Secret that is there before the cluster", async function () {
    this.timeout(120_000);
    const settings = checked(withBackup({ targets: [target] }, { operator: { install: false } }));
    const { resources } = await platformGraph(settings, []);
    for (const [resource, named] of [
      ["main-backup-far-ca", secret],
      // The first target's, whichever that is.
      ["main-backup-ca", "main-archive-ca"],
    ]) {
      const found = resources.find(({ name }) => name === resource);
      const { metadata, data } = found?.inputs as {
        metadata: { name: string };
        // The type keeps what a Secret holds a secret.
        data: { secret: { "ca.crt": string } };
      };
      assert.equal(metadata.name, named);
      assert.equal(data.secret["ca.crt"], Buffer.from(certificate).toString("base64"));
    }
  });
});

describe("two targets", () => {
  const own = (name: string, host: string) => ({
    ...bucket(),
    name,
    endpoint: `https://${host}`,
    caCertificate: certificate,
    region: "us-east-1",
  });

  it("never share a name with each other or with what is there once, whatever they are called", async function () {
    this.timeout(120_000);
    for (const names of [
      ["archive", "ca"],
      ["stores", "archive-id"],
      ["watch", "verify-1"],
    ])
      for (const targets of [
        names.map((name, index) => own(name, `store-${index}.example.com`)),
        names.map((name) => ({ name, kind: "local" })),
      ]) {
        const settings = checked(withBackup({ targets }, { operator: { install: false } }));
        const { resources } = await platformGraph(settings, []);
        const objects = resources.flatMap(({ type, inputs }) => {
          const { name, namespace = "" } = (inputs.metadata ?? {}) as { name?: string; namespace?: string };
          return type.startsWith("kubernetes:") && name !== undefined ? [`${type} ${namespace}/${name}`] : [];
        });
        assert.deepEqual(
          objects.filter((one, index) => objects.indexOf(one) !== index),
          [],
          `Kubernetes' names with ${names.join(" and ")}`,
        );
      }
  });
});

describe("a store beside the cluster, as it is registered", () => {
  let graph: Graph;
  before(async function () {
    this.timeout(120_000);
    const settings = checked(withBackup({ targets: [near] }, { operator: { install: false } }));
    graph = await platformGraph(settings, []);
  });
  const inputsOf = (name: string) => {
    const found = graph.resources.find((resource) => resource.name === name);
    assert.ok(found, `${name} is registered`);
    return found.inputs as {
      metadata: { namespace?: string; annotations?: Record<string, string> };
      spec: unknown;
    };
  };
  const archiveId = mockId("main-backup-archive-id");

  it("has the archive's ID wherever the plan leaves it open", () => {
    assert.doesNotMatch(JSON.stringify(graph.resources), /\{archiveId\}/);
    const { plugins } = inputsOf("main-cluster-cluster").spec as { plugins: { parameters: object }[] };
    assert.deepEqual(plugins[0]?.parameters, { barmanObjectName: "main-archive", serverName: archiveId });
    assert.equal(
      inputsOf("main-cluster-archive").metadata.annotations?.["pgplatform.io/archive-id"],
      archiveId,
    );
  });

  it("outlives the stack with all that it needs to run, and with what closes it", () => {
    const there = graph.resources.filter(
      ({ custom, inputs }) =>
        custom &&
        (inputs as { metadata?: { namespace?: string } }).metadata?.namespace === "postgres-backups",
    );
    assert.ok(there.length > 5, `${there.length} objects`);
    assert.deepEqual(
      there.filter(({ retainOnDelete }) => retainOnDelete !== true).map(({ name }) => name),
      [],
    );
    assert.ok(
      there.some(({ inputs }) => JSON.stringify(inputs).includes('"policyTypes":["Ingress","Egress"]')),
    );
    assert.equal(graph.resources.find(({ name }) => name === "main-backup-stores")?.retainOnDelete, true);
  });

  it("has a volume of the size that was asked for", () => {
    const sizeOf = (size?: string) => {
      const settings = checked(withBackup({ targets: [{ ...near, ...(size && { size }) }] }));
      const objects = planLocalStores(settings, {}, [])?.stores[0]?.objects ?? [];
      return JSON.stringify(objects.map((one) => one.object)).match(/"storage":"(\w+)"/)?.[1];
    };
    assert.deepEqual([sizeOf(), sizeOf("50Gi")], ["10Gi", "50Gi"]);
  });

  it("is told its key by Secrets alone", () => {
    const key = mockPassword("main-backup-near-key");
    const encoded = Buffer.from(key).toString("base64");
    const holders = graph.resources.filter(({ inputs }) => {
      const text = JSON.stringify(inputs);
      return text.includes(key) || text.includes(encoded);
    });
    assert.deepEqual(
      holders.map(({ name, type }) => [name, type]),
      ["main-backup-near-own-credentials", "main-backup-near-credentials"].map((name) => [
        name,
        "kubernetes:core/v1:Secret",
      ]),
    );
  });
});
