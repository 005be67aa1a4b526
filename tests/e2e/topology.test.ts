import assert from "node:assert/strict";
import { poolerLabels, secretNames } from "../../plan/names";
import { isReady, type KubeObject } from "../../operations/kubectl";
import { needs } from "./kit/ability";
import { ClientPod } from "./kit/clients";
import { podStatus } from "./kit/cluster";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";

/**
 * What runs where, and how it lets clients in.
 * This doesn't prove that the loss of a node or a zone is survived, only that no two copies share one.
 */
describe("topology (three nodes of one machine, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  before(async () => {
    env = await environment();
    clients = await startClients(env);
    await env.cluster.waitHealthy();
  });
  after(() => deleteNamespaces(env, clients.namespaces));

  const nodeOf = (pod: KubeObject) => (pod.spec as { nodeName?: string }).nodeName ?? "none";
  const poolerPods = () =>
    env.kubectl.list(
      "pods",
      env.settings.cluster.namespace,
      Object.entries(poolerLabels(env.settings.cluster.name, env.settings.poolers[0]?.name ?? ""))
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    );

  it("has three ready instances on three nodes in three zones", async function () {
    needs(this, env, "standbys");
    const instances = await env.cluster.instances();
    assert.equal(instances.filter(isReady).length, 3);
    const nodes = instances.map(nodeOf);
    assert.equal(new Set(nodes).size, 3, nodes.join(", "));
    const { stdout } = await env.kubectl.run(["get", "nodes", "-o", "json"]);
    const zones = (JSON.parse(stdout) as { items: KubeObject[] }).items
      .filter(({ metadata }) => nodes.includes(metadata.name))
      .map(({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"]);
    assert.equal(new Set(zones).size, 3, zones.join(", "));
    assert.ok(!zones.includes(undefined), "every node has a zone label");
  });

  it("has two ready pooler pods on two nodes", async () => {
    const pods = await poolerPods();
    assert.equal(pods.filter(isReady).length, 2);
    assert.equal(new Set(pods.map(nodeOf)).size, 2);
  });

  it("refuses to evict the primary and lets one pooler pod go at a time", async function () {
    needs(this, env, "standbys");
    const { namespace } = env.settings.cluster;
    const evict = async (pod: string) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction?dryRun=All`;
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
      return env.kubectl.run(["create", "--raw", path, "-f", "-"], {
        input: JSON.stringify(eviction),
        allowFailure: true,
      });
    };
    const primary = await evict(await env.cluster.primary());
    assert.notEqual(primary.exitCode, 0);
    assert.match(primary.stderr, /disruption budget/);
    const [pooler] = await poolerPods();
    assert.ok(pooler);
    assert.equal((await evict(pooler.metadata.name)).exitCode, 0);
    const { stdout } = await env.kubectl.run(["-n", namespace, "get", "pdb", "-o", "json"]);
    const budgets = (JSON.parse(stdout) as { items: KubeObject[] }).items;
    const allowed = (match: RegExp) =>
      budgets
        .filter(({ metadata }) => match.test(metadata.name))
        .map(({ status }) => (status as { disruptionsAllowed: number }).disruptionsAllowed);
    assert.deepEqual(allowed(/pooler/), [1]);
    assert.equal(budgets.length >= 3, true, "budgets for the primary, the standbys and the pooler");
  });

  it("replicates synchronously to at least one standby, from one primary", async function () {
    needs(this, env, "standbys");
    const primary = await env.cluster.primary();
    const states = await env.cluster.sql(primary, "select sync_state from pg_stat_replication");
    assert.equal(states.length, 2);
    assert.ok(
      states.some((state) => state === "quorum" || state === "sync"),
      states.join(", "),
    );
    const names = await env.cluster.value(primary, "show synchronous_standby_names");
    assert.match(names, env.cluster.kit.synchronousNames ?? /^never$/);
    assert.match(await env.cluster.value(primary, "show synchronous_commit"), /^(on|remote_apply)$/);
    const roles = await Promise.all(
      (await env.cluster.names()).map((pod) => env.cluster.value(pod, "select pg_is_in_recovery()")),
    );
    assert.deepEqual(roles.sort(), ["f", "t", "t"]);
  });

  it("has data checksums on in every instance", async () => {
    for (const pod of await env.cluster.names()) {
      assert.equal(await env.cluster.value(pod, "show data_checksums"), "on", pod);
    }
  });

  it("keeps passwords as scram hashes only, and none for a superuser where the engine needs none", async () => {
    const primary = await env.cluster.primary();
    const rows = await env.cluster.sql(
      primary,
      "select rolname, rolsuper, split_part(rolpassword, '$', 1) from pg_authid where rolpassword is not null",
    );
    const roles = rows.map((row) => row.split("|"));
    assert.ok(
      roles.some(([name]) => name === clients.login.user),
      "the application's role has a password, so the query sees passwords",
    );
    for (const [name, superuser, method] of roles) {
      assert.equal(method, "SCRAM-SHA-256", name);
      if (env.engine.can.passwordlessSuperuser === true)
        assert.equal(superuser, "f", `${name} is a superuser with a password`);
    }
  });

  it("lets no superuser log in over the network", async function () {
    needs(this, env, "passwordlessSuperuser");
    const superusers = await env.cluster.sql(
      await env.cluster.primary(),
      "select rolname from pg_roles where rolsuper and rolcanlogin",
    );
    assert.ok(superusers.includes("postgres"));
    const host = env.plan.endpoints.primary.host;
    for (const user of superusers) {
      const answer = await clients.direct.psql(host, "select 1", { PGUSER: user, PGDATABASE: "postgres" });
      assert.notEqual(answer.exitCode, 0, `${user} logged in`);
      assert.match(answer.stderr, /FATAL: {2}(pg_hba\.conf rejects|password authentication failed)/, user);
    }
    const { stdout } = await env.kubectl.run([
      "-n",
      env.settings.cluster.namespace,
      "get",
      "secrets",
      "-o",
      "name",
    ]);
    assert.ok(stdout.includes(`secret/${secretNames.application(env.settings.cluster.name)}\n`));
    assert.doesNotMatch(stdout, /superuser/);
  });

  it("lets a client verify the server's name on every Service, in each of its spellings", async () => {
    const { primary, standbys, any } = env.plan.endpoints;
    const spellings = (host: string) => [host, host.replace(/\.svc$/, ""), `${host}.cluster.local`];
    const check = async (pod: ClientPod, host: string, recovery: RegExp) => {
      const { exitCode, stdout, stderr } = await pod.psql(
        host,
        "select pg_is_in_recovery(), ssl from pg_stat_ssl where pid = pg_backend_pid()",
      );
      assert.equal(exitCode, 0, `${host}: ${stderr}`);
      assert.match(stdout.trim(), recovery, host);
    };
    for (const host of spellings(primary.host)) await check(clients.direct, host, /^f\|t$/);
    // Without standbys this name leads to the only instance.
    const read = env.settings.cluster.instances > 1 ? /^t\|t$/ : /^f\|t$/;
    for (const host of spellings(standbys.host)) await check(clients.direct, host, read);
    for (const host of spellings(any.host)) await check(clients.direct, host, /^[ft]\|t$/);
    for (const host of spellings(env.pooler.host)) await check(clients.pooled, host, /^f\|t$/);
    // The control: a name that resolves to the same server and isn't in its certificate.
    const address = podStatus((await env.cluster.instances())[0] as KubeObject).podIP ?? "";
    const wrong = await clients.direct.psql("wrong.example", "select 1", { PGHOSTADDR: address });
    assert.notEqual(wrong.exitCode, 0);
    assert.match(wrong.stderr, /does not match host name "wrong\.example"/);
  });
});
