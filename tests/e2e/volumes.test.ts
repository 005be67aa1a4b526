import assert from "node:assert/strict";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import { make } from "./kit/make";
import { damage, disturbance } from "./kit/observation";
import { ChangedStack } from "./kit/settings";
import { capacityOf, claimsOf, GrowingVolumes } from "./kit/storageDriver";
import { say, until } from "./kit/wait";

const LARGER = "3Gi";

/**
 * `make up` with a larger `cluster.storage.size` under writers: what Pulumi, the engine and its operator make of it, up to the volume.
 *
 * Not proven here: that a driver makes a file system larger. Volumes are folders on the built-in cluster, which nothing holds to their
 * size; the test says what a driver would say. A volume that has grown doesn't shrink: the stack is recreated afterwards.
 */
describe("larger volumes (folders without a limit, with a stand-in for their storage driver)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let driver: GrowingVolumes;

  before(async function () {
    if (process.env.CHANGES !== "all") return this.skip();
    env = await environment();
    if (env.settings.platform !== "local") return this.skip();
    clients = await startClients(env);
    stack = await ChangedStack.open();
    driver = await GrowingVolumes.start(env.kubectl, env.settings.cluster.namespace);
  });

  after(async () => {
    if (driver === undefined) return;
    await driver.stop();
    await deleteNamespaces(env, clients.namespaces);
    await stack.close();
    assert.equal((await make("destroy", { env: { FORCE: "1" } })).exitCode, 0);
    assert.equal((await make("up")).exitCode, 0);
  });

  it("grow in use: no instance restarts, nothing acknowledged is lost, and the preview is empty afterwards", async () => {
    const { namespace, storage } = env.settings.cluster;
    const sizes = async () =>
      new Map(
        (await claimsOf(env.kubectl, namespace)).map((claim) => [claim.metadata.name, capacityOf(claim)]),
      );
    const before = await sizes();
    const data = [...before].filter(([, size]) => size === storage.size).map(([name]) => name);
    assert.ok(data.length >= env.settings.cluster.instances, `volumes of ${storage.size}: ${data.join()}`);
    const servers = await env.cluster.starts();

    await stack.write([({ cluster }) => (cluster.storage.size = LARGER)]);
    const { notes } = await stack.planned();
    assert.match(notes.join("\n"), /data volumes of 3Gi instead of 2Gi: they grow in use/);
    const seen = await disturbance(env, clients, async () => {
      assert.equal((await stack.make("up")).exitCode, 0);
      await until(`volumes of ${LARGER}`, 300, async () => {
        const now = await sizes();
        const small = data.filter((name) => now.get(name) !== LARGER);
        return small.length === 0 ? { done: undefined } : { why: small.join(", ") };
      });
      await env.cluster.waitHealthy();
    });
    say(`larger volumes: ${seen.gap.direct.toFixed(2)} s direct, ${seen.gap.pooled.toFixed(2)} s pooled`);
    assert.deepEqual(damage(seen), []);
    assert.deepEqual(seen.errors, { direct: 0, pooled: 0 });
    assert.deepEqual([...(await sizes()).keys()], [...before.keys()], "the volumes of before");
    assert.deepEqual(await env.cluster.starts(), servers, "no server restarted");
    assert.deepEqual((await stack.planned()).steps, []);
  });

  it("don't shrink: the former size is refused", async () => {
    await stack.write([]);
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.match(lines.join("\n"), /cluster\.storage\.size: "2Gi" is not allowed\. Allowed: at least 3Gi/);
  });
});
