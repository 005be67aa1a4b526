import assert from "node:assert/strict";
import { rawSettings } from "../../checks/configuration";
import { plainSecrets } from "../../checks/secrets";
import { encrypted } from "../../settings/schema/types";
import { drained } from "../../operations/up";
import { planPlatform } from "../../plan/platform";
import { program } from "../../stacks/program";
import { parse } from "yaml";
import { cloud, refused, with1 } from "../support/cases";
import { sentences } from "../support/rich";
import { bucket, changed, checked, smallest } from "../support/settings";

/** Faults that people who run PostgreSQL report, each by its kind; the settings are as small as the fault allows. */

const single = (engine: string, more: object = {}) =>
  cloud({ engine, instances: 1, durability: "async", ...more }, { tier: "dev" });

const planOf = (input: unknown) =>
  planPlatform(checked(changed(input, "operator", { install: false })), () => []);
const objectsOf = (input: unknown) => planOf(input).cluster.objects.map(({ object }) => object);

describe("a client that reads slowly, or a server that takes a COPY slowly", () => {
  const timeout = (tuning: object = {}) => {
    const [pooler] = planOf(cloud({}, { poolers: [{ name: "app", database: "app", tuning }] })).poolers;
    const config = pooler!.objects.find(({ object }) => object.kind === "ConfigMap")?.object as unknown as {
      data: Record<string, string>;
    };
    return Number(/^tcp_user_timeout = (\d+)$/m.exec(config.data["pgbouncer.ini"] ?? "")?.[1]);
  };

  it("may pause for tens of seconds through a pooler", () => assert.ok(timeout() >= 20_000));
  it("may pause for longer where the settings say so", () =>
    assert.equal(timeout({ tcpUserTimeoutMilliseconds: 120_000 }), 120_000));
  it("may pause as long as it wants without one: no server gives its clients up for that", () => {
    for (const engine of ["cnpg", "zalando"])
      assert.doesNotMatch(JSON.stringify(objectsOf(cloud({ engine }))), /tcp_user_timeout/);
  });
});

describe("parameters of libraries that must be preloaded", () => {
  const preloaded = (engine: string, parameters: object) =>
    /shared_preload_libraries[ ='":\\]+([\w,]+)/.exec(
      JSON.stringify(objectsOf(single(engine, { parameters }))),
    )?.[1] ?? "";

  // Spilo preloads pg_stat_statements by itself.
  for (const [engine, library, name, value] of [
    ["zalando", "auto_explain", "auto_explain.log_min_duration", "500ms"],
    ["standalone", "auto_explain", "auto_explain.log_min_duration", "500ms"],
    ["standalone", "pg_prewarm", "pg_prewarm.autoprewarm", "on"],
  ] as const)
    it(`are preloaded with ${engine}: ${name}`, () => {
      assert.ok(
        preloaded(engine, { [name]: value })
          .split(",")
          .includes(library),
      );
      assert.doesNotMatch(preloaded(engine, {}), new RegExp(library));
    });

  it("are left to the operator with cnpg, which preloads what it finds parameters of", () => {
    const [cluster] = objectsOf(single("cnpg", { parameters: { "auto_explain.log_min_duration": "500ms" } }));
    assert.match(JSON.stringify(cluster), /"auto_explain\.log_min_duration":"500ms"/);
  });

  it("are refused where nothing would load them", () => {
    refused(
      sentences(single("standalone", { parameters: { "auth_delay.milliseconds": 100 } })),
      /auth_delay\.milliseconds: must not be set \(100\): nothing loads auth_delay/,
    );
    refused(
      sentences(single("standalone", { parameters: { "timescaledb.max_background_workers": 4 } })),
      /must not be set \(4\): the image .* doesn't have timescaledb/,
    );
  });
});

describe("a single instance whose node is drained", () => {
  const budget = (engine: string, drains?: string) => {
    const objects = objectsOf(single(engine, drains === undefined ? {} : { drains }));
    const [cluster] = objects.filter(({ kind }) => kind === "Cluster");
    return engine === "cnpg"
      ? (cluster as unknown as { spec: { enablePDB: boolean } }).spec.enablePDB
      : objects.some(({ kind }) => kind === "PodDisruptionBudget");
  };

  it("stays while the budget holds it, and goes where cluster.drains allows that", () => {
    assert.deepEqual([budget("cnpg"), budget("cnpg", "wait"), budget("cnpg", "allow")], [true, true, false]);
    assert.deepEqual(
      [budget("standalone"), budget("standalone", "wait"), budget("standalone", "allow")],
      [false, true, false],
    );
    assert.equal(budget("zalando", "allow"), false);
  });

  it("is told of at the end of `make up`", () => {
    const said = (input: unknown) => drained(checked(input)).join();
    assert.match(said(single("cnpg")), /waits for ever, until pgplatform:cluster\.drains is allow$/);
    assert.match(
      said(single("cnpg", { drains: "allow" })),
      /stops the database until its pod runs elsewhere$/,
    );
    assert.match(said(single("zalando")), /stops the database/);
    assert.equal(said(cloud()), "");
  });

  it("can't be kept by an operator that moves it, nor need several instances the setting", () => {
    refused(
      sentences(single("zalando", { drains: "wait" })),
      /cluster\.drains: "wait" is not allowed\. Allowed: what the engine zalando can do: its operator moves/,
    );
    refused(
      sentences(cloud({ drains: "allow" })),
      /cluster\.drains: must not be set with more than one instance \("allow"\): a drain takes one at a time/,
    );
  });
});

describe("migrations past the pooler", () => {
  for (const engine of ["cnpg", "zalando", "standalone"])
    it(`find the primary beside the pooler in the application's binding: ${engine}`, () => {
      const input = {
        ...(engine === "standalone" ? single(engine) : cloud({ engine })),
        poolers: [{ name: "app", database: "app" }],
        clients: [
          {
            name: "shop",
            namespace: "shop",
            labels: { app: "shop" },
            pooler: "app",
            direct: true,
            binding: { copySecret: true },
          },
        ],
      };
      const plan = planOf(input);
      const [binding] = plan.bindings;
      const { data } = binding!;
      assert.equal(data.PGBOUNCER_HOST, "main-pooler-app.db.svc");
      assert.equal(data.POSTGRES_MASTER_HOST, plan.cluster.endpoints.primary.host);
      assert.deepEqual([binding!.namespace, binding!.secret?.copied], ["shop", true]);
      assert.ok(plan.flows.some(({ name }) => name === "client-shop-direct"));
      assert.ok(plan.flows.some(({ name }) => name === "client-shop-pooler"));
    });
});

describe("keys that nothing would read", () => {
  const keys: [key: string, right: string][] = [
    // What `pulumi config set --path cluster.instances 5` writes, as a program gets it and as a file has it.
    ["postgres-platform:cluster", "pgplatform:cluster"],
    ["cluster", "pgplatform:cluster"],
    ["cluster.instances", "pgplatform:cluster.instances"],
    ["postgres-platform:poolers[0].instances", "pgplatform:poolers[0].instances"],
    ["pgplattform:cluster", "pgplatform:cluster"],
    ["pg-platform:backup", "pgplatform:backup"],
    ["pgPlatform:tier", "pgplatform:tier"],
    ["platform:platform", "pgplatform:platform"],
    ["pgp:cluster", "pgplatform:cluster"],
    ["pgplattform:clutser", "pgplatform:cluster"],
  ];
  for (const [key, right] of keys)
    it(`are refused: ${key}`, () => {
      assert.throws(
        () => rawSettings({ "pgplatform:platform": "local", [key]: "{}" }),
        (error: Error) => {
          assert.equal(
            error.message,
            `${key}: no setting has this key, and it would be ignored. Allowed: ${right}. ` +
              `Fix: write it as ${right}, such as by \`pulumi config set --path '${right}'\`, and remove this key by \`pulumi config rm '${key}'\`.`,
          );
          return true;
        },
      );
    });

  it("are told the command for what was set", () => {
    for (const value of [{ instances: 5 }, '{"instances":5}'])
      assert.throws(
        () => rawSettings({ "postgres-platform:cluster": value }),
        /such as by `pulumi config set --path 'pgplatform:cluster\.instances'`/,
      );
    assert.throws(
      () => rawSettings({ poolers: [{ instances: 2 }] }),
      /--path 'pgplatform:poolers\[0\]\.instances'`/,
    );
  });

  it("are found below another project's name too", () =>
    assert.throws(
      () => rawSettings({ "shop-db:instances": "3" }, "shop-db"),
      /shop-db:instances: no setting/,
    ));

  it("are others' to read where they are a provider's or of a namespace that isn't near", () =>
    assert.deepEqual(
      rawSettings({
        "pgplatform:platform": "local",
        "kubernetes:context": "west",
        "kubernetes:cluster": "west",
        "aws:region": "eu-central-1",
        "cloudflare:apiToken": "x",
        "pulumi:tags": "{}",
        "acme:colour": "red",
      }),
      { platform: "local" },
    ));

  it("are another program's where the project has a short name that is near", () =>
    assert.deepEqual(rawSettings({ "pgplatform:platform": "local", "ape:x": "1" }, "app"), {
      platform: "local",
    }));

  it("with a path in them are told how a path is written", () =>
    refused(
      sentences({ ...smallest(), "cluster.instances": 5 }),
      /^pgplatform:cluster\.instances: no such setting \(5\)\..* Fix: write it as `pulumi config set --path 'pgplatform:cluster\.instances'` does/,
    ));
});

describe("values as `pulumi config set` and YAML write them", () => {
  it("are taken in the setting's own type where they mean the same", () => {
    const input = {
      ...changed(changed(smallest(), "cluster.postgresVersion", 16), "cluster.instances", "3"),
      poolers: [
        {
          name: "p",
          database: "app",
          serverConnections: "40",
          tuning: { drainSeconds: "20" },
          autoscaling: { maxInstances: "4" },
        },
      ],
      clients: [{ name: "c", labels: { shard: 7 }, direct: "true", connections: "5", binding: "true" }],
      backup: { targets: [{ ...bucket(), kind: "aws", adopt: "true" }], verify: { dump: "false" } },
      operator: { install: "true" },
      labels: { team: 5 },
    };
    const settings = checked(changed(input, "cluster.resources", { requests: { cpu: 0.5 } }));
    assert.equal(settings.cluster.postgresVersion, "16");
    assert.equal(settings.cluster.instances, 3);
    assert.equal(settings.cluster.resources.requests.cpu, "0.5");
    assert.equal(settings.poolers[0]!.autoscaling?.maxInstances, 4);
    assert.equal(settings.poolers[0]!.tuning.drainSeconds, 20);
    assert.deepEqual(settings.clients[0]!.labels, { shard: "7" });
    assert.deepEqual([settings.clients[0]!.direct, settings.clients[0]!.binding], [true, true]);
    assert.equal(settings.backup!.targets[0]!.adopt, true);
    assert.equal(settings.labels.team, "5");
    // What a parameter's value is, PostgreSQL decides.
    assert.deepEqual(
      checked(changed(smallest(), "cluster.parameters", { jit: "true", random_page_cost: "1.1" })).cluster
        .parameters,
      { jit: "true", random_page_cost: "1.1" },
    );
  });

  const restoreFrom = (yaml: string) =>
    sentences({
      ...smallest(),
      backup: { targets: [bucket()] },
      restore: { target: "far", ...(parse(yaml) as object) },
    });

  it("are taken for an archive ID only where no digit was lost", () => {
    assert.deepEqual(restoreFrom("archiveId: 1234567891"), []);
    for (const written of ["0123456789", "12345678e2", "3e10123456", "1234567800"])
      refused(
        restoreFrom(`archiveId: ${written}`),
        /restore\.archiveId: .* is not allowed\. Allowed: the ten characters of an archive ID, in quotes.*and write it in quotes; an archive/,
      );
  });

  it("are refused where zeros count", () => {
    refused(
      with1("cluster.databases", [
        { name: "app", owner: "app", extensions: [{ name: "citext", version: 1.1 }] },
      ]),
      /extensions\[0\]\.version: 1\.1 is not allowed\. Allowed: a version in quotes/,
    );
    refused(
      sentences({ ...smallest(), registries: [{ server: "r.example.com", username: "u", password: 1234 }] }),
      /registries\[0\]\.password: \(hidden\) is not allowed\. Allowed: a text of at least one character that Pulumi has encrypted/,
    );
  });

  it("are refused where they mean nothing in that type", () => {
    for (const [value, shown] of [
      ["3.5", '"3\\.5"'],
      ["0x3", '"0x3"'],
      ["", '""'],
      [" 3", '" 3"'],
      [true, "true"],
    ] as const)
      refused(with1("cluster.instances", value), new RegExp(`cluster\\.instances: ${shown} is not allowed`));
    refused(
      with1("operator", { install: "yes" }),
      /operator\.install: "yes" is not allowed\. Allowed: true or false/,
    );
  });
});

describe("namespaces that aren't the database's", () => {
  for (const namespace of [
    ...["default", "kube-system", "kube-public", "kube-node-lease", "kube-flannel"],
    ...["openshift", "openshift-dns", "cnpg-system", "postgres-operator"],
  ])
    it(`are refused for the cluster: ${namespace}`, () =>
      refused(
        with1("cluster.namespace", namespace),
        new RegExp(
          `cluster\\.namespace: "${namespace}" is not allowed\\. Allowed: a namespace of the database's own: not default, kube-…`,
        ),
      ));

  it("are refused for monitoring beside the database, and for a client's to be made", () => {
    refused(with1("monitoring.namespace", "postgres"), /monitoring\.namespace: "postgres" is not allowed/);
    refused(
      with1("clients", [
        {
          name: "c",
          namespace: "kube-system",
          labels: { app: "c" },
          direct: true,
          binding: { makeNamespace: true },
        },
      ]),
      /clients\[0\]\.binding\.makeNamespace: true is not allowed\. Allowed: false with the namespace kube-system/,
    );
  });

  it("may be a client's that is there", () =>
    assert.deepEqual(
      with1("clients", [{ name: "c", namespace: "default", labels: { app: "c" }, direct: true }]),
      [],
    ));
});

describe("parameters that lose data or stop the server", () => {
  const parameters = (values: object, more: object = {}) =>
    sentences(changed({ ...smallest(), ...more }, "cluster.parameters", values));
  const always: [parameters: object, allowed: RegExp][] = [
    [{ fsync: false }, /fsync: false is not allowed\. Allowed: on: without it a crash/],
    [{ fsync: "of" }, /fsync: "of" is not allowed/],
    [{ full_page_writes: "off" }, /full_page_writes: "off" is not allowed\. Allowed: on:/],
    [{ wal_level: "minimal" }, /wal_level: "minimal" is not allowed\. Allowed: replica or logical/],
    [{ zero_damaged_pages: "on" }, /zero_damaged_pages: "on" is not allowed\. Allowed: off:/],
    [{ ignore_checksum_failure: 1 }, /ignore_checksum_failure: 1 is not allowed\. Allowed: off/],
    [{ ignore_system_indexes: true }, /ignore_system_indexes: true is not allowed/],
    [{ ignore_invalid_pages: "yes" }, /ignore_invalid_pages: "yes" is not allowed/],
    [{ data_sync_retry: true }, /data_sync_retry: must not be set/],
    [{ allow_in_place_tablespaces: true }, /allow_in_place_tablespaces: true is not allowed/],
    [{ default_transaction_read_only: true }, /default_transaction_read_only: true is not allowed/],
    [{ session_replication_role: "replica" }, /session_replication_role: "replica" is not allowed/],
    [{ exit_on_error: true }, /exit_on_error: true is not allowed/],
    [{ post_auth_delay: 5 }, /post_auth_delay: 5 is not allowed\. Allowed: 0/],
    [{ debug_io_direct: "data" }, /debug_io_direct: must not be set \("data"\): it is for developers/],
    [{ archive_library: "basic_archive" }, /archive_library: must not be set/],
    [{ archive_mode: "off" }, /archive_mode: must not be set/],
    [{ hot_standby: false }, /hot_standby: must not be set/],
    [{ synchronous_commit: "off" }, /synchronous_commit: must not be set/],
    [{ max_wal_senders: 0 }, /max_wal_senders: 0 is not allowed\. Allowed: at least 4: one for each standby/],
    [{ max_replication_slots: 1 }, /max_replication_slots: 1 is not allowed\. Allowed: at least 2/],
    [
      { superuser_reserved_connections: 90 },
      /superuser_reserved_connections: 90 is not allowed\. Allowed: at most 10/,
    ],
    [{ max_stack_depth: "16MB" }, /max_stack_depth: "16MB" is not allowed\. Allowed: at most 7680kB/],
    [{ wal_buffers: "1GB" }, /wal_buffers: "1GB" is not allowed\. Allowed: at most shared_buffers, 128MB/],
    [
      { statement_timeout: 30 },
      /statement_timeout: 30 is not allowed\. Allowed: 0, or a time of at least 1s: a bare number counts milliseconds/,
    ],
    [{ wal_sender_timeout: "5ms" }, /wal_sender_timeout: "5ms" is not allowed/],
  ];
  for (const [values, expected] of always)
    it(`are refused: ${JSON.stringify(values)}`, () => refused(parameters(values), expected));

  it("are refused in the tier prod alone where a test may want them", () => {
    for (const values of [{ autovacuum: "off" }, { track_counts: "off" }, { autovacuum_naptime: "1d" }]) {
      refused(parameters(values, { tier: "prod" }), /in the tier prod/);
      assert.deepEqual(parameters(values), []);
    }
  });

  it("are refused with a standalone server too, which promises what it acknowledged", () =>
    refused(
      sentences(single("standalone", { parameters: { synchronous_commit: "off" } })),
      /synchronous_commit: "off" is not allowed\. Allowed: on or local/,
    ));

  it("keep the recovery point objective", () => {
    const backup = { targets: [bucket()], rpoMinutes: 2 };
    for (const archive_timeout of [0, "1h", 180])
      refused(parameters({ archive_timeout }, { backup }), /archive_timeout: .* Allowed: from 1s to 120s/);
    assert.deepEqual(parameters({ archive_timeout: "1min" }, { backup }), []);
    assert.deepEqual(parameters({ archive_timeout: 0 }), []);
  });

  it("are taken at their harmless values", () =>
    assert.deepEqual(
      parameters({
        ...{ fsync: "on", full_page_writes: true, wal_level: "logical", zero_damaged_pages: "off" },
        ...{ statement_timeout: "30s", idle_session_timeout: 0, max_wal_senders: 10, post_auth_delay: 0 },
      }),
      [],
    ));
});

describe("sizes beyond the volume", () => {
  const sized = (parameters: object, storage: object = { size: "20Gi" }) =>
    sentences(changed(changed(smallest(), "cluster.storage", storage), "cluster.parameters", parameters));
  const wal = { size: "20Gi", walSize: "10Gi" };
  const cases: [title: string, problems: () => string[], expected: RegExp][] = [
    [
      "max_wal_size",
      () => sized({ max_wal_size: "15GB" }),
      /max_wal_size: "15GB" .* at most 15360MB: three quarters of cluster\.storage\.size \(20Gi\), which holds the data too/,
    ],
    [
      "a bare number of megabytes",
      () => sized({ max_wal_size: 16384 }),
      /max_wal_size: 16384 is not allowed/,
    ],
    [
      "max_wal_size on a WAL volume",
      () => sized({ max_wal_size: "9GB" }, wal),
      /four fifths of cluster\.storage\.walSize \(10Gi\)/,
    ],
    ["wal_keep_size", () => sized({ wal_keep_size: "16GB" }), /wal_keep_size: "16GB" is not allowed/],
    [
      "both together",
      () => sized({ max_wal_size: "10GB", wal_keep_size: "6GB" }),
      /max_wal_size: "10GB" .* together with wal_keep_size, which is 6144MB/,
    ],
    [
      "min_wal_size",
      () => sized({ min_wal_size: "2GB" }),
      /min_wal_size: "2GB" is not allowed\. Allowed: at most max_wal_size/,
    ],
    [
      "max_slot_wal_keep_size",
      () => sized({ max_slot_wal_keep_size: "10GB" }, wal),
      /max_slot_wal_keep_size: "10GB" .* less than cluster\.storage\.walSize \(10Gi\)/,
    ],
    [
      "temp_file_limit, which counts kilobytes",
      () => sized({ temp_file_limit: 20971520 }),
      /temp_file_limit: 20971520 .* less than cluster\.storage\.size \(20Gi\)/,
    ],
    [
      "less than two segments",
      () => sized({ min_wal_size: "16MB" }),
      /min_wal_size: "16MB" is not allowed\. Allowed: at least 32MB/,
    ],
  ];
  for (const [title, problems, expected] of cases)
    it(`are refused: ${title}`, () => refused(problems(), expected));

  it("are taken where they fit", () =>
    assert.deepEqual(
      [
        ...sized({
          max_wal_size: "8GB",
          min_wal_size: "1GB",
          max_slot_wal_keep_size: -1,
          temp_file_limit: "10GB",
        }),
        ...sized({ max_wal_size: "7GB", max_slot_wal_keep_size: "9GB" }, wal),
      ],
      [],
    ));
});

describe("secrets in plain text", () => {
  const input = {
    ...smallest(),
    registries: [{ server: "r.example.com", username: "puller", password: "hunter22" }],
    backup: { targets: [bucket(), { ...bucket(), name: "copy", bucket: "copies" }] },
  };
  it("are refused, each by its path and with nothing of it", () => {
    const said = plainSecrets(
      checked(input),
      (path) => path !== "backup.targets[0].credentials.secretAccessKey",
    );
    assert.deepEqual(said, [
      "pgplatform:backup.targets[1].credentials.secretAccessKey: plain text is not allowed. Allowed: a text that Pulumi has encrypted. Fix: set it with pulumi config set --secret --path 'pgplatform:backup.targets[1].credentials.secretAccessKey'.",
      "pgplatform:registries[0].password: plain text is not allowed. Allowed: a text that Pulumi has encrypted. Fix: set it with pulumi config set --secret --path 'pgplatform:registries[0].password'.",
    ]);
  });
  it("are refused by the program itself, which Pulumi tells the keys with a secret in them", async () => {
    const config = {
      "pgplatform:platform": "local",
      "pgplatform:cluster": JSON.stringify(smallest().cluster),
      "pgplatform:registries": JSON.stringify(input.registries),
    };
    await assert.rejects(
      program(config, { project: "postgres-platform", secretKeys: ["pgplatform:backup"] }),
      /^UserError: pgplatform:registries\[0\]\.password: plain text is not allowed/,
    );
  });

  it("are none where Pulumi has encrypted them", () =>
    assert.deepEqual(
      plainSecrets(
        checked(
          changed(smallest(), "registries", [
            { server: "r.example.com", username: "u", password: encrypted },
          ]),
        ),
        (_path, value) => value !== encrypted,
      ),
      [],
    ));
});

describe("images that are others tomorrow", () => {
  for (const name of ["registry.example/pgbouncer", "pgbouncer:latest", "registry.example:5000/pgbouncer"])
    it(`are refused: ${name}`, () =>
      refused(
        with1("images", { pgbouncer: name }),
        /Allowed: an image whose name doesn't stand for another one tomorrow/,
      ));
  it("are none with a tag or a digest", () => {
    for (const name of [
      "registry.example:5000/pgb:1.25.2",
      `pgb@sha256:${"0".repeat(64)}`,
      `pgb:latest@sha256:${"0".repeat(64)}`,
    ])
      assert.deepEqual(with1("images", { pgbouncer: name }), []);
  });
});

describe("images of another major version than the settings'", () => {
  const image = (postgresql: string, more: object = {}) =>
    sentences({ ...changed(smallest(), "cluster.postgresVersion", "17"), ...more, images: { postgresql } });
  it("are refused by the beginning of their tag", () => {
    refused(
      image("registry.example/postgresql:16.9"),
      /images\.postgresql: "registry\.example\/postgresql:16\.9" is not allowed\. Allowed: an image of PostgreSQL 17, as cluster\.postgresVersion says/,
    );
    refused(image("registry.example/postgresql:18"), /images\.postgresql/);
  });
  it("aren't told by a tag that counts something else, which CloudNativePG's operator refuses", () => {
    const standalone = changed(
      changed(changed(smallest(), "cluster.engine", "standalone"), "cluster.instances", 1),
      "cluster.durability",
      "async",
    );
    for (const name of [
      "r.example/postgresql:4.0-p3",
      "r.example/postgresql:v16",
      "r.example/p:20260101",
      `r.example/p@sha256:${"17".repeat(32)}`,
    ]) {
      assert.deepEqual(image(name, standalone), [], name);
      refused(
        image(name),
        /Allowed: a tag that begins with the major version.*the operator of cnpg reads it there/,
      );
    }
    assert.deepEqual(image("r.example/postgresql:17.2-1"), []);
    assert.deepEqual(image(`r.example/p:17.2@sha256:${"18".repeat(32)}`), []);
  });
});

describe("ranges of addresses", () => {
  const from = (range: string) => with1("cluster.access", [{ from: range }]);
  it("have no bits behind the prefix", () => {
    refused(
      from("10.0.0.1/8"),
      /10\.0\.0\.0\/8 has 10\.0\.0\.1 in it\. Fix: write 10\.0\.0\.0\/8, or 10\.0\.0\.1\/32 for/,
    );
    refused(from("192.0.2.129/25"), /192\.0\.2\.128\/25 has/);
    refused(
      from("2001:db8::1/32"),
      /2001:db8::\/32 has 2001:db8::1 in it\. Fix: write 2001:db8::\/32, or 2001:db8::1\/128/,
    );
    refused(
      with1("network", { apiServer: [{ cidr: "10.0.0.1/24", port: 6443 }] }),
      /apiServer\[0\]\.cidr: "10\.0\.0\.1\/24" is not allowed/,
    );
    for (const range of ["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32", "::1/128", "0.0.0.0/0", "::/0"])
      assert.deepEqual(from(range), [], range);
  });
  it("aren't every address with a port that isn't the API server's", () =>
    refused(
      with1("network", { apiServer: [{ cidr: "0.0.0.0/0", port: 5432 }] }),
      /apiServer\[0\]\.cidr: "0\.0\.0\.0\/0" is not allowed\. Allowed: a range of the API server's own addresses with port 5432/,
    ));
});

describe("schedules and moments that can't be meant", () => {
  const backup = (more: object) => sentences({ ...smallest(), backup: { targets: [bucket()], ...more } });
  it("are refused: a schedule that never fires", () => {
    for (const schedule of ["0 2 30 2 *", "0 2 31 4,6,9,11 *"])
      refused(
        backup({ schedule }),
        /backup\.schedule: .* Allowed: a schedule that fires: no month that it names has a day/,
      );
  });
  it("are refused: work that would never end", () => {
    refused(
      backup({ schedule: "* * * * *" }),
      /backup\.schedule: .* at least 60 minutes between two base backups; .* this one has 1\./,
    );
    refused(backup({ schedule: "0,30 2 * * *" }), /and this one has 30\./);
    refused(
      backup({ verify: { schedule: "*/10 * * * *" } }),
      /backup\.verify\.schedule: .* between two verifications/,
    );
    assert.deepEqual(backup({ schedule: "0 * * * *", copy: { schedule: "* * * * *" } }), []);
  });
  it("are refused: a restore to a time that has not come, or that no clock shows", () => {
    const to = (time: string) =>
      sentences({
        ...smallest(),
        backup: { targets: [bucket()] },
        restore: { target: "far", archiveId: "3f2a90b1c4", to: { time } },
      });
    refused(to("2999-01-01T00:00:00Z"), /restore\.to\.time: .* Allowed: a moment that has passed/);
    for (const time of ["2026-02-30T00:00:00Z", "2026-01-31T25:00:00Z", "2026-13-01T00:00:00+01:00"])
      refused(
        to(time),
        /restore\.to\.time: .* Allowed: a day that the month has and a time that the day has/,
      );
    assert.deepEqual(to("2026-01-31T23:59:00+02:00"), []);
  });
});

describe("misspelt keys", () => {
  const cases: [input: unknown, expected: RegExp][] = [
    [changed(smallest(), "cluster.storage.Size", "2Gi"), /storage\.Size: .*did you mean size\?/],
    [changed(smallest(), "cluster.max_connections", 100), /did you mean maxConnections\?/],
    [changed(smallest(), "cluster.poolers", []), /did you mean pgplatform:poolers\? Move it there/],
    [
      changed(smallest(), "postgresVersion", "17"),
      /did you mean pgplatform:cluster\.postgresVersion\? Move it there/,
    ],
    [
      { ...smallest(), poolers: [{ name: "p", database: "app", tuning: { drainSecond: 5 } }] },
      /did you mean drainSeconds\?/,
    ],
    [
      {
        ...smallest(),
        clients: [{ name: "c", labels: { a: "b" }, direct: true, binding: { copySecrets: true } }],
      },
      /did you mean copySecret\?/,
    ],
    [
      { ...smallest(), backup: { targets: [{ ...bucket(), buket: "x" }] } },
      /targets\[0\]\.buket: .*did you mean bucket\?/,
    ],
    [{ ...smallest(), transform: { pooler: {} } }, /did you mean poolers\?/],
    [changed(smallest(), "cluster.xyzzy", 1), /remove it, or correct its spelling/],
  ];
  for (const [input, expected] of cases)
    it(`are told the setting that is meant: ${expected.source}`, () => refused(sentences(input), expected));

  it("and misspelt values of a list too", () => {
    for (const [path, value, meant] of [
      ["cluster.durability", "zeroloss", "zero-loss"],
      ["cluster.engine", "CNPG", "cnpg"],
      ["cluster.engine", "stand-alone", "standalone"],
      ["platform", "locals", "local"],
    ] as const)
      refused(with1(path, value), new RegExp(`: "${value}" is not allowed\\. .* Fix: write ${meant}\\.$`));
    refused(with1("cluster.durability", "paranoid"), /Fix: choose an allowed value\.$/);
  });
});
