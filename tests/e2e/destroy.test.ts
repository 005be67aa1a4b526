import assert from "node:assert/strict";
import { type KubeObject } from "../../operations/kubectl";
import { environment, type Environment } from "./kit/environment";
import { make } from "./kit/make";

/**
 * What is left afterwards. First the stack alone, as from a cluster of the user's own; then everything.
 * What the built-in cluster leaves on the machine is another suite's subject (tests/e2e/cluster).
 */
describe("destroy (images built here)", () => {
  let env: Environment;
  let target: Record<string, string>;
  before(async () => {
    env = await environment();
    const { context = "", kubeconfig } = env.settings.kubernetes;
    target = { FORCE: "1", CONTEXT: context, ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }) };
  });

  const listed = async (kind: string): Promise<string[]> => {
    const { stdout } = await env.kubectl.run(["get", kind, "-o", "json"]);
    return (JSON.parse(stdout) as { items: KubeObject[] }).items.map(({ metadata }) => metadata.name);
  };
  const operatorsKinds = async () =>
    (await listed("customresourcedefinitions")).filter((name) => name.endsWith("cnpg.io"));

  it("asks first: without FORCE=1 and without a terminal nothing is deleted", async () => {
    const { exitCode, lastLine } = await make("down");
    assert.notEqual(exitCode, 0);
    assert.match(lastLine, /FORCE=1/);
    assert.ok((await listed("namespaces")).includes(env.settings.cluster.namespace));
  });

  it("`make down` of a stack on a given context takes every object of the stack away, and leaves the cluster", async () => {
    assert.ok(
      (await listed("namespaces")).includes(env.settings.cluster.namespace),
      "the stack is there before",
    );
    assert.ok((await operatorsKinds()).length > 0);
    const { exitCode, lastLine } = await make("down", { env: target });
    assert.equal(exitCode, 0);
    assert.match(lastLine, /^Stack \S+ and its data are deleted\.$/);
    const namespaces = await listed("namespaces");
    assert.ok(namespaces.includes("kube-system"), "the cluster still answers");
    assert.deepEqual(
      namespaces.filter((name) => name === env.settings.cluster.namespace || name.startsWith("cnpg")),
      [],
    );
    assert.deepEqual(await listed("persistentvolumes"), []);
    const left = (
      await listed(
        "clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations",
      )
    ).filter((name) => name.includes("cnpg"));
    assert.deepEqual(left, []);
    assert.deepEqual(await operatorsKinds(), []);
  });

  it("`make down` of the cluster that `make up` made leaves nothing that answers", async function () {
    if (process.env.CONTEXT !== undefined) this.skip();
    const { exitCode, lastLine } = await make("down", { env: { FORCE: "1" } });
    assert.equal(exitCode, 0);
    assert.match(lastLine, /^The local cluster and its data are deleted/);
    const gone = await env.kubectl.run(["get", "namespaces", "--request-timeout=5s"], { allowFailure: true });
    assert.notEqual(gone.exitCode, 0);
    const status = await make("status");
    assert.match(status.lastLine, /Nothing runs/);
  });

  it("`make down` once more has nothing to do and says so without an error", async function () {
    if (process.env.CONTEXT !== undefined) this.skip();
    assert.equal((await make("down", { env: { FORCE: "1" } })).exitCode, 0);
  });
});
