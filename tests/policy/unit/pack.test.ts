import assert from "node:assert/strict";
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
