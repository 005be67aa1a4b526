import assert from "node:assert/strict";
import { clientName, secretNames } from "../../plan/names";
import { ClientPod, prepareNamespace, secretValue, Writer } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, loginOf } from "./kit/fixture";
import { bothWays, type Login, sessions, started } from "./kit/logins";
import { keep, verify } from "./kit/observation";
import { longestGap, rateBeforeMark, type WriterLog } from "./kit/oracle";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * Passwords are rotated with `make up` while one client writes directly and one through the pooler. Both find their login in a Secret of their
 * own namespace, mounted, as docs/connect.md has it, and take a changed one up by themselves.
 *
 * Only with ROTATION=1: a credential version can't be lowered: afterwards the stack isn't what its file says, and the next suite destroys it.
 */
const TABLE = "oracle.rotation";
/** How long a client may be without an acknowledgement. */
const PAUSE_SECONDS = 1;

const suite = process.env.ROTATION === "1" ? describe : describe.skip;

suite("rotation of passwords (three nodes of one machine, images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let direct: ClientPod;
  let pooled: ClientPod;
  let namespaces: string[];
  const edits: Edit[] = [];

  const clientsOf = ({ clients = [] }: Parameters<Edit>[0]) => {
    const { pooled: viaPooler, direct: straight } = bothWays(clients);
    const complete = (client: typeof viaPooler) => ({ ...client, namespace: client.namespace ?? "" });
    return { pooled: complete(viaPooler), direct: complete(straight) };
  };

  /** Each client has its login in its own namespace. */
  const withBinding: Edit = (settings) => {
    for (const client of Object.values(clientsOf(settings)))
      client.binding = { copySecret: true, makeNamespace: true };
  };
  const raised =
    (credentialVersion: number, overlapMinutes = 10): Edit =>
    (settings) => {
      settings.rotation = { credentialVersion, overlapMinutes };
    };

  async function up(...more: Edit[]) {
    edits.push(...more);
    await stack.write(edits);
    return stack.make("up");
  }

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    assert.equal((await up(withBinding)).exitCode, 0);
    const clients = clientsOf(env.settings as Parameters<Edit>[0]);
    namespaces = [...new Set([clients.pooled.namespace, clients.direct.namespace])];
    const login = await loginOf(env);
    for (const namespace of namespaces) await prepareNamespace(env.kubectl, namespace, login);
    const start = ({ name, namespace, labels }: (typeof clients)["direct"]) =>
      ClientPod.start(env.kubectl, namespace, `e2e-rotation-${name}`, labels, {
        secret: clientName(env.settings.cluster.name, name),
      });
    [direct, pooled] = await Promise.all([start(clients.direct), start(clients.pooled)]);
  });

  after(async () => {
    await stack.close();
    const primary = await env.cluster.primary();
    const [database] = env.settings.cluster.databases;
    await env.cluster.sql(primary, "drop schema if exists oracle cascade", database?.name);
    await deleteNamespaces(env, namespaces);
  });

  /** What applications find at this moment. */
  async function handedOut(secret = secretNames.application(env.settings.cluster.name)): Promise<Login> {
    const { namespace } = env.settings.cluster;
    const value = (key: string) => secretValue(env.kubectl, namespace, secret, key);
    return { user: await value("username"), password: await value("password") };
  }

  const writer = (pod: ClientPod, arm: string, host: string, firstId: number, run: string) =>
    Writer.start({
      pod,
      arm,
      run,
      host,
      table: TABLE,
      firstId,
      readWrite: arm === "direct",
      mountedLogin: true,
    });

  it("by one raised number: clients keep writing, the old password is refused, PostgreSQL isn't restarted", async () => {
    const { host } = env.plan.endpoints.primary;
    const [database] = env.settings.cluster.databases;
    const owner = database?.owner ?? "";
    const old = await handedOut();
    assert.deepEqual(await sessions(env, { direct, pooled }, old), [
      `${owner}|${owner}`,
      `${owner}|${owner}`,
    ]);
    const primary = await env.cluster.primary();
    const make = `create schema if not exists oracle authorization ${owner}; set role ${owner}; create table ${TABLE} (id bigint not null)`;
    await env.cluster.sql(primary, make, database?.name);
    const before = await started(env);

    const run = `rotation_${Date.now().toString(36)}`;
    const writers = await Promise.all([
      writer(direct, "direct", host, 1_000_000, run),
      writer(pooled, "pooled", env.pooler.host, 2_000_000, run),
    ]);
    await Promise.all(writers.map((each) => each.waitForMore(100, 60)));
    await Promise.all(writers.map((each) => each.mark()));
    const { exitCode, lines } = await up(raised(2));
    assert.equal(exitCode, 0);
    await Promise.all(writers.map((each) => each.waitForMore(100, 60)));
    const [first, second] = await Promise.all([writers[0].stop(), writers[1].stop()]);
    await keep(run, { "direct.log": first.text, "pooled.log": second.text });
    const logs = [first.log, second.log];

    const said = lines.join("\n");
    assert.match(
      said,
      /new logins beside the old ones[^]*get the new logins[^]*no session uses the old logins any more/,
    );
    for (const [pod, { acknowledged, lost, duplicated, neverTried }] of Object.entries(
      await verify(env.cluster, database?.name ?? "", TABLE, logs),
    )) {
      assert.ok(acknowledged > 0, pod);
      assert.deepEqual({ lost, duplicated, neverTried }, { lost: [], duplicated: [], neverTried: [] }, pod);
    }
    assert.deepEqual(await started(env), before, "no postmaster was restarted");
    const fresh = await handedOut();
    assert.equal(fresh.user, `${owner}_b`);
    assert.deepEqual(await sessions(env, { direct, pooled }, fresh), [
      `${owner}_b|${owner}`,
      `${owner}_b|${owner}`,
    ]);
    for (const refusal of await sessions(env, { direct, pooled }, old))
      assert.match(
        refusal,
        // The pooler no longer finds a login that may not log in.
        /is not permitted to log in|password authentication failed|SASL authentication failed|no such user/,
      );
    const pauses = logs.map((log: WriterLog) => longestGap(log));
    logs.forEach((log, index) =>
      say(
        `${["direct", "pooled"][index]}: longest pause ${pauses[index]?.toFixed(2)} s, ` +
          `${log.unknown.length + log.failedConnections.length} errors, ${rateBeforeMark(log).toFixed(0)} rows a second`,
      ),
    );
    assert.ok(Math.max(...pauses) <= PAUSE_SECONDS, `pauses of ${pauses.join(" and ")} s`);
  });

  it("leaves what the new login makes to the role", async () => {
    const { user, password } = await handedOut();
    const { host } = env.plan.endpoints.primary;
    const login = { PGUSER: user, PGPASSWORD: password };
    const { exitCode, stderr } = await pooled.psql(
      env.pooler.host,
      "create table oracle.made_later (id int)",
      login,
    );
    assert.equal(exitCode, 0, stderr);
    const owner = "select tableowner from pg_tables where tablename = 'made_later'";
    const { stdout } = await direct.psql(host, owner, login);
    assert.equal(stdout.trim(), env.settings.cluster.databases[0]?.owner);
  });

  it("waits for an application that keeps the old login, says who it is, and continues when it has gone", async () => {
    const old = await handedOut();
    const { host } = env.plan.endpoints.primary;
    const log = "/data/keeps-the-old";
    await direct.background(host, "idle.py", log, ["--sessions", "1"], {
      PGUSER: old.user,
      PGPASSWORD: old.password,
    });
    await until("the old login's session", 30, async () => {
      const { stdout } = await direct.exec(["cat", log], { allowFailure: true });
      return stdout.startsWith("ready") ? { done: undefined } : { why: "it isn't open" };
    });
    const left = await up(raised(3, 1));
    assert.notEqual(left.exitCode, 0);
    assert.ok(
      left.lines.some((line) =>
        line.includes(`${old.user}: 1 from the pod ${direct.namespace}/${direct.name}`),
      ),
      "the pod is named",
    );
    assert.equal(
      (await sessions(env, { direct, pooled }, old)).filter((answer) => answer.startsWith(`${old.user}|`))
        .length,
      2,
    );
    const fresh = await handedOut();
    assert.notEqual(fresh.user, old.user);
    assert.equal(
      (await sessions(env, { direct, pooled }, fresh)).filter((answer) => answer.startsWith(`${fresh.user}|`))
        .length,
      2,
    );

    await direct.tell(log, "stop");
    const { exitCode } = await up();
    assert.equal(exitCode, 0);
    for (const refusal of await sessions(env, { direct, pooled }, old))
      assert.match(refusal, /failed|not permitted/);
    assert.deepEqual((await stack.planned()).steps, []);
  });

  it("isn't taken back: a lower credential version is refused before anything is touched", async () => {
    const { exitCode, lines } = await up(raised(1));
    assert.notEqual(exitCode, 0);
    assert.match(
      lines.join("\n"),
      /rotation\.credentialVersion: 1 is not allowed\. Allowed: 3, which is in use, or 4\. Fix: /,
    );
  });
});
