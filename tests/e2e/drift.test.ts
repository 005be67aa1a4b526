import assert from "node:assert/strict";
import { resourceOf } from "../../operations/kubectl";
import { environment, type Environment } from "./kit/environment";
import { make } from "./kit/make";
import { until } from "./kit/wait";

/**
 * Changes made by hand: seen by `make preview`, fixed by `make up`.
 * This doesn't prove that every field's drift is seen: fields that the program doesn't set belong to the controller that sets them.
 */
describe("drift (changes made by hand, on a cluster with images built here)", () => {
  let env: Environment;
  before(async () => {
    env = await environment();
  });

  interface Plant {
    readonly kind: string;
    readonly name: string;
    readonly patch: object;
    /** Reads the changed value. */
    readonly path: string;
    readonly shown: RegExp;
  }

  it("of the pooler's Deployment, and of the cluster's own object, which removes some of its safety, are seen and fixed", async () => {
    const { namespace, name } = env.settings.cluster;
    const { apiVersion, kind } = env.engine.clusterKind;
    const plants: readonly Plant[] = [
      {
        kind: "deployment",
        name: env.pooler.name,
        patch: { spec: { replicas: 1 } },
        path: "{.spec.replicas}",
        shown: new RegExp(`update .*Deployment.*${env.pooler.name.split("-").at(-1)}`),
      },
      {
        kind: resourceOf(apiVersion, kind),
        name,
        ...env.cluster.kit.drift,
        shown: new RegExp(`update .*${kind}`),
      },
    ];
    const read = async (one: Plant) =>
      (await env.kubectl.run(["-n", namespace, "get", one.kind, one.name, "-o", `jsonpath=${one.path}`]))
        .stdout;
    const intended = new Map<Plant, string>();
    try {
      for (const one of plants) {
        intended.set(one, await read(one));
        const patch = ["--type=merge", "-p", JSON.stringify(one.patch)];
        await env.kubectl.run(["-n", namespace, "patch", one.kind, one.name, ...patch]);
        assert.notEqual(await read(one), intended.get(one), "the planted change changes something");
      }
      const preview = await make("preview");
      assert.equal(preview.exitCode, 0);
      assert.match(preview.lastLine, /^\d+ changes?; `make up` makes (it|them)\.$/);
      for (const { shown } of plants) assert.match(preview.lines.join("\n"), shown);
    } finally {
      const { exitCode } = await make("up");
      assert.equal(exitCode, 0);
    }
    for (const one of plants)
      assert.equal(await read(one), intended.get(one), "`make up` restored the value");
    assert.equal((await make("preview", { quiet: true })).lastLine, "No changes.");
    await until("two pooler pods again", 120, async () => {
      const status = (await env.kubectl.get("deployment", namespace, env.pooler.name))?.status;
      return status?.readyReplicas === 2 ? { done: undefined } : { why: JSON.stringify(status) };
    });
    await env.cluster.waitHealthy();
  });

  it("of what the cluster's object has no field for is fixed by a CronJob", async function () {
    const { upkeep } = env.cluster.kit;
    if (upkeep === undefined) return this.skip();
    const { name, namespace } = env.settings.cluster;
    const intended = await upkeep.value(env.cluster);
    await upkeep.spoil(env.cluster);
    assert.notEqual(await upkeep.value(env.cluster), intended, "the planted change changes something");
    // What its schedule starts every few minutes, at once.
    const job = `${name}-upkeep-now`;
    await env.kubectl.run(["-n", namespace, "delete", "job", job, "--ignore-not-found"]);
    await env.kubectl.run(["-n", namespace, "create", "job", job, `--from=cronjob/${upkeep.cronJob(name)}`]);
    await until("the value as planned", 120, async () => {
      const value = await upkeep.value(env.cluster);
      return value === intended ? { done: undefined } : { why: `it is ${value}` };
    });
    await env.kubectl.run(["-n", namespace, "delete", "job", job]);
  });
});
