import assert from "node:assert/strict";
import { type KubeObject } from "../../operations/kubectl";
import { operatorOf } from "../../operations/liveCheck";
import { environment, type Environment } from "./kit/environment";
import { make } from "./kit/make";
import { until } from "./kit/wait";

/**
 * What is left afterwards. First the stack alone, as from a cluster of the user's own; then everything.
 * What the built-in cluster leaves on the machine is another suite's subject (tests/e2e/cluster).
 */
describe("destroy (images built here)", () => {
  let env: Environment;
  before(async () => {
    env = await environment();
  });

  const listed = async (kind: string): Promise<string[]> => {
    const { stdout } = await env.kubectl.run(["get", kind, "--all-namespaces", "-o", "json"]);
    return (JSON.parse(stdout) as { items: KubeObject[] }).items.map(({ metadata }) => metadata.name);
  };
  /** Names of the operator's objects of one kind, or of all kinds. */
  const ofOperator = (kind?: string): string[] =>
    (operatorOf(env.settings)?.objects ?? [])
      .filter(({ object }) => kind === undefined || object.kind === kind)
      .map(({ object }) => object.metadata.name);
  const operatorsKinds = async () => {
    const own = ofOperator("CustomResourceDefinition");
    return (await listed("customresourcedefinitions")).filter((name) => own.includes(name));
  };

  it("asks first: without FORCE=1 and without a terminal nothing is deleted", async () => {
    for (const target of ["destroy", "down"]) {
      const { exitCode, lines } = await make(target, { env: { FORCE: "" } });
      assert.notEqual(exitCode, 0);
      assert.match(lines.join("\n"), /FORCE=1/);
    }
    assert.ok((await listed("namespaces")).includes(env.settings.cluster.namespace));
    await env.cluster.waitHealthy();
  });

  it("`make destroy` removes the stack with its data, and leaves the cluster", async () => {
    assert.ok(
      (await listed("namespaces")).includes(env.settings.cluster.namespace),
      "the stack is there before",
    );
    assert.notDeepEqual(await listed("persistentvolumes"), []);
    const kinds = await operatorsKinds();
    assert.equal(kinds.length > 0, env.engine.operator !== undefined, "the operator's CRDs are there before");
    const { exitCode, lastLine } = await make("destroy", { env: { FORCE: "1" } });
    assert.equal(exitCode, 0);
    assert.match(lastLine, /^Stack \S+ and its data are deleted/);
    const namespaces = await listed("namespaces");
    assert.ok(namespaces.includes("kube-system"), "the cluster still answers");
    assert.deepEqual(
      namespaces.filter((name) => name === env.settings.cluster.namespace || ofOperator().includes(name)),
      [],
    );
    await until("the volumes are gone", 120, async () => {
      const volumes = await listed("persistentvolumes");
      return volumes.length === 0 ? { done: undefined } : { why: volumes.join(", ") };
    });
    const cluster =
      "clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations";
    assert.deepEqual(
      (await listed(cluster)).filter((name) => ofOperator().includes(name)),
      [],
    );
    // The operator's CRDs may stay (deleting them would delete other stacks' databases); objects of their kinds may not.
    for (const kind of await operatorsKinds()) assert.deepEqual(await listed(kind), [], kind);
  });

  it("`make destroy` once more has nothing to delete, and says so", async () => {
    const again = await make("destroy", { env: { FORCE: "1" } });
    assert.equal(again.exitCode, 0);
    assert.match(again.lastLine, /nothing was deleted/);
  });

  it("`make up` afterwards starts again on the same cluster, beside the CRDs that stayed", async () => {
    const up = await make("up");
    assert.equal(up.exitCode, 0);
    assert.match(up.lastLine, /is up: /);
  });

  it("`make down` of the cluster that `make up` made leaves nothing that answers", async function () {
    if (process.env.CONTEXT !== undefined) this.skip();
    const { exitCode, lastLine } = await make("down", { env: { FORCE: "1" } });
    assert.equal(exitCode, 0);
    assert.match(lastLine, /^The local cluster and its data are deleted/);
    const gone = await env.kubectl.run(["get", "namespaces", "--request-timeout=5s"], { allowFailure: true });
    assert.notEqual(gone.exitCode, 0);
    assert.match((await make("status")).lines.join("\n"), /Nothing runs/);
    assert.equal((await make("down", { env: { FORCE: "1" } })).exitCode, 0, "once more");
  });
});
