import assert from "node:assert/strict";
import type { EngineTraits } from "../../plan/engines/planner";
import { stackImages } from "../../plan/images";
import { loginCheck } from "../../plan/loginCheck";
import { poolerPlan } from "../../plan/pooler/plan";
import { isForeign, parameterOf } from "../../settings/catalogue";
import { check, sentence } from "../../checks/index";
import { plannerOf, planners } from "../../plan/engines/select";
import type { SettingsInput } from "../../settings/schema";
import { releasedObjects } from "../support/manifest";
import { changed, checked, everything, smallest } from "../support/settings";

const sentences = (input: unknown): string[] => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence) : [];
};
const on = (engine: EngineTraits["name"], input: SettingsInput = smallest()): SettingsInput =>
  changed(input, "cluster.engine", engine);
const alone = changed(changed(on("standalone"), "cluster.instances", 1), "cluster.durability", "async");

describe("the engines' traits", () => {
  it("stand under the names that select them", () => {
    for (const [name, traits] of Object.entries(planners)) assert.equal(traits.name, name);
  });

  it("own parameters that some PostgreSQL has, their own extensions' and gone ones aside", () => {
    for (const { name, ownedParameters } of Object.values(planners))
      for (const parameter of Object.keys(ownedParameters))
        if (!parameter.includes("*"))
          assert.ok(
            isForeign(parameter) || ["15", "16", "17", "18"].some((major) => parameterOf(major, parameter)),
            `${name}: ${parameter}`,
          );
  });

  it("let the Zalando operator have the smallest settings, and refuse what it can't do", () => {
    assert.deepEqual(sentences(on("zalando")), []);
    assert.deepEqual(sentences(on("zalando", changed(smallest(), "cluster.storage.walSize", "5Gi"))), [
      'pgplatform:cluster.storage.walSize: "5Gi" is not allowed. Allowed: what the engine zalando can do: its custom resource has one volume for each instance. Fix: leave walSize out, and make size larger by as much.',
    ]);
    assert.deepEqual(sentences(on("zalando", changed(smallest(), "cluster.postgresVersion", "18"))), [
      'pgplatform:cluster.postgresVersion: "18" is not allowed. Allowed: one of 15, 16, 17 with the engine zalando. Fix: choose one of them, or another engine.',
    ]);
  });

  it("let a standalone server have one instance, and refuse a second one", () => {
    assert.deepEqual(sentences(alone), []);
    assert.deepEqual(sentences(on("standalone")), [
      "pgplatform:cluster.instances: 3 is not allowed. Allowed: what the engine standalone can do: it is one PostgreSQL server in a StatefulSet, which nothing replicates. Fix: set cluster.instances to 1 and cluster.durability to async, or choose cnpg.",
    ]);
    assert.deepEqual(sentences(changed(alone, "cluster.durability", "zero-loss")), [
      'pgplatform:cluster.durability: "zero-loss" is not allowed. Allowed: async with one instance, since no standby could confirm a commit. Fix: set async, or cluster.instances to 3.',
    ]);
    assert.deepEqual(sentences(changed(alone, "cluster.parameters", { primary_conninfo: "host=x" })), [
      'pgplatform:cluster.parameters.primary_conninfo: must not be set ("host=x"): it is one PostgreSQL server in a StatefulSet, which nothing replicates. Fix: remove it.',
    ]);
  });

  it("plan, each under its name", () => {
    assert.equal(plannerOf(checked(everything())), planners.cnpg);
    assert.equal(plannerOf(checked(on("zalando"))), planners.zalando);
    assert.equal(plannerOf(checked(alone)), planners.standalone);
  });

  it("name the images that their plans run, neither more nor less", async () => {
    const pooler = { name: "app", database: "app", serverConnections: 30 };
    for (const input of [on("cnpg"), on("zalando"), alone]) {
      const settings = checked({ ...input, poolers: [pooler], rotation: { credentialVersion: 2 } });
      const engine = plannerOf(settings);
      const plan = engine.plan(settings);
      const poolers = settings.poolers.map((each) => poolerPlan(settings, each, plan));
      const operator = engine.operator?.(settings, await releasedObjects(engine.name));
      const check = loginCheck(settings, plan, poolers);
      const objects = [plan, ...poolers, ...(operator ? [operator] : [])].flatMap((part) => [
        ...part.objects,
      ]);
      const text = JSON.stringify([...objects, check]);
      const named = [...text.matchAll(/pgplatform\.local\/[\w.:-]+/g)].map(([image]) => image);
      assert.deepEqual([...new Set(named)].sort(), stackImages(settings, engine).sort(), engine.name);
    }
  });

  it("archive to a volume of its own with the standalone server only", () => {
    assert.deepEqual(sentences(changed(alone, "cluster.storage.archiveSize", "50Gi")), []);
    assert.deepEqual(sentences(changed(alone, "cluster.storage.archiveSize", "50Mi")), [
      'pgplatform:cluster.storage.archiveSize: "50Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more, or leave it out.',
    ]);
    assert.deepEqual(sentences(changed(smallest(), "cluster.storage.archiveSize", "50Gi")), [
      'pgplatform:cluster.storage.archiveSize: "50Gi" is not allowed. Allowed: what the engine cnpg can do: its operator archives to an object store. Fix: leave archiveSize out.',
    ]);
    assert.deepEqual(sentences(on("zalando", changed(smallest(), "cluster.storage.archiveSize", "50Gi"))), [
      'pgplatform:cluster.storage.archiveSize: "50Gi" is not allowed. Allowed: what the engine zalando can do: it archives to an object store. Fix: leave archiveSize out.',
    ]);
  });
});
