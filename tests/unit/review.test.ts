import assert from "node:assert/strict";
import { reviewerOf, reviewOfSteps } from "../../operations/diff";
import { destructive } from "../../operations/plannedSteps";
import { fieldChanges, valuesOf, withField } from "../../plan/changes/fields";
import { registeredOf } from "../../plan/changes/objects";
import { lineText, reviewLines, reviewMarkdown } from "../../plan/changes/render";
import { holdsData } from "../../plan/changes/data";
import { effects, heavier, type Effect } from "../../plan/changes/effect";
import { review, type Registered, reviewed } from "../../plan/changes/review";
import { planners } from "../../plan/engines/select";
import type { KubernetesObject } from "../../plan/objects";
import { planPlatform } from "../../plan/platform";
import type { Settings, SettingsInput } from "../../settings/schema";
import { bucket, changed, checked, inCloud } from "../support/settings";
import { found as wordsFound } from "../support/words";

const engines = ["cnpg", "zalando", "standalone"] as const;
type Engine = (typeof engines)[number];

const input = (engine: Engine): SettingsInput => ({
  ...inCloud(engine),
  cluster: { ...inCloud(engine).cluster, resources: { requests: { memory: "1Gi" } } },
  poolers: [{ name: "app", database: "app" }],
  clients: [{ name: "web", namespace: "web", labels: { app: "web" }, pooler: "app" }],
  backup: { memory: "2Gi", targets: [{ ...bucket(), name: "far" }] },
});

const registered = (settings: Settings): Registered[] =>
  registeredOf(
    planPlatform(settings, () => []),
    settings,
  );

const between = (before: SettingsInput, after: SettingsInput) => {
  const [one, other] = [checked(before), checked(after)];
  return review(reviewerOf(other), registered(one), registered(other));
};

/** The heaviest that a change does. */
const worst = ({ lines }: { lines: readonly { effect: Effect }[] }): Effect =>
  lines.reduce<Effect>((one, { effect }) => heavier(one, effect), "nothing");

describe("what differs between two plans", () => {
  it("is nothing for the same settings", () => {
    for (const engine of engines) {
      const found = between(input(engine), input(engine));
      assert.deepEqual(found, { lines: [], notes: [] });
      assert.deepEqual(reviewLines(found, "x"), ["Nothing differs."]);
    }
  });

  /** Changes of a stack, each with the heaviest that it does, by engine. */
  const cases: readonly [
    what: string,
    path: string,
    to: unknown,
    expected: Partial<Record<Engine, Effect>>,
  ][] = [
    ["more instances", "cluster.instances", 5, { cnpg: "nothing", zalando: "nothing" }],
    [
      "a parameter that is reloaded",
      "cluster.parameters",
      { log_statement: "ddl" },
      { cnpg: "reload", zalando: "reload", standalone: "reload" },
    ],
    [
      "a parameter that needs a restart",
      "cluster.parameters",
      { track_activity_query_size: 4096 },
      { cnpg: "restart", zalando: "restart", standalone: "restart" },
    ],
    [
      "an image",
      "images",
      { postgresql: "registry.example.com/postgresql:17.99" },
      { cnpg: "restart", zalando: "restart", standalone: "restart" },
    ],
    ["a larger volume", "cluster.storage.size", "40Gi", { cnpg: "reload", standalone: "reload" }],
    [
      "another storage class",
      "cluster.storage.class",
      "io2",
      { cnpg: "nothing", zalando: "nothing", standalone: "nothing" },
    ],
    [
      "memory",
      "cluster.resources.requests.memory",
      "2Gi",
      { cnpg: "restart", zalando: "restart", standalone: "restart" },
    ],
    [
      "a pooler's size",
      "poolers.0.maxClients",
      200,
      { cnpg: "pause", zalando: "pause", standalone: "pause" },
    ],
    [
      "a client",
      "clients.0.labels",
      { app: "other" },
      { cnpg: "nothing", zalando: "nothing", standalone: "nothing" },
    ],
    [
      "another name of the cluster",
      "cluster.name",
      "other",
      { cnpg: "replacement", zalando: "replacement", standalone: "replacement" },
    ],
    [
      "another namespace",
      "cluster.namespace",
      "other",
      { cnpg: "replacement", zalando: "replacement", standalone: "replacement" },
    ],
    ["a new major version", "cluster.postgresVersion", "18", { cnpg: "stop", standalone: "stop" }],
    ["a failover profile", "cluster.failover", "fast", { cnpg: "restart" }],
    ["a schedule", "backup.schedule", "0 3 * * *", { cnpg: "nothing" }],
    ["labels", "labels", { team: "shop" }, { cnpg: "pause", standalone: "restart" }],
  ];
  for (const [what, path, to, expected] of cases)
    for (const engine of engines) {
      const effect = expected[engine];
      if (effect === undefined) continue;
      it(`tells for ${what} on ${engine} that it is no more and no less than: ${effect}`, () => {
        const found = between(input(engine), changed(input(engine), path, to));
        assert.equal(worst(found), effect, reviewLines(found, "x").join("\n"));
        reviewed.parse(found);
      });
    }

  it("says by name which parameter restarts and which is reloaded, where one change has both", () => {
    for (const engine of engines) {
      const parameters = { log_statement: "ddl", track_activity_query_size: 4096 };
      const { lines } = between(input(engine), changed(input(engine), "cluster.parameters", parameters));
      const effectsOf = (name: string) =>
        lines.filter(({ path }) => path?.endsWith(`.${name}`) === true).map(({ effect }) => effect);
      assert.ok(effectsOf("log_statement").includes("reload"), engine);
      assert.ok(!effectsOf("log_statement").includes("restart"), engine);
      assert.ok(effectsOf("track_activity_query_size").includes("restart"), engine);
    }
  });

  it("says what an update announces, once", () => {
    const found = between(input("cnpg"), changed(input("cnpg"), "cluster.maxConnections", 120));
    assert.deepEqual(
      found.notes.filter(({ effect }) => effect === "restart").map(({ text }) => text),
      [
        "parameters max_connections: the instances restart one after another, the primary last, in its place; clients of poolers wait meanwhile",
      ],
    );
    assert.match(reviewLines(found, "at most 14 s").join("\n"), /\n {2}= writes pause at most 14 s\n/);
  });

  it("says that `make up` refuses a major version that the engine can't upgrade to", () => {
    const found = between(input("standalone"), changed(input("standalone"), "cluster.postgresVersion", "18"));
    assert.match(found.notes[0]?.text ?? "", /`make up` refuses it, since /);
  });

  it("tells an exchanged bucket that the stack makes as a replacement, and one that it only uses not", () => {
    const aws = { name: "far", kind: "aws" as const, bucket: "one-of-ours", region: "eu-central-1" };
    const of = (target: object): SettingsInput => ({
      ...input("cnpg"),
      backup: { targets: [target as never] },
    });
    const made = between(of(aws), of({ ...aws, bucket: "another-of-ours" }));
    assert.ok(made.lines.some(({ effect, object }) => effect === "replacement" && object === "Bucket far"));
    const adopted = between(
      of({ ...aws, adopt: true }),
      of({ ...aws, bucket: "another-of-ours", adopt: true }),
    );
    assert.ok(!adopted.lines.some(({ effect }) => effect === "replacement"));
    assert.ok(adopted.lines.some(({ why }) => why === "backups so far stay in the former one"));
    const gone = between(of(aws), changed(input("cnpg"), "backup", undefined));
    assert.ok(
      gone.lines.some(
        ({ effect, object, op }) => effect === "replacement" && object === "Bucket far" && op === "delete",
      ),
    );
  });

  it("tells CloudNativePG's new operator as a restart of all, and what changes in it besides not", () => {
    const reviewer = reviewerOf(checked(input("cnpg")));
    const operator = (image: string, env: string): Registered => ({
      component: "operator",
      object: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: planners.cnpg.inMetrics.operator ?? "", namespace: "cnpg-system" },
        spec: {
          template: { spec: { containers: [{ name: "manager", image, env: [{ name: "A", value: env }] }] } },
        },
      },
    });
    assert.equal(worst(review(reviewer, [operator("a:1", "x")], [operator("a:2", "x")])), "restart");
    assert.equal(worst(review(reviewer, [operator("a:1", "x")], [operator("a:1", "y")])), "nothing");
    const other = reviewerOf(checked(input("zalando")));
    assert.equal(worst(review(other, [operator("a:1", "x")], [operator("a:2", "x")])), "nothing");
  });

  it("has the heaviest first, a group each, and words of the field", () => {
    const found = between(
      input("cnpg"),
      changed(changed(input("cnpg"), "cluster.maxConnections", 120), "poolers.0.maxClients", 150),
    );
    const ranks = found.lines.map(({ effect }) => effects.indexOf(effect));
    assert.deepEqual(
      ranks,
      [...ranks].sort((a, b) => a - b),
    );
    const text = reviewLines(found, "x");
    assert.deepEqual(
      text.filter((line) => /^\S/.test(line)).map((line) => line.split(":")[0]),
      ["restart", "pause", "reload", "nothing"],
    );
    assert.deepEqual(wordsFound([...text, ...reviewMarkdown(found, "x")].join("\n")), []);
  });
});

describe("a field that differs", () => {
  const object = (more: object): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a" },
    ...more,
  });
  const told = (before: object, after: object, kind = "ConfigMap") =>
    fieldChanges(object(before), object(after)).map((change) => {
      const [from, to] = valuesOf(change, kind === "Secret");
      return `${change.path}: ${from} -> ${to}`;
    });

  it("is told at the deepest place, lists by the names in them", () => {
    assert.deepEqual(
      told(
        {
          spec: {
            list: [
              { name: "a", x: 1 },
              { name: "b", x: 2 },
            ],
          },
        },
        {
          spec: {
            list: [
              { name: "b", x: 3 },
              { name: "c", x: 4 },
            ],
          },
        },
      ),
      [
        'spec.list[a]: {"name":"a","x":1} -> (not set)',
        "spec.list[b].x: 2 -> 3",
        'spec.list[c]: (not set) -> {"name":"c","x":4}',
      ],
    );
    assert.deepEqual(told({ a: [1, 2] }, { a: [1, 3] }), ["a[1]: 2 -> 3"]);
    assert.deepEqual(told({ a: [1] }, { a: [1, 3] }), ["a: [1] -> [1,3]"]);
    assert.deepEqual(told({ "x/y": { a: "1" } }, { "x/y": {} }), ['["x/y"].a: 1 -> (not set)']);
  });

  it("is told within JSON in a text, by lines of other texts, and around the first difference of long values", () => {
    assert.deepEqual(told({ a: '{"b":1,"c":2}' }, { a: '{"b":1,"c":3}' }), ["a.c: 2 -> 3"]);
    assert.deepEqual(told({ a: "1\n2\n" }, { a: "1\n3\n4\n" }), ["a: 3 lines -> 4 lines (2 new, 1 gone)"]);
    const long = "x".repeat(200);
    const [line = ""] = told({ a: `${long}1${long}` }, { a: `${long}2${long}` });
    assert.ok(line.length < 260 && line.includes("x1x") && line.includes("x2x"), line);
  });

  it("shows no secret: what a Secret holds, variables and keys that are called so, keys in PEM, passwords of URIs", () => {
    const secrets: [object, object, string?][] = [
      [{ data: { any: "aaaaaaaa" } }, { data: { any: "bbbbbbbb" } }, "Secret"],
      [{ stringData: { any: "aaaaaaaa" } }, { stringData: {} }, "Secret"],
      [
        { spec: { env: [{ name: "DB_PASSWORD", value: "aaaaaaaa" }] } },
        { spec: { env: [{ name: "DB_PASSWORD", value: "bbbbbbbb" }] } },
      ],
      [{ spec: { env: [] } }, { spec: { env: [{ name: "API_TOKEN", value: "bbbbbbbb" }] } }],
      [{ spec: { password: "aaaaaaaa" } }, { spec: { password: "bbbbbbbb" } }],
      [{ spec: { secretAccessKey: "aaaaaaaa" } }, { spec: { secretAccessKey: "bbbbbbbb" } }],
      [
        { spec: { uri: "postgresql://app:aaaaaaaa@host/db" } },
        { spec: { uri: "postgresql://app:bbbbbbbb@host/db" } },
      ],
      [{ spec: { x: { password: "aaaaaaaa" } } }, { spec: {} }],
    ];
    for (const [before, after, kind] of secrets) {
      const lines = told(before, after, kind);
      assert.equal(lines.length, 1, JSON.stringify(before));
      assert.doesNotMatch(lines.join(), /aaaaaaaa|bbbbbbbb/);
    }
    assert.deepEqual(told({ spec: { secretName: "one" } }, { spec: { secretName: "two" } }), [
      "spec.secretName: one -> two",
    ]);
  });

  it("can be set alone, at the end of its way", () => {
    const [before, after] = [
      { a: [{ name: "x", v: 1 }], t: '{"p":1,"q":2}', gone: 1 },
      { a: [{ name: "x", v: 2 }], t: '{"p":3,"q":4}', come: { z: 1 } },
    ];
    const changes = fieldChanges(before, after);
    for (const { keys } of changes)
      assert.equal(fieldChanges(before, withField(before, after, keys)).length, 1, keys.join("."));
    const all = changes.reduce<unknown>((at, { keys }) => withField(at, after, keys), before);
    assert.deepEqual(all, after);
    assert.equal(before.a[0]?.v, 1, "nothing is changed in its place");
  });
});

describe("what Pulumi plans", () => {
  it("is told field by field, old and new", () => {
    const settings = checked(input("cnpg"));
    const cluster = (instances: number, parameters: object) => ({
      ...(planners.cnpg.plan(settings).objects[0]?.object as KubernetesObject),
      spec: { instances, postgresql: { parameters } },
    });
    const urn =
      "urn:pulumi:s::p::pgplatform:components:PostgresPlatform$pgplatform:components:Cluster$kubernetes:postgresql.cnpg.io/v1:Cluster::main-cluster-cluster";
    const steps = [
      {
        op: "update",
        urn,
        oldState: { inputs: cluster(3, { max_connections: "100" }) },
        newState: { inputs: cluster(3, { max_connections: "120" }) },
      },
      { op: "create", urn: `${urn}2` },
    ];
    const { lines } = reviewOfSteps(settings, steps);
    assert.deepEqual(
      lines.map((line) => `${line.effect} ${line.component} ${lineText(line)}`),
      ["restart cluster Cluster postgres/main: spec.postgresql.parameters.max_connections: 100 -> 120"],
    );
  });

  it("loses data by the same list of kinds", () => {
    const kinds = [
      ...Object.values(planners).map(({ clusterKind }) => clusterKind),
      { apiVersion: "v1", kind: "Namespace" },
    ];
    for (const { apiVersion, kind } of kinds) {
      assert.ok(holdsData({ apiVersion, kind }));
      const type = `kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`;
      assert.equal(destructive([{ op: "delete", urn: `urn:pulumi:s::p::${type}::x` }]).length, 1, type);
    }
  });
});
