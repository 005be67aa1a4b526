import assert from "node:assert/strict";
import { secretNames } from "../../plan/names";
import { ClientPod, prepareNamespace, removePreparations, secretValue, Writer } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, loginOf } from "./kit/fixture";
import { bothWays, type Login, sessions, started } from "./kit/logins";
import { keep, verify } from "./kit/observation";
import { longestGap, type WriterLog } from "./kit/oracle";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * Passwords whose owner isn't the stack (`secrets.source: external`): this suite is the owner, and changes Secrets under a client that writes directly and one
 * that writes through the pooler. Both have the Secret mounted, and take a changed one up by themselves.
 *
 * Only with SECRETS=1: it makes the stack again at its end.
 */
const TABLE = "oracle.secrets";
/** The clients' own Secret, in their namespaces. */
const COPY = "e2e-login";
/** How long until PostgreSQL has what a Secret says. */
const FOLLOW_SECONDS = 120;
const OVERLAP_MINUTES = 1;
const PAUSE_SECONDS = 1;

const suite = process.env.SECRETS === "1" ? describe : describe.skip;

suite("passwords of another owner (Secrets that this suite makes)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let direct: ClientPod;
  let pooled: ClientPod;
  let namespaces: string[];
  let owner: string;
  let first: Login;
  let present: Login;

  const run = Date.now().toString(36);
  const database = () => env.settings.cluster.databases[0]?.name ?? "";
  const secretOf = (id: string) => secretNames.login(env.settings.cluster.name, id);

  const external: Edit = (settings) => {
    settings.secrets = { source: "external", overlapMinutes: OVERLAP_MINUTES };
  };

  const put = (namespace: string, name: string, { user, password }: Login) =>
    env.kubectl.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      type: "kubernetes.io/basic-auth",
      stringData: { username: user, password },
    });

  /** What its owner does: the cluster's Secret and the clients', with the same login. */
  async function give(login: Login): Promise<void> {
    await put(env.settings.cluster.namespace, secretOf("app"), login);
    for (const namespace of namespaces) await put(namespace, COPY, login);
    present = login;
  }

  async function up(...edits: Edit[]) {
    await stack.write(edits);
    return stack.make("up");
  }

  /** Waits until both ways take the login; returns how long that took. */
  async function followed(login: Login): Promise<number> {
    const began = Date.now();
    await until(`${login.user} logs in with what its Secret says`, FOLLOW_SECONDS, async () => {
      const got = await sessions(env, { direct, pooled }, login);
      return got.every((one) => one === `${login.user}|${owner}`)
        ? { done: undefined }
        : { why: got.join("; ") };
    });
    return (Date.now() - began) / 1000;
  }

  const refused = (login: Login, seconds: number) =>
    until(`${login.user} is refused with what its Secret said before`, seconds, async () => {
      const got = await sessions(env, { direct, pooled }, login);
      return got.every((one) =>
        /password authentication failed|SASL authentication failed|no such user/.test(one),
      )
        ? { done: undefined }
        : { why: got.join("; ") };
    });

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    const { clients, cluster } = env.settings;
    const { pooled: viaPooler, direct: straight } = bothWays(clients);
    owner = cluster.databases[0]?.owner ?? "";
    namespaces = [...new Set([viaPooler.namespace, straight.namespace])];
    const login = await loginOf(env);
    for (const namespace of namespaces) await prepareNamespace(env.kubectl, namespace, login);
    first = { user: owner, password: `first${run}` };
    await give(first);
    for (const id of [
      "admin",
      ...cluster.roles.filter((role) => role.login).map(({ name }) => `role-${name.replaceAll("_", "-")}`),
    ])
      await put(cluster.namespace, secretOf(id), {
        user: id === "admin" ? "pgp_admin" : id.slice("role-".length).replaceAll("-", "_"),
        password: `${id}${run}`,
      });
    for (const { owner: other } of cluster.databases.filter((one) => one.owner !== owner))
      await put(cluster.namespace, secretOf(`owner-${other.replaceAll("_", "-")}`), {
        user: other,
        password: `${other}${run}`,
      });
    assert.equal((await up(external)).exitCode, 0);
    const start = ({ name, namespace, labels }: typeof straight) =>
      ClientPod.start(env.kubectl, namespace, `e2e-secrets-${name}`, { ...labels }, { secret: COPY });
    [direct, pooled] = await Promise.all([start(straight), start(viaPooler)]);
  });

  after(async () => {
    await stack.giveBack(async () => {
      for (const namespace of namespaces) await removePreparations(env.kubectl, namespace);
      await deleteNamespaces(env, namespaces);
    });
  });

  it("are in PostgreSQL when `make up` ends, and those that the stack generated before are not", async () => {
    assert.deepEqual(await sessions(env, { direct, pooled }, first), [
      `${owner}|${owner}`,
      `${owner}|${owner}`,
    ]);
    const { namespace, name } = env.settings.cluster;
    await assert.rejects(secretValue(env.kubectl, namespace, secretNames.application(name), "password"));
  });

  it("follow a changed Secret under writers: the old login works until nobody uses it, no postmaster restarts", async () => {
    const primary = await env.cluster.primary();
    await env.cluster.sql(
      primary,
      `create schema if not exists oracle authorization ${owner}; set role ${owner}; create table ${TABLE} (id bigint not null)`,
      database(),
    );
    const before = await started(env);
    const writer = (pod: ClientPod, arm: string, host: string, firstId: number) =>
      Writer.start({
        pod,
        arm,
        run: `secrets_${run}`,
        host,
        table: TABLE,
        firstId,
        readWrite: arm === "direct",
        mountedLogin: true,
      });
    const writers = await Promise.all([
      writer(direct, "direct", env.plan.endpoints.primary.host, 1_000_000),
      writer(pooled, "pooled", env.pooler.host, 2_000_000),
    ]);
    await Promise.all(writers.map((each) => each.waitForMore(100, 60)));
    await Promise.all(writers.map((each) => each.mark()));
    const old = present;
    const fresh = { user: `${owner}_b`, password: `second${run}` };
    await give(fresh);
    const seconds = await followed(fresh);
    // The overlap is longer than what the question takes.
    assert.deepEqual(await sessions(env, { direct, pooled }, old), [
      `${owner}|${owner}`,
      `${owner}|${owner}`,
    ]);
    await refused(old, OVERLAP_MINUTES * 60 + 2 * FOLLOW_SECONDS);
    await Promise.all(writers.map((each) => each.waitForMore(100, 60)));
    const [one, two] = await Promise.all([writers[0].stop(), writers[1].stop()]);
    await keep(`secrets_${run}`, { "direct.log": one.text, "pooled.log": two.text });
    const logs = [one.log, two.log];
    for (const [pod, { acknowledged, lost, duplicated, neverTried }] of Object.entries(
      await verify(env.cluster, database(), TABLE, logs),
    )) {
      assert.ok(acknowledged > 0, pod);
      assert.deepEqual({ lost, duplicated, neverTried }, { lost: [], duplicated: [], neverTried: [] }, pod);
    }
    assert.deepEqual(await started(env), before, "no postmaster was restarted");
    const pauses = logs.map((log: WriterLog) => longestGap(log));
    say(
      `PostgreSQL followed after ${seconds.toFixed(0)} s; longest pauses ${pauses.map((one) => one.toFixed(2)).join(" and ")} s`,
    );
    assert.ok(Math.max(...pauses) <= PAUSE_SECONDS, `pauses of ${pauses.join(" and ")} s`);
  });

  it("what the new login makes is the role's", async () => {
    const login = { PGUSER: present.user, PGPASSWORD: present.password };
    const { exitCode, stderr } = await pooled.psql(
      env.pooler.host,
      "create table oracle.made_later (id int)",
      login,
    );
    assert.equal(exitCode, 0, stderr);
    const { stdout } = await direct.psql(
      env.plan.endpoints.primary.host,
      "select tableowner from pg_tables where tablename = 'made_later'",
      login,
    );
    assert.equal(stdout.trim(), owner);
  });

  it("follow a password that changes under the same name, without an overlap", async () => {
    const old = present;
    await give({ ...present, password: `third${run}` });
    const seconds = await followed(present);
    await refused(old, FOLLOW_SECONDS);
    say(`PostgreSQL followed after ${seconds.toFixed(0)} s`);
  });

  it("survive a failover and a restarted reloader", async () => {
    const { namespace } = env.settings.cluster;
    const pods = ["-n", namespace, "delete", "pod", "-l", "pgplatform.io/role=login-reloader"];
    await env.kubectl.run(pods);
    await env.kubectl.run([
      "-n",
      namespace,
      "delete",
      "pod",
      await env.cluster.primary(),
      "--grace-period=1",
    ]);
    await followed(present);
    const old = present;
    await give({ user: owner, password: `fourth${run}` });
    await followed(present);
    await refused(old, OVERLAP_MINUTES * 60 + 2 * FOLLOW_SECONDS);
  });

  it("are missed before anything is changed: a Secret that is gone, a wrong key, another user", async () => {
    const { namespace } = env.settings.cluster;
    const name = secretOf("admin");
    await env.kubectl.run(["-n", namespace, "delete", "secret", name]);
    const gone = await stack.make("preview");
    assert.notEqual(gone.exitCode, 0);
    assert.match(gone.lines.join("\n"), new RegExp(`"${name}" is not allowed[^]*it is missing`));
    await env.kubectl.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      stringData: { user: "pgp_admin", password: `admin${run}` },
    });
    const wrong = await stack.make("preview");
    assert.match(
      wrong.lines.join("\n"),
      /username is missing or empty, and it has password, user|it has user, password/,
    );
    await put(namespace, name, { user: "postgres", password: `admin${run}` }).catch(async () => {
      // The type of a Secret can't be changed.
      await env.kubectl.run(["-n", namespace, "delete", "secret", name]);
      await put(namespace, name, { user: "postgres", password: `admin${run}` });
    });
    const other = await stack.make("preview");
    assert.match(
      other.lines.join("\n"),
      /a Secret whose username is pgp_admin or pgp_admin_b; it is postgres/,
    );
    await put(namespace, name, { user: "pgp_admin", password: `admin${run}` });
    assert.equal((await stack.make("preview")).exitCode, 0);
  });
});
