import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { projectDir } from "../../shell/paths";
import { secretNames } from "../../plan/names";
import type { LogRecord } from "../../operations/logLines";
import { make } from "./kit/make";
import { environment, type Environment } from "./kit/environment";
import { secretValue } from "./kit/clients";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import { say, until } from "./kit/wait";

/**
 * `make logs` beside a client that works through the pooler: what it does is in the log, with the same fields on every engine.
 * With the engine zalando the image is one that is built here: Spilo's own defaults of logging are not shown to be overridden.
 */
describe("make logs (three nodes of one machine, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  let follower: Awaited<ReturnType<typeof follow>>;

  /** `make logs` in a group of processes of its own, and the records that it has printed so far. */
  async function follow(args: string) {
    const { execa } = await import("execa");
    const child = execa("make", ["--no-print-directory", "logs", `ARGS=${args}`], {
      cwd: projectDir,
      env: { MAKEFLAGS: undefined, MAKELEVEL: undefined },
      detached: true,
      stdin: "ignore",
      buffer: false,
      reject: false,
    });
    const records: LogRecord[] = [];
    const strays: string[] = [];
    const read = async () => {
      for await (const line of child.iterable({ from: "stdout" }))
        if (line.startsWith("{")) records.push(JSON.parse(line) as LogRecord);
        else strays.push(line);
    };
    const aside = async () => {
      for await (const line of child.iterable({ from: "stderr" })) say(`make logs: ${line}`);
    };
    void read();
    void aside();
    assert.ok(child.pid);
    const group = -child.pid;
    return { records, strays, group, exited: once(child, "exit") as Promise<[number | null, string | null]> };
  }

  const record = (what: string, fits: (one: LogRecord) => boolean, from = 0): Promise<LogRecord> =>
    until(`${what} in the log`, 60, () => {
      const found = follower.records.slice(from).find(fits);
      const { source, message } = follower.records.at(-1) ?? {};
      return Promise.resolve(
        found
          ? { done: found }
          : { why: `${follower.records.length} records, the last: ${source}: ${message}` },
      );
    });

  const ofStatement = (statement: string) => (one: LogRecord) =>
    one.source === "postgresql" && one.statement === statement;

  before(async () => {
    env = await environment();
    clients = await startClients(env);
    follower = await follow("--json --since 5m");
  });
  after(async () => {
    try {
      process.kill(follower.group, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
    await deleteNamespaces(env, clients.namespaces);
  });

  it("shows a slow statement of a pooled client with all that is known of it", async () => {
    const statement = "select pg_sleep(1.25)";
    await clients.pooled.query(env.pooler.host, statement);
    const found = await record("the slow statement", ofStatement(statement));
    const { level, role, instance, database, user, message, durationMs = 0, queryId = "" } = found;
    assert.deepEqual(
      { level, role, instance, database, user },
      { level: "info", role: "primary", instance: await env.cluster.primary(), database: "app", user: "app" },
    );
    assert.ok(durationMs >= 1250 && durationMs < 20_000, String(durationMs));
    assert.equal(message, `duration: ${durationMs.toFixed(3)} ms`);
    assert.match(queryId, /^-?\d{5,}$/);
    for (const key of ["client", "pid", "session", "backend"] as const) assert.ok(found[key], key);
    say(JSON.stringify(found));
  });

  it("shows an error of a pooled client with its SQLSTATE and statement", async () => {
    const statement = "select 1/0 as of_logs";
    const { exitCode } = await clients.pooled.psql(env.pooler.host, statement);
    assert.notEqual(exitCode, 0);
    const found = await record("the error", ofStatement(statement));
    const { level, role, sqlstate, database, user, message } = found;
    assert.deepEqual(
      { level, role, sqlstate, database, user, message },
      {
        level: "error",
        role: "primary",
        sqlstate: "22012",
        database: "app",
        user: "app",
        message: "division by zero",
      },
    );
    say(JSON.stringify(found));
  });

  it("leaves a fast statement out, and shows a refused login at the pooler", async () => {
    const from = follower.records.length;
    await clients.pooled.query(env.pooler.host, "select 'a fast one'");
    const { exitCode } = await clients.pooled.psql(env.pooler.host, "select 1", { PGPASSWORD: "wrong-word" });
    assert.notEqual(exitCode, 0);
    const found = await record(
      "the refused login",
      ({ source, message }) => source === "pgbouncer" && /auth.* failed|password/i.test(message),
      from,
    );
    assert.deepEqual(
      { role: found.role, database: found.database, user: found.user },
      { role: "pooler", database: "app", user: "app" },
    );
    say(JSON.stringify(found));
    assert.ok(!follower.records.some(({ statement = "" }) => statement.includes("a fast one")));
  });

  it("knows roles right after a failover, and takes the pod that comes back up again", async () => {
    const old = await env.cluster.primary();
    const from = follower.records.length;
    const { namespace } = env.settings.cluster;
    await env.kubectl.run(["-n", namespace, "delete", "pod", old, "--grace-period=0", "--force"]);
    if (env.settings.cluster.instances > 1)
      await record(
        "another primary",
        ({ source, message, instance }) =>
          source === "pgplatform" && instance !== old && message === "is primary now; it was standby",
        from,
      );
    const statement = "select pg_sleep(1.5)";
    await until("a pooled client is served again", 180, async () => {
      const { exitCode, stderr } = await clients.pooled.psql(env.pooler.host, statement);
      return exitCode === 0 ? { done: undefined } : { why: stderr };
    });
    const found = await record("the slow statement after it", ofStatement(statement), from);
    assert.deepEqual([found.role, found.instance], ["primary", await env.cluster.primary()]);
    await env.cluster.waitHealthy();
    await record(
      `${old} again`,
      ({ instance, source, message }) =>
        instance === old && source === "postgresql" && /ready to accept|started streaming/.test(message),
      from,
    );
    assert.deepEqual(follower.strays, []);
    for (const source of new Set(follower.records.map((one) => one.source)))
      say(`${follower.records.filter((one) => one.source === source).length} records of ${source}`);
  });

  it("prints every record once", () => {
    const keys = follower.records.flatMap(({ instance, session, sessionLine }) =>
      session === undefined ? [] : [`${instance} ${session} ${sessionLine}`],
    );
    assert.ok(keys.length > 5, `${keys.length}`);
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
  });

  it("ends by Ctrl-C, and leaves no process", async () => {
    process.kill(follower.group, "SIGINT");
    const ended = await Promise.race([follower.exited, delay(20_000, undefined, { ref: false })]);
    assert.ok(ended, "it hasn't ended within 20 s");
    await until("no process of its group", 10, () => {
      try {
        process.kill(follower.group, 0);
        return Promise.resolve({ why: "one is there" });
      } catch {
        return Promise.resolve({ done: undefined });
      }
    });
  });

  it("shows what is past to a person, without colours where there is no terminal", async () => {
    const statement = "select 1/0 as of_logs_again";
    await clients.pooled.psql(env.pooler.host, statement);
    const { exitCode, lines } = await until("the error in what is past", 60, async () => {
      const made = await make("logs", {
        env: { ARGS: "--no-follow --level error --since 30m" },
        quiet: true,
      });
      return made.lines.some((line) => line.includes(statement)) ? { done: made } : { why: "it isn't there" };
    });
    assert.equal(exitCode, 0);
    const at = lines.indexOf(`    statement: ${statement}`) - 1;
    assert.match(lines[at] ?? "", / primary ERROR {3}22012 \[app@app .*\] division by zero$/);
    assert.ok(!lines.some((line) => line.includes("\u001b")));
  });

  it("has no password of the platform's, and no verifier", async () => {
    const { lines } = await make("logs", { env: { ARGS: "--no-follow --json --since 24h" }, quiet: true });
    // Pods that were killed have taken theirs with them, but `make logs` has seen it.
    const seen = [...lines, ...follower.records.map((one) => JSON.stringify(one))];
    const text = seen.join("\n");
    assert.ok(seen.length > 50, `${seen.length} lines`);
    const { name, namespace } = env.settings.cluster;
    for (const secret of [secretNames.application(name), secretNames.admin(name), secretNames.health(name)])
      assert.ok(
        !text.includes(await secretValue(env.kubectl, namespace, secret, "password")),
        `the password of ${secret}`,
      );
    assert.doesNotMatch(text, /SCRAM-SHA-256\$\d/);
    assert.ok(!text.includes("wrong-word"));
  });
});
