import assert from "node:assert/strict";
import { sentence } from "../../checks";
import { localeProblems, localesOf } from "../../operations/locales";
import { planners } from "../../plan/engines/select";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import type { SettingsInput } from "../../settings/schema";
import { validatorOf } from "../support/crd";
import { plannedObjects } from "../support/pods";
import { databaseSpec, sentences, specOf } from "../support/rich";
import { bucket, changed, checked, smallest } from "../support/settings";

/** Small stack files of people whose programs want something of the server: a locale, a slot, a library, a role of the cloud. */

type Engine = keyof typeof planners;

const cloud = (engine: Engine, cluster: object, more: Partial<SettingsInput> = {}): SettingsInput => {
  const base = changed(changed(smallest(), "cluster.storage.class", "gp3"), "cluster.engine", engine);
  const alone = engine === "standalone" && { instances: 1, durability: "async" as const };
  return {
    ...base,
    platform: "cloud",
    tier: "dev",
    cluster: { ...base.cluster, ...alone, ...cluster },
    ...more,
  };
};
const synapse = { name: "synapse", owner: "synapse", locale: "C" };
const app = { name: "app", owner: "app" };

const initdbOf = (input: SettingsInput) =>
  (specOf(input) as unknown as { bootstrap: { initdb: Record<string, unknown> } }).bootstrap.initdb;
const valid = async (input: SettingsInput, engine: Engine) => {
  const validator = await validatorOf(engine);
  for (const object of await plannedObjects(checked(input)))
    if (/cnpg|zalan/.test(object.apiVersion) && object.kind !== "OperatorConfiguration")
      assert.deepEqual(validator.problems(object), [], object.kind);
};

describe("kind: a database's locale and encoding (case 24)", () => {
  it("cnpg: the first database is made with it by initdb, and the others keep the usual one", async () => {
    const input = cloud("cnpg", { databases: [synapse, app] });
    const { encoding, localeProvider, localeCollate, localeCType, builtinLocale } = initdbOf(input);
    assert.deepEqual(
      [encoding, localeProvider, localeCollate, localeCType, builtinLocale],
      ["UTF8", "libc", "C", "C", undefined],
    );
    const other = databaseSpec(input, "app");
    assert.deepEqual(
      [other.template, other.encoding, other.localeProvider, other.builtinLocale],
      ["template0", "UTF8", "builtin", "C.UTF-8"],
    );
    assert.equal(databaseSpec(input, "synapse").locale, undefined);
    await valid(input, "cnpg");
  });

  it("cnpg: a copy has its template's, whichever that has, and template0 the usual one", () => {
    const german = { name: "german", owner: "app", icuLocale: "de-AT" };
    const copyOf = (first: object, template: string) => {
      const input = cloud("cnpg", {
        databases: [first, { ...german, name: "shop" }, { name: "copy", owner: "app", template }],
      });
      const { template: from, encoding, localeProvider, locale, icuLocale } = databaseSpec(input, "copy");
      return [from, encoding, localeProvider, locale, icuLocale];
    };
    for (const first of [app, german, { ...synapse, owner: "app" }])
      for (const template of [first.name, "shop", "template1"])
        assert.deepEqual(copyOf(first, template), [template, undefined, undefined, undefined, undefined]);
    assert.deepEqual(copyOf(german, "template0").slice(0, 3), ["template0", "UTF8", "builtin"]);
  });

  it("cnpg: a further database is made with it from template0", async () => {
    const input = cloud("cnpg", { databases: [app, synapse] });
    const { template, encoding, localeProvider, locale } = databaseSpec(input, "synapse");
    assert.deepEqual([template, encoding, localeProvider, locale], ["template0", "UTF8", "libc", "C"]);
    assert.equal(databaseSpec(input, "app").template, undefined);
    assert.equal(initdbOf(input).localeProvider, "builtin");
    await valid(input, "cnpg");
  });

  it("cnpg: by ICU, and in another encoding", async () => {
    const german = { name: "shop", owner: "shop", icuLocale: "de-AT" };
    const old = { name: "old", owner: "old", encoding: "LATIN1" };
    const input = cloud("cnpg", {
      databases: [german, old, { ...app, localeProvider: "builtin", locale: "C" }],
    });
    assert.deepEqual(
      [initdbOf(input).localeProvider, initdbOf(input).icuLocale, initdbOf(input).localeCollate],
      ["icu", "de-AT", "C.UTF-8"],
    );
    assert.deepEqual(
      [
        databaseSpec(input, "old").encoding,
        databaseSpec(input, "old").locale,
        databaseSpec(input, "old").localeProvider,
      ],
      ["LATIN1", "C", "libc"],
    );
    assert.deepEqual(
      [databaseSpec(input, "app").builtinLocale, databaseSpec(input, "app").locale],
      ["C", "C.UTF-8"],
    );
    await valid(input, "cnpg");
  });

  for (const engine of ["zalando", "standalone"] as const)
    it(`${engine}: the statement that makes a database has it, the first one too`, () => {
      const german = { name: "shop", owner: "shop", icuLocale: "de-AT" };
      const copy = { name: "copy", owner: "shop", template: "shop" };
      const input = cloud(engine, { databases: [synapse, german, app, copy] });
      const sql = scriptsOf(checked(input))[0]?.sql ?? "";
      for (const statement of [
        "CREATE DATABASE \"synapse\" OWNER \"synapse\" TEMPLATE \"template0\" ENCODING ''UTF8'' LOCALE_PROVIDER ''libc'' LOCALE ''C''",
        "CREATE DATABASE \"shop\" OWNER \"shop\" TEMPLATE \"template0\" ENCODING ''UTF8'' LOCALE_PROVIDER ''icu'' LOCALE ''C.UTF-8'' ICU_LOCALE ''de-AT''",
        'CREATE DATABASE "app" OWNER "app"\'',
        'CREATE DATABASE "copy" OWNER "shop" TEMPLATE "shop"\'',
      ])
        assert.ok(sql.includes(statement), `${statement}\n${sql}`);
    });

  it("nothing changes where nothing is said", () => {
    assert.deepEqual(databaseSpec(cloud("cnpg", { databases: [app, { name: "x", owner: "x" }] }), "x"), {
      cluster: { name: "main" },
      name: "x",
      owner: "x",
      databaseReclaimPolicy: "retain",
    });
    assert.equal(initdbOf(cloud("cnpg", { postgresVersion: "16" })).localeProvider, undefined);
  });

  const refused: [what: string, databases: object[], sentence: string, cluster?: object][] = [
    [
      "builtin before 17",
      [{ ...app, localeProvider: "builtin" }],
      'pgplatform:cluster.databases[0].localeProvider: "builtin" is not allowed. Allowed: libc or icu with PostgreSQL 16. Fix: choose one of them.',
      { postgresVersion: "16" },
    ],
    [
      "a builtin locale that there is not",
      [{ ...app, localeProvider: "builtin", locale: "de_AT" }],
      'pgplatform:cluster.databases[0].locale: "de_AT" is not allowed. Allowed: one of C, C.UTF-8 with the localeProvider builtin. Fix: choose one of them, or libc.',
    ],
    [
      "ICU without a locale",
      [{ ...app, localeProvider: "icu" }],
      "pgplatform:cluster.databases[0].icuLocale: not set. Allowed: a language tag with the localeProvider icu. Fix: set it, such as de-AT.",
    ],
    [
      "an ICU locale of another provider",
      [{ ...app, localeProvider: "libc", icuLocale: "de" }],
      'pgplatform:cluster.databases[0].icuLocale: must not be set ("de"): the localeProvider is libc. Fix: leave out one of them.',
    ],
    [
      "a template of the first database",
      [{ ...app, template: "template0" }],
      'pgplatform:cluster.databases[0].template: must not be set ("template0"): the first database is made with the cluster. Fix: leave it out.',
    ],
    [
      "a template with another locale",
      [app, { ...synapse, template: "app" }],
      'pgplatform:cluster.databases[1].template: "app" is not allowed. Allowed: template0 with an encoding or a locale, which another template has already. Fix: leave it out, or leave out encoding and locale.',
    ],
    [
      "a template that isn't there yet",
      [app, { name: "x", owner: "x", template: "y" }, { name: "y", owner: "x" }],
      'pgplatform:cluster.databases[1].template: "y" is not allowed. Allowed: one of template0, template1, app. Fix: correct it, or list that database before this one.',
    ],
    [
      "an encoding that ICU doesn't know",
      [{ ...app, icuLocale: "de", encoding: "SQL_ASCII" }],
      'pgplatform:cluster.databases[0].encoding: "SQL_ASCII" is not allowed. Allowed: an encoding that ICU knows, such as UTF8. Fix: choose UTF8, or leave icuLocale out.',
    ],
    [
      "an encoding that PostgreSQL doesn't know",
      [{ ...app, encoding: "utf-8" }],
      'pgplatform:cluster.databases[0].encoding: "utf-8" is not allowed. Allowed: an encoding of PostgreSQL\'s servers, such as UTF8 or LATIN1. Fix: write UTF8.',
    ],
  ];
  for (const [what, databases, expected, cluster] of refused)
    it(`refuses ${what}`, () =>
      assert.deepEqual(sentences(cloud("cnpg", { databases, ...cluster })), [expected]));

  describe("a change for a database that is there", () => {
    // As PostgreSQL 17 answered on the built-in cluster, shortened.
    const row = (more: object) => ({
      datname: "synapse",
      encoding_name: "UTF8",
      datlocprovider: "c",
      datcollate: "C",
      datctype: "C",
      datlocale: null,
      ...more,
    });
    const problems = (database: object, live: object) =>
      localeProblems(
        checked(cloud("cnpg", { databases: [database] })),
        localesOf(JSON.stringify([live])),
      ).map(sentence);

    it("is refused with what it has", () => {
      assert.deepEqual(problems(synapse, row({})), []);
      assert.deepEqual(problems({ ...synapse, locale: "de_AT.UTF-8" }, row({})), [
        'pgplatform:cluster.databases[0].locale: "de_AT.UTF-8" is not allowed. Allowed: C, which the database has since it was made. Fix: keep that, or load a dump into another database with the new locale.',
      ]);
      assert.match(
        problems({ ...synapse, encoding: "LATIN1" }, row({})).join(),
        /\.encoding: "LATIN1" .* Allowed: UTF8, which/,
      );
      assert.match(
        problems(synapse, row({ datlocprovider: "b", datlocale: "C.UTF-8" })).join(),
        /\.localeProvider: not set\. Allowed: builtin, which the database has/,
      );
    });

    it("is none where only the spelling differs, where nothing is asked, and where it isn't there", () => {
      assert.deepEqual(problems({ ...synapse, locale: "C.UTF-8" }, row({ datcollate: "C.utf8" })), []);
      assert.deepEqual(problems({ name: "synapse", owner: "x" }, row({ datcollate: "de_AT.utf8" })), []);
      assert.deepEqual(problems(synapse, row({ datname: "other", datcollate: "x" })), []);
      assert.equal(localesOf("could not connect"), undefined);
    });

    it("reads ICU's locale of PostgreSQL 16 and of 17", () => {
      const german = { name: "synapse", owner: "x", icuLocale: "de-AT" };
      for (const key of ["daticulocale", "datlocale"]) {
        assert.deepEqual(problems(german, row({ datlocprovider: "i", [key]: "de-AT" })), []);
        assert.match(
          problems(german, row({ datlocprovider: "i", [key]: "fr" })).join(),
          /icuLocale: "de-AT" .* Allowed: fr,/,
        );
      }
    });
  });
});

const debezium = { name: "debezium", replication: true, memberOf: ["pg_read_all_data"] };

describe("kind: change data capture (case 20)", () => {
  it("cnpg: the role may replicate, and standbys follow slots that clients make with failover", async () => {
    const input = cloud("cnpg", { roles: [debezium] });
    const spec = specOf(input) as unknown as {
      managed: { roles: { name: string; replication?: boolean }[] };
      replicationSlots: unknown;
      postgresql: { parameters: Record<string, string>; pg_hba: string[] };
    };
    assert.equal(spec.managed.roles.find(({ name }) => name === "debezium")?.replication, true);
    assert.equal(spec.managed.roles.filter(({ replication }) => replication).length, 1);
    assert.deepEqual(spec.replicationSlots, {
      highAvailability: { enabled: true, synchronizeLogicalDecoding: true },
    });
    const { hot_standby_feedback, sync_replication_slots, synchronized_standby_slots } =
      spec.postgresql.parameters;
    assert.deepEqual([hot_standby_feedback, sync_replication_slots], ["on", "on"]);
    // The operator lists the standbys there itself.
    assert.equal(synchronized_standby_slots, undefined);
    await valid(input, "cnpg");
  });

  it("cnpg: before 17 no slot follows, and nothing is asked that the operator's webhook refuses", () => {
    const spec = specOf(cloud("cnpg", { roles: [debezium], postgresVersion: "16" })) as unknown as {
      replicationSlots?: unknown;
      postgresql: { parameters: Record<string, string> };
    };
    assert.equal(spec.replicationSlots, undefined);
    assert.equal(spec.postgresql.parameters.sync_replication_slots, undefined);
  });

  it("zalando: wal_level is logical, and listed slots are Patroni's own", async () => {
    const slots = [{ name: "cdc" }, { name: "audit", database: "app", plugin: "wal2json" }];
    const input = cloud("zalando", { roles: [debezium], slots });
    const object = (await plannedObjects(checked(input))).find(({ kind }) => kind === "postgresql")!;
    const { patroni, postgresql } = object.spec as {
      patroni: { slots: unknown };
      postgresql: { parameters: Record<string, string> };
    };
    assert.deepEqual(patroni.slots, {
      cdc: { type: "logical", database: "app", plugin: "pgoutput" },
      audit: { type: "logical", database: "app", plugin: "wal2json" },
    });
    assert.equal(postgresql.parameters.wal_level, "logical");
    assert.equal(postgresql.parameters.hot_standby_feedback, "on");
    await valid(input, "zalando");
  });

  for (const engine of ["zalando", "standalone"] as const)
    it(`${engine}: SQL gives the role REPLICATION, and no other role of the settings`, () => {
      const input = cloud(engine, { roles: [debezium, { name: "reader" }] });
      const sql = scriptsOf(checked(input))[0]?.sql ?? "";
      assert.match(sql, /ALTER ROLE "debezium" LOGIN .* NOSUPERUSER REPLICATION /);
      assert.match(sql, /ALTER ROLE "reader" LOGIN .* NOSUPERUSER NOREPLICATION /);
      assert.match(JSON.stringify(planners[engine].plan(checked(input)).objects), /wal_level/);
    });

  it("both logins of a rotated role may replicate", () => {
    const input = cloud("cnpg", { roles: [debezium] }, { rotation: { credentialVersion: 2 } });
    const { managed } = specOf(input) as unknown as {
      managed: { roles: { name: string; replication?: true }[] };
    };
    assert.deepEqual(
      managed.roles.filter(({ replication }) => replication).map(({ name }) => name),
      ["debezium", "debezium_b"],
    );
  });

  for (const engine of Object.keys(planners) as Engine[])
    it(`pg_hba.conf lets it decode, and copy the server only where a rule says so: ${engine}`, async () => {
      const rules = async (cluster: object) => {
        const objects = await plannedObjects(checked(cloud(engine, { roles: [debezium], ...cluster })));
        return JSON.stringify(
          objects.filter(({ kind }) => ["Cluster", "postgresql", "ConfigMap"].includes(kind)),
        );
      };
      // A logical connection names a database; `all` there doesn't mean `replication`.
      assert.match(await rules({}), /hostssl all all all scram-sha-256/);
      assert.doesNotMatch(await rules({}), /hostssl replication debezium/);
      const access = [
        { database: "app", role: "debezium" },
        { database: "replication", role: "debezium", from: "10.0.0.0/8" },
      ];
      assert.match(await rules({ access }), /hostssl replication debezium 10\.0\.0\.0\/8 scram-sha-256/);
      assert.match(await rules({ access }), /hostssl app debezium all scram-sha-256/);
    });

  it("what can't work is refused", () => {
    assert.deepEqual(sentences(cloud("cnpg", { roles: [{ ...debezium, login: false }] })), [
      "pgplatform:cluster.roles[0].replication: true is not allowed. Allowed: false for debezium, which may not log in. Fix: leave it out, or let the role log in.",
    ]);
    for (const [name, value] of [
      ["wal_level", "replica"],
      ["hot_standby_feedback", "off"],
      ["sync_replication_slots", false],
    ] as const)
      assert.match(
        sentences(cloud("cnpg", { roles: [debezium], parameters: { [name]: value } })).join("\n"),
        new RegExp(
          `^pgplatform:cluster\\.parameters\\.${name}: .* where a role of cluster\\.roles has replication`,
        ),
      );
    assert.deepEqual(
      sentences(
        cloud("cnpg", {
          roles: [debezium],
          parameters: { wal_level: "logical", hot_standby_feedback: true },
        }),
      ),
      [],
    );
    const databases = sentences(cloud("cnpg", { access: [{ database: "replication", role: "app" }] }));
    assert.match(
      databases.join(),
      /access\[0\]\.database: "replication" is not allowed\. Allowed: one of all, app\./,
    );
    for (const engine of ["cnpg", "standalone"] as const)
      assert.match(
        sentences(cloud(engine, { slots: [{ name: "cdc" }] })).join(),
        /^pgplatform:cluster\.slots: \["cdc"\] is not allowed\. Allowed: what the engine \w+ can do: .* Fix: leave slots out/,
      );
    assert.deepEqual(
      sentences(
        cloud("zalando", {
          roles: [debezium],
          slots: [{ name: "main_0", database: "x" }, { name: "a" }, { name: "a" }],
        }),
      ).length,
      4,
    );
  });
});

describe("kind: libraries that are preloaded (cases 14, 15, 16)", () => {
  const librariesOf = async (input: SettingsInput): Promise<string> => {
    const objects = await plannedObjects(checked(input));
    const text = JSON.stringify(objects.filter(({ kind }) => kind !== "CustomResourceDefinition"));
    return (
      /shared_preload_libraries\\?"?( = |:)\\?"?\[?("[^\]]*|'[^']*|[^"\\]*)/
        .exec(text)?.[2]
        ?.replace(/['"]/g, "") ?? ""
    );
  };
  const own = { images: { postgresql: "registry.example.com/pg:17-cron" } };

  it("pg_cron, with an image of the user's own, and its parameters (case 14)", async () => {
    const cluster = {
      databases: [{ ...app, extensions: ["pg_cron"] }],
      parameters: { "cron.database_name": "app", "cron.max_running_jobs": 3 },
    };
    for (const engine of Object.keys(planners) as Engine[]) {
      if (engine === "zalando") continue;
      const input = cloud(engine, cluster, own);
      assert.deepEqual(sentences(input), []);
      assert.match(await librariesOf(input), /pg_cron/, engine);
      assert.match(JSON.stringify(await plannedObjects(checked(input))), /cron\.max_running_jobs/, engine);
    }
  });

  it("auto_explain, wherever a parameter of it is set (case 15)", async () => {
    for (const engine of ["zalando", "standalone"] as const)
      assert.match(
        await librariesOf(cloud(engine, { parameters: { "auto_explain.log_min_duration": "500ms" } })),
        /auto_explain/,
        engine,
      );
    assert.match(
      await librariesOf(cloud("standalone", { parameters: { "pg_stat_statements.track": "all" } })),
      /pg_stat_statements/,
    );
  });

  it("what Spilo has is taken, and preloaded where it must be (case 16)", async () => {
    const extensions = ["postgis", "hll", "hypopg", "pg_partman", "pg_repack", "timescaledb"];
    const input = cloud("zalando", { databases: [{ ...app, extensions }] });
    assert.deepEqual(sentences(input), []);
    const sql = scriptsOf(checked(input))[1]?.sql ?? "";
    for (const extension of extensions)
      assert.ok(sql.includes(`CREATE EXTENSION IF NOT EXISTS "${extension}"`), extension);
    assert.match(await librariesOf(input), /timescaledb/);
  });

  for (const engine of Object.keys(planners) as Engine[])
    it(`those that the settings name, beside the others: ${engine}`, async () => {
      const cluster = {
        preloadLibraries: ["pg_partman_bgw", "auto_explain"],
        databases: [{ ...app, extensions: ["pgaudit"] }],
      };
      const libraries = await librariesOf(cloud(engine, cluster, own));
      for (const name of ["pg_partman_bgw", "auto_explain"])
        assert.ok(libraries.includes(name), `${name}: ${libraries}`);
      assert.equal(libraries.split("auto_explain").length, 2, libraries);
    });

  it("makes parameters effective that nothing else loads", () => {
    const parameters = { "auth_delay.milliseconds": 500 };
    assert.match(sentences(cloud("cnpg", { parameters })).join(), /nothing loads auth_delay/);
    assert.deepEqual(sentences(cloud("cnpg", { parameters, preloadLibraries: ["auth_delay"] })), []);
  });

  it("refuses one that the image lacks, twice the same, and a path", () => {
    assert.match(
      sentences(cloud("cnpg", { preloadLibraries: ["pg_partman_bgw"] })).join(),
      /^pgplatform:cluster\.preloadLibraries\[0\]: "pg_partman_bgw" is not allowed\. Allowed: a library of the image /,
    );
    assert.equal(sentences(cloud("cnpg", { preloadLibraries: ["auto_explain", "auto_explain"] })).length, 2);
    assert.match(
      sentences(cloud("cnpg", { preloadLibraries: ["/lib/x.so"] })).join(),
      /Allowed: the name of a library such as pg_partman_bgw\. Fix: write it without a path and without \.so\./,
    );
  });
});

describe("kind: a role of the cloud that the pods take (never run: there was no EKS)", () => {
  const roleArn = "arn:aws:iam::123456789012:role/shop-backups";
  const target = changed(bucket(), "credentials", undefined);
  const backup = (more: object = {}) => ({ targets: [{ ...target, roleArn }], ...more });

  for (const engine of ["cnpg", "standalone"] as const)
    it(`by EKS Pod Identity: no annotation, and a way to the agent of the node: ${engine}`, async () => {
      const objects = await plannedObjects(
        checked(cloud(engine, {}, { backup: backup({ identity: "pod-identity" }) })),
      );
      assert.doesNotMatch(JSON.stringify(objects), /eks\.amazonaws\.com/);
      assert.match(JSON.stringify(objects), /"name":"main-backups"/);
      const ways = objects.filter(
        ({ kind, spec }) => kind === "NetworkPolicy" && JSON.stringify(spec).includes("169.254.170.23/32"),
      );
      assert.ok(ways.some(({ metadata }) => metadata.name === "main-instances"));
      assert.ok(ways.length >= 3, ways.map(({ metadata }) => metadata.name).join());
      assert.ok(ways.every(({ spec }) => JSON.stringify(spec).includes("fd00:ec2::23/128")));
    });

  it("by IRSA as before, where nothing is said", async () => {
    const objects = await plannedObjects(checked(cloud("cnpg", {}, { backup: backup() })));
    assert.match(JSON.stringify(objects), /eks\.amazonaws\.com\/role-arn/);
    assert.doesNotMatch(JSON.stringify(objects), /169\.254\.170\.23/);
  });

  it("is refused where no target has a role", () =>
    assert.deepEqual(
      sentences(cloud("cnpg", {}, { backup: { targets: [bucket()], identity: "pod-identity" } })),
      [
        'pgplatform:backup.identity: "pod-identity" is not allowed. Allowed: irsa without a target that has a roleArn: no pod takes a role. Fix: set roleArn of a target, or leave identity out.',
      ],
    ));
});
