import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { archiveIdOf } from "../../components/archiveId";
import { check, sentence } from "../../checks/index";
import { adopt } from "../../operations/adopt";
import { archiveIdIn, completeArchive, idsOfFormer } from "../../operations/archive";
import { firstBackup, missingSource } from "../../operations/backup";
import { type Subject } from "../../operations/health";
import { preflight } from "../../operations/preflight";
import { type StateResource } from "../../operations/pulumi";
import { planOf } from "../../operations/restorePlan";
import { firstStep } from "../../operations/steps";
import { isUpgrade } from "../../plan/changes/cluster";
import { readWrites, rowLine, sentenceOf } from "../../operations/targets";
import { verdictOf } from "../../operations/verify";
import { backupPlan } from "../../plan/backup/plan";
import { liveReaderOf, planners } from "../../plan/engines/select";
import { live as cnpgLive } from "../../plan/engines/cnpg/live";
import { bucket, checked, everything, smallest } from "../support/settings";

/**
 * An archive belongs to one database cluster and one major version. What Pulumi's engine makes of the state was seen by hand and on the built-in cluster: mocks stand in for
 * it here.
 */

const { cnpg } = planners;
const near = { name: "near", kind: "local" };
const context = { say: () => undefined, detail: () => undefined };
const none = new AbortController().signal;

describe("the archive's ID (Pulumi's mocks)", () => {
  const options: Record<string, readonly string[] | undefined> = {};
  const keepers: Record<string, unknown> = {};
  /** The ID with these settings, in a state where the archive began with that major version. */
  async function idWith(began: string, major: string, archiveNumber = 1): Promise<string> {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => {
        const { keepers: given, ...others } = inputs as { keepers?: object };
        keepers[name] = given;
        const state = { ...others, keepers: given, hex: `${name} ${JSON.stringify(given)}` };
        return {
          id: name,
          // As ignoreChanges leaves it.
          state: name.endsWith("-began") ? { ...state, keepers: { ...given, major: began } } : state,
        };
      },
      call: () => assert.fail("nothing is asked"),
    });
    class Parent extends pulumi.ComponentResource {
      constructor() {
        super(
          "test:test:Parent",
          "parent",
          {},
          {
            transformations: [
              ({ name, props, opts }) => {
                options[name] = (opts as pulumi.CustomResourceOptions).ignoreChanges;
                return { props, opts };
              },
            ],
          },
        );
      }
    }
    const settings = checked({
      ...smallest(),
      cluster: { ...smallest().cluster, postgresVersion: major },
      backup: { targets: [near], archiveNumber },
    });
    const id = archiveIdOf("main-backup", settings, new Parent());
    return new Promise((resolve) => id.apply((value) => resolve(value)));
  }

  it("stays as long as the major version does, under the name and keepers that it always had", async () => {
    const before = await idWith("17", "17");
    assert.equal(before, 'main-backup-archive-id {"name":"main","namespace":"postgres"}');
    assert.equal(await idWith("17", "17"), before);
  });

  it("is another one with another major version, and again with the next", async () => {
    const ids = [await idWith("16", "16"), await idWith("16", "17"), await idWith("16", "18")];
    assert.equal(new Set(ids).size, 3);
    assert.match(ids[1] ?? "", /^main-backup-archive-id-later .*"major":"17"/);
  });

  it("is the former one again where an upgrade that failed is taken back", async () => {
    const before = await idWith("16", "16");
    await idWith("16", "17");
    assert.equal(await idWith("16", "16"), before);
  });

  it("is another one where the settings ask for a new archive, whatever the version was and is", async () => {
    const ids = [
      await idWith("17", "17"),
      await idWith("17", "17", 2),
      await idWith("17", "17", 3),
      await idWith("16", "17"),
      await idWith("16", "17", 2),
    ];
    assert.equal(new Set(ids).size, 5);
  });

  it("is kept by what never changes in the state", async () => {
    await idWith("17", "17");
    assert.deepEqual(options["main-backup-archive-began"], ["keepers.major"]);
    assert.equal(options["main-backup-archive-id"], undefined);
    assert.deepEqual(keepers["main-backup-archive-began"], {
      namespace: "postgres",
      name: "main",
      major: "17",
    });
  });
});

describe("the archive's ID in a state", () => {
  const urn = (type: string, name: string) => `urn:pulumi:s::postgres-platform::a$b$${type}::${name}`;
  const id = (name: string, hex: string): StateResource => ({
    urn: urn("random:index/randomId:RandomId", name),
    type: "random:index/randomId:RandomId",
    outputs: { hex },
  });
  const drawn = [
    id("main-backup-archive-id", "aaaaaaaaaa"),
    id("main-backup-archive-began", "01"),
    id("main-backup-archive-id-later", "bbbbbbbbbb"),
    id("main-backup-far-key-id", "cccccccccc"),
  ];
  const component = {
    urn: urn("pgplatform:components:Backup", "main-backup"),
    type: "pgplatform:components:Backup",
  };

  it("is what the component said last, else what was drawn", () => {
    assert.equal(
      archiveIdIn([...drawn, { ...component, outputs: { archiveId: "bbbbbbbbbb" } }]),
      "bbbbbbbbbb",
    );
    assert.equal(archiveIdIn([...drawn, component]), "aaaaaaaaaa");
    assert.equal(archiveIdIn([]), undefined);
  });

  it("is drawn again, both, where the cluster that it belonged to is gone, and no key is", () =>
    assert.deepEqual(
      idsOfFormer(drawn).map((one) => one.split("::").at(-1)),
      ["main-backup-archive-id", "main-backup-archive-id-later"],
    ));
});

describe("a new major version", () => {
  const config = { "pgplatform:cluster": { name: "main", postgresVersion: "17" } };
  const shape = { instances: 3, parameters: {}, pods: {}, data: { size: "2Gi" } };
  const live = { ...shape, image: "registry/postgresql:16.9", major: 16 };
  const planned = { ...shape, image: "registry/postgresql:17.5", major: 17 };

  it("comes after everything else, so that the state says which version the archive began with", () => {
    assert.equal(isUpgrade(live, planned), true);
    assert.deepEqual(firstStep(config, cnpg, live, planned), {
      overlay: {
        "pgplatform:images": { postgresql: "registry/postgresql:16.9" },
        "pgplatform:cluster": { name: "main", postgresVersion: "16" },
      },
      why: "the new major version after everything else",
    });
  });

  it("is none where the version stays, and none of a cluster that isn't there", () => {
    assert.equal(
      firstStep(config, cnpg, { ...live, image: "registry/postgresql:17.4", major: 17 }, planned),
      undefined,
    );
    assert.equal(isUpgrade(undefined, planned), false);
    assert.equal(isUpgrade(planned, planned), false);
  });

  const targets = [{ ...bucket(), bucket: "shop-backups" }];
  const over16 = (engine: "cnpg" | "standalone" | "zalando") => {
    const settingsOf = (postgresVersion: string) =>
      checked({
        ...parse(`
          platform: cloud
          tier: dev
          cluster: { name: main, namespace: db, instances: 1, durability: async, storage: { class: gp3, size: 20Gi }, databases: [{ name: app, owner: app }] }`),
        ...(engine === "standalone" ? {} : { backup: { targets } }),
        cluster: {
          name: "main",
          namespace: "db",
          engine,
          instances: 1,
          durability: "async",
          postgresVersion,
          storage: { class: "gp3", size: "20Gi" },
          databases: [{ name: "app", owner: "app" }],
        },
      });
    const shapeOf = (version: string) => {
      const settings = settingsOf(version);
      const plan = planners[engine].plan(settings);
      const reader = liveReaderOf(settings);
      const found = plan.objects.map(({ object }) => reader.shape(object)).find((one) => one !== undefined);
      assert.ok(found);
      return { settings, shape: found };
    };
    return preflight(
      {
        ...shapeOf("17"),
        requiredHostSpread: false,
        engine: planners[engine],
        ownsOperator: false,
        tlsNames: [],
        ownNamespaces: [],
      },
      {
        kubernetes: "1.34.1",
        storageClasses: [{ name: "gp3", isDefault: true, expands: true }],
        namespaces: ["default"],
        madeFor: {},
        otherPods: [],
        nodes: [
          {
            host: "a",
            takesPods: true,
            memoryBytes: 2 ** 40,
            milliCores: 64_000,
            taints: [],
            labels: {},
            hugePageBytes: { "2Mi": 0, "1Gi": 0 },
          },
        ],
        priorityClasses: [],
        apiGroups: [],
        poolerPods: {},
        operator: { image: "one" },
        cluster: shapeOf("16").shape,
      },
    );
  };

  it("of CloudNativePG is asked about, with what becomes of the archive (case 01)", () =>
    assert.deepEqual(over16("cnpg").questions, [
      "PostgreSQL 16 becomes 17: the database stops for the upgrade, and there is no way back but a restore: version 17 begins a new archive with a base backup of its own, and " +
        "the one of 16 stays as it is.",
    ]));

  it("of a standalone server is refused before anything is touched, with the way (case 06)", () => {
    const { problems, questions } = over16("standalone");
    assert.deepEqual(problems.map(sentence), [
      'pgplatform:cluster.postgresVersion: "17" is not allowed. Allowed: 16, which the data has: the engine standalone can\'t upgrade them, since its image has the programs of one ' +
        "major version, and nothing runs pg_upgrade. Fix: keep the version, or restore a dump into a new cluster of the newer one.",
    ]);
    assert.deepEqual(questions, []);
  });

  it("of Zalando is refused before anything is touched, with the way; the operator is told not to upgrade either", () => {
    const { problems } = over16("zalando");
    assert.match(
      problems.map(sentence).join(),
      /Allowed: 16, which the data has: the engine zalando can't upgrade them.* Fix: keep the version, or restore a dump/,
    );
  });
});

describe("the archive of the former version (a FAKE of kubectl)", () => {
  const END = "000000030000000000000009";
  const answers = (more: object) =>
    JSON.stringify({ kind: "answers", target: "near", archiveId: "0123456789", ...more });
  const base = { id: "20260101T000000", at: "2026-01-01 00:00:00" };
  const whole = answers({ base, wal: { segment: END, at: "2026-01-02 00:00:00" } });

  async function completed(
    seen: readonly string[],
    { targets = [near], copy = "Complete" }: { targets?: object[]; copy?: string } = {},
  ) {
    const settings = checked({ ...smallest(), backup: { targets } });
    const left = [...seen];
    const ran: string[] = [];
    const kubectl = {
      list: () => Promise.resolve([{ metadata: { name: "main-1" } }]),
      get: () => Promise.resolve({ status: { conditions: [{ type: copy, status: "True" }] } }),
      run: (command: readonly string[]) => {
        const text = command.join(" ");
        if (!text.includes("cat /state")) ran.push(text);
        const stdout = text.includes("psql")
          ? `0/1\n${END}\n`
          : `${left.length > 1 ? left.shift() : left[0]}\n`;
        return Promise.resolve({ exitCode: 0, stdout, stderr: "" });
      },
    };
    const subject = { kubectl, settings, engine: cnpg, plan: cnpg.plan(settings) } as unknown as Subject;
    const said = await completeArchive(subject, context as never, none, { pauseMs: 1 }).then(
      () => "complete",
      (error: Error) => error.message,
    );
    return { said, ran, looks: seen.length - left.length };
  }

  it("gets all that was committed before anything is changed", async () => {
    const half = answers({ base, wal: { segment: "000000030000000000000008", at: "2026-01-02 00:00:00" } });
    const { said, ran, looks } = await completed([half, half, whole]);
    assert.equal(said, "complete");
    assert.equal(looks, 2);
    assert.equal(ran.length, 1);
    assert.match(ran[0] ?? "", /pg_switch_wal/);
  });

  it("is copied to the second target before, and nothing is changed where that fails", async () => {
    const targets = [near, { name: "far", kind: "local" }];
    const { said, ran } = await completed([whole], { targets });
    assert.equal(said, "complete");
    assert.match(ran[1] ?? "", /^-n postgres create job main-copy-[a-z0-9]+ --from=cronjob\/main-copy$/);
    assert.match((await completed([whole], { targets, copy: "Failed" })).said, /the upgrade was not begun$/);
  });

  it("must have a base backup that restores: without one nothing is changed", async () => {
    assert.match(
      (await completed([answers({ wal: { segment: END, at: "2026-01-02 00:00:00" } })])).said,
      /no base backup yet.*there is no way back; the upgrade was not begun: run `make backup` first/,
    );
    assert.match(
      (await completed([answers({ base, problem: "it is another's" })])).said,
      /does not restore to the archive's end: it is another's: .*the upgrade was not begun/,
    );
  });
});

describe("what the watcher sees of an archive's identity", () => {
  const base = { id: "20260101T000000", at: "2026-01-01 00:00:00" };
  const problem = "the histories of the timelines 2 and 3 contradict each other";
  const answers = { kind: "answers", target: "near", archiveId: "0123456789", base, problem } as const;

  it("is said by status and by the list of backups", () => {
    assert.match(
      sentenceOf(answers),
      /that base backup does not restore to the archive's end: the histories/,
    );
    assert.doesNotMatch(sentenceOf({ ...answers, problem: undefined }), /does not restore/);
    const row = { kind: "wal", target: "near", archiveId: "0123456789", problem } as const;
    assert.match(rowLine(row), /no WAL; that base backup does not restore/);
  });

  it("ends `make up` with the way out, once it stays so", async () => {
    const settings = checked({ ...smallest(), backup: { targets: [near] } });
    const wal = { segment: "000000010000000000000005", at: "2026-01-02 00:00:00" };
    const kubectl = {
      list: () => Promise.resolve([]),
      run: () => Promise.resolve({ exitCode: 0, stdout: `${JSON.stringify({ ...answers, wal })}\n` }),
    };
    const subject = { kubectl, settings, engine: cnpg, live: cnpgLive, plan: cnpg.plan(settings) };
    const now = Date.now;
    let later = 0;
    Date.now = () => now() + (later += 50_000);
    try {
      await assert.rejects(
        firstBackup(subject as unknown as Subject, context, none),
        /targets\[0\]: target near, archive 0123456789: .* does not restore .* Allowed: an archive of one database cluster\. Fix: run `make backup`; where it stays so, raise backup\.archiveNumber/,
      );
    } finally {
      Date.now = now;
    }
  });
});

describe("the recovery point objective", () => {
  const writes = (unarchivedSeconds: number) =>
    ({ kind: "writes", system: "7", unarchivedSeconds, rpoSeconds: 60 }) as const;

  it("is read from the watcher, and unknown before it has asked the primary", async () => {
    const subject = (result: object) =>
      ({
        kubectl: { run: () => Promise.resolve(result) },
        settings: checked(smallest()),
      }) as unknown as Subject;
    const stdout = `${JSON.stringify(writes(5))}\n`;
    assert.deepEqual(await readWrites(subject({ exitCode: 0, stdout })), writes(5));
    assert.equal(await readWrites(subject({ exitCode: 1, stdout: "" })), undefined);
  });

  it("makes a verdict of its own: whole, and late", () => {
    const verdict = verdictOf("near", {
      kind: "report",
      target: "near",
      archiveId: "0123456789",
      result: "late",
      backup: "20260101T000000",
      to: "",
      at: "2026-01-01T00:00:00Z",
      why: "the RPO is missed: a row was archived after 162 s, and backup.rpoMinutes is 1",
      note: "",
      rpoSeconds: 170,
      rtoSeconds: 12,
      bytes: 2 ** 20,
      pages: 1,
      segment: "000000010000000000000005",
      schemas: [],
      queries: [],
      dump: "",
      dumpBytes: null,
      dumpNote: "",
      expiry: "done",
    });
    assert.match(verdict, /is restored and whole: .*; but the RPO is missed: a row was archived after 162 s/);
  });

  it("is looked after by a container beside the watcher, which has no key of a store, and by a role that may ask for a checkpoint", () => {
    const settings = checked({ ...everything(), cluster: { ...everything().cluster } });
    const plan = cnpg.plan(settings);
    const watch = backupPlan(settings, cnpg, plan).objects.find(({ id }) => id === "watch");
    const { containers } = (
      watch?.object.spec as {
        template: { spec: { containers: { name: string; env: { name: string }[] }[] } };
      }
    ).template.spec;
    const database = containers.find(({ name }) => name === "database");
    assert.ok(database);
    assert.deepEqual(
      database.env.map(({ name }) => name).filter((name) => /KEY|SECRET|RCLONE/.test(name)),
      [],
    );
    assert.match(JSON.stringify(plan.objects), /GRANT pg_checkpoint TO pgp_health/);
    for (const engine of ["standalone", "zalando"] as const) {
      const { cluster } = smallest();
      const alone = checked({
        ...smallest(),
        cluster: { ...cluster, engine, instances: 1, durability: "async" },
      });
      assert.match(JSON.stringify(planners[engine].plan(alone).objects), /pg_checkpoint/, engine);
    }
  });
});

describe("an archive that another program made", () => {
  const input = (restore: object, engine = "cnpg") => ({
    platform: "cloud",
    tier: "dev",
    cluster: {
      name: "main",
      namespace: "db",
      engine,
      instances: 1,
      durability: "async",
      storage: { class: "gp3", size: "20Gi" },
      databases: [{ name: "app", owner: "app" }],
    },
    backup: { targets: [{ ...bucket(), bucket: "shop-backups" }] },
    restore: { target: "far", ...restore },
  });
  const sentences = (restore: object, engine?: string) => {
    const result = check(input(restore, engine));
    return "problems" in result ? result.problems.map(sentence).join("\n") : "";
  };
  const objects = (restore: object) => {
    const settings = checked(input(restore));
    return { settings, plan: cnpg.plan(settings), text: JSON.stringify(cnpg.plan(settings).objects) };
  };

  it("is restored by its server name and the place that `from` or `path` says (case 28)", () => {
    const { text, plan } = objects({ from: "shop/main", serverName: "main" });
    assert.match(text, /"destinationPath":"s3:\/\/shop-backups\/shop\/main"/);
    assert.match(text, /"barmanObjectName":"main-origin","serverName":"main"/);
    assert.match(text, /"barmanObjectName":"main-archive","serverName":"\{archiveId\}"/);
    assert.deepEqual(
      plan.adoption?.map(({ database }) => database),
      ["postgres", "app"],
    );
    assert.match(
      objects({ path: "old/backups", serverName: "shop.db" }).text,
      /"destinationPath":"s3:\/\/shop-backups\/old\/backups"/,
    );
    const settings = checked(input({ path: "", serverName: "main" }));
    const look = backupPlan(settings, cnpg, cnpg.plan(settings)).objects.find(
      ({ id }) => id === "restore-source",
    );
    assert.match(JSON.stringify(look), /"value":"target1:shop-backups\/main"/);
    assert.match(
      planOf(objects({ from: "shop/main", serverName: "main" }).settings)[0] ?? "",
      /archive main of shop\/main/,
    );
  });

  it("is named in one way, and by the engine that can read it", () => {
    assert.match(sentences({}), /pgplatform:restore: .* Allowed: one of archiveId and serverName/);
    assert.match(
      sentences({ archiveId: "3f2a90b1c4", serverName: "main" }),
      /one of archiveId and serverName/,
    );
    assert.match(
      sentences({ archiveId: "3f2a90b1c4", path: "a" }),
      /restore\.path: .*must not be set without serverName/,
    );
    assert.match(
      sentences({ serverName: "main", path: "a", from: "b/c" }),
      /restore\.path: .*must not be set with from/,
    );
    assert.match(sentences({ serverName: "main", path: "/a" }), /names with slashes between them/);
    assert.match(sentences({ archiveId: "main" }), /an archive that another program made goes by serverName/);
    for (const engine of ["standalone", "zalando"])
      assert.match(
        sentences({ serverName: "main" }, engine),
        /restore\.serverName: "main" is not allowed\..* import a dump \(docs\/backup\.md\), or choose cnpg/,
        engine,
      );
  });

  it("isn't confused with one of the platform's: that is archived as another one in the same bucket (case 29)", () => {
    const { text, plan } = objects({ archiveId: "3f2a90b1c4" });
    assert.match(text, /"destinationPath":"s3:\/\/shop-backups\/db\/main"/);
    assert.match(text, /"barmanObjectName":"main-origin","serverName":"3f2a90b1c4"/);
    assert.match(text, /"barmanObjectName":"main-archive","serverName":"\{archiveId\}"/);
    assert.equal(plan.adoption, undefined);
  });

  it("that isn't there is missed by its own setting", async () => {
    const settings = checked(input({ serverName: "main" }));
    const words = JSON.stringify({ kind: "absent", archiveIds: ["other"] });
    const pod = {
      metadata: { name: "a" },
      status: { containerStatuses: [{ state: { terminated: { message: words } } }] },
    };
    const subject = { kubectl: { list: () => Promise.resolve([pod]) }, settings } as unknown as Subject;
    assert.match(
      (await missingSource(subject)) ?? "",
      /^pgplatform:restore\.serverName: "main" is not there/,
    );
  });

  it("gets what the platform needs as soon as the primary takes it, and waits no longer than the update", async () => {
    const { settings, plan } = objects({ serverName: "main" });
    const codes = [1, 1, 0, 0];
    const ran: string[] = [];
    const subject = {
      settings,
      plan,
      engine: cnpg,
      kubectl: {
        list: () => Promise.resolve([{ metadata: { name: "main-1" } }]),
        run: (command: readonly string[]) => {
          ran.push(command.join(" "));
          return Promise.resolve({ exitCode: codes.shift() ?? 1, stdout: "", stderr: "" });
        },
      },
    } as unknown as Subject;
    await adopt(subject, context, none, { pauseMs: 1 });
    assert.equal(ran.length, 4);
    assert.match(
      ran[2] ?? "",
      /ON_ERROR_STOP on -c \\connect postgres .*CREATE OR REPLACE FUNCTION pgplatform\.pooler_lookup/s,
    );
    assert.match(ran[3] ?? "", /\\connect app .*CREATE TABLE IF NOT EXISTS pgplatform\.heartbeat/s);
    const end = new AbortController();
    end.abort();
    await adopt(subject, context, end.signal, { pauseMs: 1 });
    assert.equal(ran.length, 5, "it was tried once more, and not again");
  });
});
