import assert from "node:assert/strict";
import { serviceHost } from "../../plan/names";
import { needs } from "./kit/ability";
import { ClientPod, prepareNamespace, secretValue, Writer } from "./kit/clients";
import { Cluster } from "./kit/cluster";
import { type PlainCluster } from "./kit/engines";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces } from "./kit/fixture";
import { verify } from "./kit/observation";
import { say, until } from "./kit/wait";

/**
 * A database that does lose acknowledged rows, so that "0 lost" elsewhere means something: two instances with
 * asynchronous replication, the standby's supply stopped, then the primary removed together with its volume.
 * It is a cluster of its own, beside the product's, with the operator and the images of the product. It proves that the
 * oracle sees a real loss; it proves nothing about the product.
 */
const NAMESPACE = "pgp-e2e-control";
const NAME = "control";

describe("positive control: the oracle reports a real loss (a cluster of its own, asynchronous on purpose)", () => {
  let env: Environment;
  let cluster: Cluster;

  let plain: PlainCluster;

  before(async function () {
    env = await environment();
    needs(this, env, "standbys", "operator");
    const { kit } = env.cluster;
    if (kit.plain === undefined) {
      say(
        `left out with the engine ${env.engine.name}: the oracle is the same, and another engine's suite shows it a loss`,
      );
      return this.skip();
    }
    plain = kit.plain;
    cluster = new Cluster(env.kubectl, env.engine, NAMESPACE, NAME, { instances: 2, synchronous: false });
    await deleteNamespaces(env, [NAMESPACE]);
    await env.kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    for (const object of plain.asynchronous(await env.cluster.object(), NAMESPACE, NAME))
      await env.kubectl.apply(object);
    await cluster.waitHealthy(300);
  });
  after(() => deleteNamespaces(env, [NAMESPACE]));

  it("asynchronous, standby paused, primary and its volume gone: rows are lost, and the oracle says which", async () => {
    const { kubectl } = env;
    const access = plain.access(NAME);
    const login = {
      database: "app",
      user: "app",
      password: await secretValue(kubectl, NAMESPACE, access.application, "password"),
      ca: await secretValue(kubectl, NAMESPACE, access.ca, "ca.crt"),
    };
    await prepareNamespace(kubectl, NAMESPACE, login, { make: false });
    const client = await ClientPod.start(kubectl, NAMESPACE, "client", {});
    const host = serviceHost(access.service, NAMESPACE);
    await client.query(host, "create table acknowledged (id bigint not null)");
    const writer = await Writer.start({
      pod: client,
      arm: "control",
      run: "control",
      host,
      table: "acknowledged",
      firstId: 1,
      readWrite: true,
    });
    await writer.waitForMore(100, 60);
    const old = await cluster.primary();

    // The sender is stopped, not the receiver: what lies in the receiver's socket would still arrive.
    const sender = await cluster.value(old, "select pid from pg_stat_replication");
    await cluster.exec(old, ["bash", "-c", `kill -STOP ${Number(sender)}`]);
    await writer.waitForMore(100, 60);
    await cluster.deleteWithVolumes(old);
    await until("the standby leads", 180, async () => {
      const { primary } = await cluster.leadership();
      return primary === old ? { why: `${old} still leads` } : { done: primary };
    });
    await writer.waitForMore(60, 120);
    const { log } = await writer.stop();

    const [verdict] = Object.values(await verify(cluster, "app", "acknowledged", [log]));
    assert.ok(verdict);
    say(`${verdict.acknowledged} rows acknowledged, ${verdict.lost.length} lost`);
    assert.ok(
      verdict.lost.length >= 50,
      `only ${verdict.lost.length} rows are reported as lost: the oracle is blind`,
    );
    assert.deepEqual([verdict.duplicated, verdict.neverTried], [[], []]);
  });
});
