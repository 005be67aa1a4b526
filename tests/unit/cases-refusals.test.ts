import assert from "node:assert/strict";
import { rawSettings } from "../../checks/configuration";
import { preloadLibraries } from "../../plan/postgres/extensions";
import { cloud as anywhere, refused, with1 } from "../support/cases";
import { sentences } from "../support/rich";
import { bucket, changed, checked, smallest } from "../support/settings";

/** Refusals of what is right, advice that leads astray, and settings without effect that were taken. */

const cloud = (cluster: object = {}, rest: object = {}) => anywhere(cluster, { tier: "dev", ...rest });
const alone = { instances: 1, durability: "async" };
const reader = { roles: [{ name: "cdc", login: true, replication: true }] };

describe("a digest of an image", () => {
  const image = (postgresql: string) =>
    sentences({ ...changed(smallest(), "cluster.postgresVersion", "17"), images: { postgresql } });
  const digest = (beginning: string) => `@sha256:${beginning.padEnd(64, "f")}`;

  it("says nothing of a version", () => {
    for (const beginning of ["16f", "18a", "10b"])
      refused(
        image(`registry.example.com/pg${digest(beginning)}`),
        /a tag that begins with the major version/,
      );
    assert.deepEqual(image(`registry.example.com:5000/pg:17.2${digest("16f")}`), []);
  });
  it("leaves the tag before it its word", () =>
    refused(image(`registry.example.com/pg:16.2${digest("17f")}`), /its tag says 16/));
});

describe("a wrong value", () => {
  it("isn't told to become its opposite, or another short word", () => {
    for (const [path, value] of [
      ["cluster.durability", "sync"],
      ["platform", "k3s"],
      ["platform", "loca1"],
      ["tier", "prd"],
      ["cluster.engine", "cpng"],
    ] as const)
      refused(with1(path, value), /Fix: choose an allowed value\.$/);
  });
  it("is told what it begins like, how that is written, and one step from a long word", () => {
    for (const [path, value, meant] of [
      ["platform", "open", "openshift"],
      ["cluster.durability", "ZERO_LOSS", "zero-loss"],
      ["cluster.durability", "ballanced", "balanced"],
      ["tier", "production", undefined],
    ] as const)
      refused(
        with1(path, value),
        new RegExp(`Fix: ${meant === undefined ? "choose an allowed value" : `write ${meant}`}\\.$`),
      );
  });
});

describe("a key at a wrong place", () => {
  const pooler = (more: object) => ({ ...smallest(), poolers: [{ name: "p", database: "app", ...more }] });
  const backup = (more: object) => ({ ...smallest(), backup: { targets: [bucket()], ...more } });
  const nowhere = /Fix: remove it, or correct its spelling\.$/;
  const cases: [input: unknown, expected: RegExp][] = [
    [changed(smallest(), "cluster.version", "17"), /did you mean postgresVersion\? Correct it/],
    [changed(smallest(), "version", "17"), /did you mean pgplatform:cluster\.postgresVersion\? Move it/],
    [changed(smallest(), "cluster.replicas", 3), /did you mean instances\?/],
    [pooler({ replicas: 2 }), /did you mean instances\?/],
    [changed(smallest(), "cluster.users", []), /did you mean roles\?/],
    [changed(smallest(), "cluster.storageClass", "x"), /pgplatform:cluster\.storage\.class\? Move it/],
    [changed(smallest(), "cluster.password", "x"), nowhere],
    [pooler({ tls: true }), /did you mean pgplatform:tls\?/],
    [changed(smallest(), "cluster.bucket", "x"), nowhere],
    [backup({ enabled: true }), nowhere],
    [
      changed(smallest(), "cluster.nodeSelector", { a: "b" }),
      /did you mean pgplatform:cluster\.scheduling\.nodeSelector\? Move it there/,
    ],
    [
      changed(smallest(), "cluster.tolerations", []),
      /did you mean pgplatform:cluster\.scheduling\.tolerations\?/,
    ],
    [{ ...smallest(), nodeSelector: { a: "b" } }, /did you mean pgplatform:scheduling\.nodeSelector\?/],
    [pooler({ drainSeconds: 5 }), /did you mean pgplatform:poolers\[0\]\.tuning\.drainSeconds\?/],
    [changed(smallest(), "cluster.monitoring", {}), /did you mean pgplatform:monitoring\?/],
  ];
  cases.forEach(([input, expected], index) =>
    it(`is sent below its parent, to the top, or nowhere: ${index} ${expected.source}`, () =>
      refused(sentences(input), expected)),
  );
});

describe("parameters of replication", () => {
  it("may be on in every spelling of PostgreSQL's", () => {
    for (const value of ["yes", "ON", "t", 1, true])
      assert.deepEqual(sentences(cloud({ ...reader, parameters: { hot_standby_feedback: value } })), []);
    for (const value of ["no", "f", 0])
      refused(
        sentences(cloud({ ...reader, parameters: { hot_standby_feedback: value } })),
        /hot_standby_feedback: .* Allowed: on where a role/,
      );
  });
  it("leave room for who reads changes, with one instance too", () => {
    for (const name of ["max_wal_senders", "max_replication_slots"]) {
      refused(
        sentences(cloud({ ...alone, ...reader, parameters: { [name]: 0 } })),
        new RegExp(`${name}: 0 is not allowed\\. Allowed: at least 1: one for each reader of changes`),
      );
      assert.deepEqual(sentences(cloud({ ...alone, ...reader, parameters: { [name]: 1 } })), []);
      assert.deepEqual(sentences(cloud({ ...alone, parameters: { [name]: 0 } })), []);
    }
    refused(
      sentences(cloud({ ...reader, parameters: { max_wal_senders: 4 } })),
      /at least 5: one for each standby, two for a base backup, one for each reader of changes/,
    );
  });
});

describe("times in milliseconds", () => {
  it("are taken with their unit, and refused where a bare number is small", () => {
    for (const name of ["statement_timeout", "idle_session_timeout", "transaction_timeout"]) {
      for (const value of ["500ms", "999 ms", "0.5s"])
        assert.deepEqual(with1("cluster.parameters", { [name]: value }), [], `${name} ${value}`);
      for (const value of [500, "500"])
        refused(with1("cluster.parameters", { [name]: value }), /a bare number counts milliseconds/);
    }
  });
});

describe("io_uring", () => {
  const method = (io_method: string) =>
    sentences(cloud({ postgresVersion: "18", parameters: { io_method } }));
  it("is refused, which the pods' seccomp profile forbids", () => {
    refused(method("io_uring"), /io_method: "io_uring" is not allowed\. Allowed: worker or sync: /);
    refused(method("IO_URING"), /RuntimeDefault/);
    for (const other of ["worker", "sync"]) assert.deepEqual(method(other), []);
  });
});

describe("keys of other programs", () => {
  it("are nobody's business, whatever their name", () => {
    const others = { "eks:cluster": "a", "github:labels": "b", "argocd:backup": "c", "vault:tier": "d" };
    assert.deepEqual(rawSettings({ "pgplatform:platform": "local", ...others }), { platform: "local" });
  });
  it("are the platform's misspelt where they begin like it, or are near", () => {
    for (const key of ["pg:cluster", "PGP:backup", "pgplatfrom:labels"])
      assert.throws(() => rawSettings({ [key]: "{}" }), /no setting has this key/, key);
  });
});

describe("ranges that are every address together", () => {
  const api = (...ranges: string[]) =>
    with1("network", { apiServer: ranges.map((cidr) => ({ cidr, port: 5432 })) });
  it("are refused with a port that isn't the API server's", () => {
    assert.equal(api("0.0.0.0/1", "128.0.0.0/1").length, 2);
    assert.equal(api("::/1", "8000::/1").length, 2);
    assert.equal(api("64.0.0.0/2").length, 1);
  });
  it("aren't a private network", () => assert.deepEqual(api("10.0.0.0/8", "fc00::/7"), []));
});

describe("settings of an operator that this stack doesn't install", () => {
  const operators = [{ memory: "1Gi" }, { cpu: "2" }, { scheduling: { nodeSelector: { a: "b" } } }];
  for (const operator of operators) {
    const [key = ""] = Object.keys(operator);
    it(`are refused: ${key}`, () => {
      refused(
        sentences(cloud({ ...alone, engine: "standalone" }, { operator })),
        new RegExp(
          `operator\\.${key}: must not be set .*: the engine standalone has no operator\\. Fix: leave`,
        ),
      );
      refused(
        sentences(cloud({}, { operator: { ...operator, install: false } })),
        new RegExp(
          `operator\\.${key}: must not be set .*: another stack installs the operator\\. Fix: set it`,
        ),
      );
      assert.deepEqual(sentences(cloud({}, { operator })), []);
    });
  }
  it("aren't the scheduling of all pods", () =>
    assert.deepEqual(
      sentences(cloud({ ...alone, engine: "standalone" }, { scheduling: { nodeSelector: { a: "b" } } })),
      [],
    ));
});

describe("parameters of libraries", () => {
  const preloaded = (cluster: object) =>
    preloadLibraries(checked({ ...cloud(cluster), monitoring: { statements: { top: 0 } } }));
  it("preload pg_prewarm, which its extension alone doesn't need", () => {
    assert.deepEqual(preloaded({ parameters: { "pg_prewarm.autoprewarm": true } }), ["pg_prewarm"]);
    assert.deepEqual(preloaded({ parameters: { "pg_prewarm.autoprewarm_interval": "1min" } }), [
      "pg_prewarm",
    ]);
    const databases = [{ name: "app", owner: "app", extensions: ["pg_prewarm"] }];
    assert.deepEqual(preloaded({ databases }), []);
  });

  const own = { images: { postgresql: "registry.example.com/postgresql:17.2" } };
  it("are taken where the settings preload the library", () => {
    for (const [library, name] of [
      ["pg_partman_bgw", "pg_partman_bgw.dbname"],
      ["pg_hint_plan", "pg_hint_plan.enable_hint"],
      ["pgextwlist", "extwlist.extensions"],
    ] as const) {
      const parameters = { [name]: "x" };
      assert.deepEqual(sentences(cloud({ preloadLibraries: [library], parameters }, own)), [], name);
      refused(sentences(cloud({ parameters }, own)), /or of an extension: /);
    }
  });
  it("are taken of what Spilo has, but for the database of pg_cron", () => {
    const zalando = (cluster: object) => sentences(cloud({ engine: "zalando", ...cluster }));
    for (const library of ["pg_partman_bgw", "pg_cron", "set_user", "pg_auth_mon", "pgextwlist"])
      assert.deepEqual(zalando({ preloadLibraries: [library] }), [], library);
    assert.deepEqual(
      zalando({
        preloadLibraries: ["pg_partman_bgw"],
        parameters: { "pg_partman_bgw.dbname": "app", "cron.max_running_jobs": 5 },
      }),
      [],
    );
    refused(
      zalando({ parameters: { "cron.database_name": "app" } }),
      /must not be set \("app"\): Spilo makes pg_cron in the database postgres/,
    );
    refused(zalando({ preloadLibraries: ["pg_hint_plan"] }), /a library of the image/);
  });
});

describe("the WAL volume that the platform reckons", () => {
  it("is one that it takes itself", () => {
    for (const [writeMiBPerSecond, toleratedOutageHours, parameters] of [
      [0.1, 4, { max_wal_size: "16GB" }],
      [0.1, 0.1, { max_wal_size: "9GB", wal_keep_size: "9GB" }],
      [0.01, 1, {}],
      [5, 24, { max_wal_size: "64GB" }],
    ] as const) {
      const storage = { class: "gp3", size: "20Gi", writeMiBPerSecond, toleratedOutageHours };
      assert.deepEqual(sentences(cloud({ storage, parameters })), []);
    }
  });
});
