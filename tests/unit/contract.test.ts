import assert from "node:assert/strict";
import { check, sentence } from "../../checks";
import { preflight } from "../../operations/preflight";
import type { EnginePlanner } from "../../plan/engines/planner";
import { readers } from "../../plan/engines/readers";
import { liveReaders, planners } from "../../plan/engines/select";
import { type KubernetesObject, withLabels } from "../../plan/objects";
import { planPlatform } from "../../plan/platform";
import { preloadLibraries } from "../../plan/postgres/extensions";
import type { SettingsInput } from "../../settings/schema";
import { bucket, changed, checked, smallest } from "../support/settings";

/** The smallest settings that an engine takes, in a cloud, where the images are those of the engines' makers. */
function of(engine: EnginePlanner, version = "17"): SettingsInput {
  const input = changed(
    changed(smallest(), "cluster.engine", engine.name),
    "cluster.postgresVersion",
    version,
  );
  const cloud: SettingsInput = changed(
    { ...input, platform: "cloud", tier: "dev" },
    "cluster.storage.class",
    "gp3",
  );
  return engine.can.standbys === true
    ? cloud
    : changed(changed(cloud, "cluster.instances", 1), "cluster.durability", "async");
}

const sentences = (input: SettingsInput): string[] => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence) : [];
};

const withExtensions = (
  engine: EnginePlanner,
  extensions: readonly string[],
  version?: string,
): SettingsInput =>
  changed(of(engine, version), "cluster.databases", [{ name: "app", owner: "app", extensions }]);

const withParameter = (engine: EnginePlanner, name: string, value: string): SettingsInput =>
  changed(of(engine), "cluster.parameters", { [name]: value });

/** Most characters that Kubernetes takes in the name of a kind: a CronJob's Jobs and a StatefulSet's revisions have 11 more. */
const mostCharacters: Readonly<Record<string, number>> = {
  CronJob: 52,
  StatefulSet: 52,
  postgresql: 52,
  Cluster: 50,
  Job: 63,
  Service: 63,
  Namespace: 63,
};

/** What is too long for Kubernetes, in anything that holds objects: names of objects, and values of labels. */
function tooLong(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return (value as unknown[]).flatMap(tooLong);
  const { kind, metadata } = value as Partial<KubernetesObject>;
  const name = metadata?.name ?? "";
  const named = kind !== undefined && name.length > (mostCharacters[kind] ?? 253) ? [`${kind} ${name}`] : [];
  const labels = Object.entries(value)
    .filter(([key]) => ["labels", "matchLabels", "selector", "podSelector"].includes(key))
    .flatMap(([, map]): unknown[] => Object.values((map ?? {}) as object))
    .filter((text): text is string => typeof text === "string" && text.length > 63)
    .map((text) => `label ${text}`);
  return [...named, ...labels, ...Object.values(value).flatMap(tooLong)];
}

/** An example for a name or a pattern. */
const example = (pattern: string): string => pattern.replace("*", "x");

for (const engine of Object.values(planners))
  describe(`the contract of engines: ${engine.name}`, () => {
    const surroundings: [string, Partial<SettingsInput>][] = [
      ["alone", {}],
      [
        "with all that is named after it",
        { backup: { targets: [bucket()] }, rotation: { credentialVersion: 99 } },
      ],
    ];
    for (const [title, more] of surroundings)
      it(`makes nothing that is too long for Kubernetes out of the longest name: ${title}`, () => {
        const input = (length: number): SettingsInput => ({
          ...changed(of(engine), "cluster.name", "c".repeat(length)),
          poolers: [{ name: "p", database: "app" }],
          clients: [{ name: "a", namespace: "x", labels: { app: "a" }, direct: true, binding: true }],
          operator: { install: false },
          ...more,
        });
        let length: number = engine.longestClusterName;
        while (length > 1 && sentences(input(length)).length > 0) length--;
        assert.ok(length > 30, sentences(input(length)).join("\n"));
        const settings = checked(input(length));
        assert.equal(settings.cluster.name.length, length);
        assert.deepEqual(tooLong(planPlatform(settings, () => [])), []);
      });

    it("takes the smallest settings", () => assert.deepEqual(sentences(of(engine)), []));

    const systemRoles = ["postgres", "pg_x", "pgp_x", "public", "replication", ...engine.systemRoles];
    for (const role of systemRoles.map(example))
      it(`refuses ${role} as a role and as an owner`, () => {
        const asRole = sentences(changed(of(engine), "cluster.roles", [{ name: role }]));
        assert.match(
          asRole.join("\n"),
          new RegExp(`^pgplatform:cluster\\.roles\\[0\\]\\.name: "${role}"`, "m"),
        );
        const asOwner = sentences(changed(of(engine), "cluster.databases", [{ name: "app", owner: role }]));
        assert.match(asOwner.join("\n"), /^pgplatform:cluster\.databases\[0\]\.owner: /m);
      });

    for (const role of ["app_reader", "standby_reader", "administrator"])
      it(`takes ${role} as a role`, () =>
        assert.deepEqual(sentences(changed(of(engine), "cluster.roles", [{ name: role }])), []));

    for (const key of [...engine.operatorLabels, "pod-template-hash", "job-name"].map(example))
      it(`refuses the label ${key}`, () =>
        assert.match(sentences({ ...of(engine), labels: { [key]: "x" } }).join("\n"), /^pgplatform:labels/));

    it("takes labels of the user's own, and no object of the plan loses one that the engine wrote", () => {
      const labels = { team2: "shop", "example.com/owner": "shop" };
      const settings = checked({ ...of(engine), labels });
      const { objects } = engine.plan(settings);
      const before = objects.map(({ object }) => object.metadata.labels ?? {});
      const after = withLabels(objects, labels).map(({ object }) => object.metadata.labels ?? {});
      before.forEach((own, index) => assert.deepEqual(after[index], { ...labels, ...own }));
    });

    it("takes every extension that its makers' image has", () => {
      const { extensions, source } = engine.imageContents;
      assert.notEqual(source, "");
      const first = ["cube", "fuzzystrmatch", "pg_stat_statements", "postgis"].filter(
        (name) => name !== "postgis" || extensions.includes(name),
      );
      const all = [...first, ...extensions.filter((name) => !first.includes(name)), "earthdistance"];
      for (const version of engine.postgresVersions)
        assert.deepEqual(sentences(withExtensions(engine, all, version)), []);
    });

    for (const extension of ["citus", "postgis", "pg_cron", "timescaledb"])
      if (!engine.imageContents.extensions.includes(extension))
        it(`refuses the extension ${extension}, with the reason`, () => {
          const found = sentences(withExtensions(engine, [extension]));
          assert.equal(found.length, 1);
          assert.match(found[0] ?? "", /^pgplatform:cluster\.databases\[0\]\.extensions\[0\]: /);
        });

    it("preloads auto_explain when one of its parameters is set, and says so to the engine", () => {
      const settings = checked(withParameter(engine, "auto_explain.log_min_duration", "500ms"));
      assert.deepEqual(preloadLibraries(settings), ["pg_stat_statements", "auto_explain"]);
      const text = JSON.stringify(engine.plan(settings).objects);
      assert.match(text, /auto_explain\.log_min_duration/);
      // CloudNativePG's operator preloads it by itself when it finds the parameter.
      if (engine.name !== "cnpg") assert.match(text, /shared_preload_libraries[^\n]{0,160}auto_explain/);
    });

    for (const [name, value] of [
      ["auth_delay.milliseconds", "500"],
      ["cron.max_running_jobs", "5"],
      ["pg_stat_kcache.linux_hz", "100"],
      ["timescaledb.max_background_workers", "8"],
    ] as const) {
      const extension = name.split(".")[0]?.replace(/^cron$/, "pg_cron") ?? "";
      const { extensions, libraries } = engine.imageContents;
      if (![...extensions, ...libraries].includes(extension))
        it(`refuses the parameter ${name}, which would have no effect`, () =>
          assert.match(
            sentences(withParameter(engine, name, value)).join("\n"),
            /: must not be set \([^)]*\): (nothing loads auth_delay|the image \S+ doesn't have )/,
          ));
    }

    for (const key of Object.keys(engine.ownedParameters))
      it(`refuses the parameter ${key}`, () =>
        assert.equal(sentences(withParameter(engine, example(key), "1")).length, 1));

    it("upgrades the data to a newer major version, or refuses it before anything is touched", () => {
      const shapeOf = (version: string) => {
        const settings = checked(of(engine, version));
        const object = engine
          .plan(settings)
          .objects.find((one) => liveReaders[engine.name].shape(one.object))?.object;
        const shape = object && liveReaders[engine.name].shape(object);
        assert.ok(object && shape);
        return {
          settings,
          shape,
          requiredHostSpread: readers[engine.name].facts(object)?.requiredHostSpread ?? false,
        };
      };
      const { problems, questions } = preflight(
        {
          ...shapeOf("17"),
          engine,
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
          priorityClasses: [],
          nodes: [],
          apiGroups: ["apps"],
          poolerPods: {},
          cluster: shapeOf("16").shape,
        },
      );
      const refused = problems.map(sentence).filter((text) => text.includes("postgresVersion"));
      if (engine.can.majorUpgrade === true) {
        assert.deepEqual(refused, []);
        assert.match(questions.join("\n"), /PostgreSQL 16 becomes 17/);
      } else {
        assert.equal(refused.length, 1);
        assert.ok(refused[0]?.includes(engine.can.majorUpgrade.because));
        assert.doesNotMatch(questions.join("\n"), /becomes 17/);
      }
    });

    it("plans the same for the same settings, and changes no setting", () => {
      const settings = checked(of(engine));
      const before = structuredClone(settings);
      assert.deepEqual(engine.plan(settings), engine.plan(settings));
      assert.deepEqual(settings, before);
    });
  });

describe("pg_cron in an image of the user's own", () => {
  const own = (databases: unknown, parameters: unknown = {}): SettingsInput => ({
    ...changed(changed(of(planners.cnpg), "cluster.databases", databases), "cluster.parameters", parameters),
    images: { postgresql: "registry.example.com/pg:17-cron" },
  });
  const shop = { name: "shop", owner: "shop", extensions: ["pg_cron"] };

  it("is preloaded, in the database that lists it, by workers that need no login", () => {
    const spec = planners.cnpg.plan(checked(own([{ name: "app", owner: "app" }, shop]))).objects[0]?.object
      .spec as {
      postgresql: { parameters: Record<string, string>; shared_preload_libraries: string[] };
    };
    assert.deepEqual(spec.postgresql.shared_preload_libraries, ["pg_cron"]);
    assert.equal(spec.postgresql.parameters["cron.database_name"], "shop");
    assert.equal(spec.postgresql.parameters["cron.use_background_workers"], "on");
  });

  it("takes its parameters", () => {
    assert.deepEqual(sentences(own([shop], { "cron.database_name": "shop" })), []);
  });

  it("is in one database only", () => {
    assert.deepEqual(sentences(own([shop, { ...shop, name: "second" }])), [
      'pgplatform:cluster.databases[1].extensions[0]: "pg_cron" is not allowed. Allowed: pg_cron in one database only: shop has it. Fix: remove it.',
    ]);
  });
});
