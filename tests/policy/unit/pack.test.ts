import assert from "node:assert/strict";
import type { StackValidationPolicy } from "@pulumi/policy";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import * as struct from "google-protobuf/google/protobuf/struct_pb";
import { withPolicies } from "../../../docs/policiesTable";
import { planners } from "../../../plan/engines/select";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { platformDefaults } from "../../../checks/defaults";
import { levelsOf } from "../../../policy/levels";
import { packFolder } from "../../../policy/arguments";
import { invariants, valuesOf } from "../../../policy/invariants";
import { referenceOf } from "../../../policy/invariants/images";
import { objectOf, plain } from "../../../policy/objects";
import { policiesOf } from "../../../policy/policies";
import { imagesOf } from "../../../checks/images";
import { unknownNames } from "../../../policy/options";
import { listen, packConfig } from "../../../policy/stackConfig";
import { reservedConnections } from "../../../settings/sums/connections";
import { named } from "./kit";

const read = (...path: string[]) => readFileSync(join(packFolder, ...path), "utf8");
const json = (...path: string[]) => JSON.parse(read(...path)) as Record<string, unknown>;

describe("the policy pack", () => {
  it("has a policy for each invariant, described, with its steps, and mandatory unless it only warns", () => {
    assert.equal(new Set(invariants.map(({ name }) => name)).size, invariants.length);
    const policies = policiesOf({ config: () => ({}), today: () => "2026-01-31" });
    assert.deepEqual(
      policies.map(({ name }) => name),
      [
        ...invariants.map(({ name }) => name),
        "options",
        "waivers",
        "waived",
        "judged-later",
        "protected-data",
        "allowed",
      ],
    );
    for (const policy of policies.slice(0, invariants.length)) {
      assert.match(policy.description, /\.$/);
      assert.ok((policy.remediationSteps ?? "").length > 20, policy.name);
      assert.ok(policy.severity, policy.name);
      const { mandatory } = named(policy.name);
      assert.equal(policy.enforcementLevel, mandatory === "nowhere" ? "advisory" : "mandatory");
    }
  });

  it("has a default and a description for each option, which a configuration replaces", () => {
    for (const { options = {} } of invariants)
      for (const { description } of Object.values(options)) assert.match(description, /\.$/);
    assert.deepEqual(valuesOf(named("enough-instances")), { least: 3 });
    assert.deepEqual(valuesOf(named("enough-instances"), { least: 5 }), { least: 5 });
  });

  it("refuses names in its configuration that no policy and no option has", () => {
    const said = (given: Record<string, Record<string, unknown>>) => {
      const policies = policiesOf({ config: () => ({}), today: () => "2026-01-31", given: () => given });
      const options = policies.find(({ name }) => name === "options") as StackValidationPolicy;
      const found: string[] = [];
      void options.validateStack({} as Parameters<typeof options.validateStack>[0], (text) =>
        found.push(text),
      );
      return found;
    };
    assert.deepEqual(said({ "archive-timeout": { rpoMinute: 2 }, "archive-timeouts": {}, failsafe: {} }), [
      "archive-timeout.rpoMinute: no such option. Allowed: rpoMinutes. Fix: did you mean rpoMinutes? Correct it, or remove it.",
      "archive-timeouts: no such policy. Allowed: archive-timeout. Fix: did you mean archive-timeout? Correct it, or remove it.",
      "failsafe: no such policy. Allowed: the name of a policy of this pack. Fix: remove it.",
    ]);
    assert.deepEqual(said({ "failsafe-mode": { mode: "on" }, "instances-apart": { racks: 2 } }), [
      "failsafe-mode.mode: no such option. Allowed: none: the policy has no options. Fix: remove it.",
      "instances-apart.racks: no such option. Allowed: zones. Fix: remove it.",
    ]);
    const right = { "archive-timeout": { rpoMinutes: 2 }, waivers: {}, "protected-data": {}, all: {} };
    assert.deepEqual(said({ ...right, "instances-apart": { zones: 1 } }), []);
    for (const file of ["dev.json", "prod.json"])
      assert.deepEqual(
        unknownNames(
          Object.fromEntries(
            Object.entries(json(file)).map(([name, one]) => [
              name,
              typeof one === "string" ? {} : (one as object),
            ]),
          ) as Parameters<typeof unknownNames>[0],
          invariants.map(({ name }) => name),
          invariants,
        ),
        [],
        file,
      );
  });

  it("gets its whole configuration by the message that the SDK reads", () => {
    listen();
    const given = new analyzer.ConfigureAnalyzerRequest();
    const config = new analyzer.PolicyConfig();
    config.setProperties(struct.Struct.fromJavaScript({ rpoMinute: 2 }));
    given.getPolicyconfigMap().set("archive-timeout", config);
    const arrived = analyzer.ConfigureAnalyzerRequest.deserializeBinary(given.serializeBinary());
    arrived.getPolicyconfigMap().entries();
    assert.deepEqual(packConfig(), { "archive-timeout": { rpoMinute: 2 } });
  });

  it("loosens in dev exactly what is prod's", () =>
    assert.deepEqual(
      json("dev.json"),
      Object.fromEntries(
        invariants.filter(({ mandatory }) => mandatory === "prod").map(({ name }) => [name, "advisory"]),
      ),
    ));

  it("waives digests in prod for the images that the platform itself names without one, and for no others", () => {
    const defaults = Object.values(planners).flatMap((engine) =>
      engine.postgresVersions.flatMap((version) =>
        Object.values(imagesOf("cloud", engine, version)).filter((image) => image !== ""),
      ),
    );
    assert.deepEqual(json("prod.json"), {
      "image-digests": {
        waived: [...new Set(defaults.filter((image) => referenceOf(image).digest === undefined))].sort(),
      },
    });
  });

  it("keeps as many connections in reserve as the settings check", () =>
    assert.equal(valuesOf(named("connection-budget")).reserve, reservedConnections));

  it("wants the versions that the project has", () => {
    const { dependencies: own } = json("package.json") as { dependencies: Record<string, string> };
    const project = json("..", "package.json") as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const wanted = { ...project.devDependencies, ...project.dependencies };
    for (const [name, version] of Object.entries(own)) assert.equal(wanted[name], version, name);
  });

  it("takes its levels from the stack's tier, which has the default that the settings check gives it", () => {
    const mandatory = invariants
      .filter(({ mandatory: where }) => where !== "nowhere")
      .map(({ name }) => name);
    const expected = {
      dev: { ...Object.fromEntries(mandatory.map((name) => [name, "mandatory"])), ...json("dev.json") },
      prod: {
        ...Object.fromEntries(mandatory.map((name) => [name, "mandatory"])),
        "image-digests": { enforcementLevel: "mandatory", ...(json("prod.json")["image-digests"] as object) },
      },
    };
    for (const platform of ["local", "k3d", "cloud"] as const)
      assert.deepEqual(
        levelsOf({ "pgplatform:platform": platform }),
        expected[platformDefaults[platform].tier],
        platform,
      );
    assert.deepEqual(levelsOf({ "pgplatform:platform": "cloud", "pgplatform:tier": "dev" }), expected.dev);
    assert.deepEqual(levelsOf({ "pgplatform:platform": "local", "pgplatform:tier": "prod" }), expected.prod);
    assert.deepEqual(levelsOf({}), expected.prod, "another program");
  });

  it("is documented: each policy and each option", async () => {
    const text = read("..", "docs", "policies.md");
    assert.equal(text, await withPolicies(text), "npm run docs:policies");
    for (const { name, number, options = {} } of invariants) {
      assert.ok(text.includes(`| ${number} `), number);
      assert.ok(text.includes(`\`${name}\``), name);
      for (const option of Object.keys(options))
        assert.ok(text.includes(`\`${option}`), `${name}: ${option}`);
    }
  });
});

describe("objects out of Pulumi's properties", () => {
  const kind = Object.freeze({ apiVersion: "v1", kind: "ConfigMap" });
  const throwing = (key: string) =>
    Object.defineProperty({}, key, {
      enumerable: true,
      get() {
        throw new Error(`${key} is not known`);
      },
    });

  it("are Kubernetes objects of any class, but no CRDs and nothing of other providers", () => {
    assert.ok(objectOf("kubernetes:core/v1:ConfigMap", "x", kind));
    assert.equal(
      objectOf("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "x", kind),
      undefined,
    );
    assert.equal(objectOf("random:index/randomPassword:RandomPassword", "x", kind), undefined);
    assert.equal(objectOf("kubernetes:helm.sh/v4:Chart", "x", { chart: "y" }), undefined);
  });
  it("go by the resource's name where they have none, or one that isn't known yet", () => {
    assert.equal(objectOf("kubernetes:core/v1:ConfigMap", "x", kind)?.metadata.name, "x");
    const labelled = { ...kind, metadata: { labels: {} } };
    assert.equal(objectOf("kubernetes:core/v1:ConfigMap", "x", labelled)?.metadata.name, "x");
    const later = { ...kind, metadata: throwing("name") };
    assert.equal(objectOf("kubernetes:core/v1:ConfigMap", "x", later)?.metadata.name, "x");
  });
  it("throw for a value that isn't known when it is read, not before", () => {
    const copy = plain({ list: [1, { a: throwing("b") }] }) as { list: [number, { a: { b: unknown } }] };
    assert.equal(copy.list.length, 2);
    assert.throws(() => copy.list[1].a.b, /b is not known/);
  });
});
