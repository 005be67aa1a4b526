import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../../operations/status/report";
import type { Drill } from "../../operations/drill/page";
import type { PoolRow } from "../../operations/pools";
import type { Session } from "../../operations/blockers";
import { liveReaders } from "../../plan/engines/select";
import { actNames } from "../../plan/engines/acts";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { needs } from "./kit/ability";
import { environment, stackName, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import { loadRenamedImage, renamedImage } from "./kit/images";
import { damage, disturbance, type Seen } from "./kit/observation";
import { ChangedStack } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * `pgp` as the one on call uses it, on a running platform of any engine. What an engine can't do says so. The quick part belongs to the core; what acts on the
 * instances, under writing clients, runs with PGP=1. It doesn't prove how long anything takes: the machine has other work.
 */

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const pgp = (...args: string[]): Promise<Ran> => {
  say(`pgp ${args.join(" ")}`);
  return run("./pgp", args, { cwd: projectDir, allowFailure: true });
};

/** A command's answer as JSON; its exit code must be one of these. */
async function answer<T>(args: readonly string[], exits: readonly number[] = [0]): Promise<T> {
  const { exitCode, stdout, stderr } = await pgp(...args, "--json");
  assert.ok(exits.includes(exitCode), `pgp ${args.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
}

const ofStack = ["--stack", stackName];

const statusOf = (...more: string[]): Promise<Report> =>
  answer<Report>(["status", ...(more.length > 0 ? more : ofStack)], [0, 3, 4]);

/** Waits until the status says something: on a machine with other work a question may be late. */
const statusUntil = (what: string, says: (report: Report) => boolean, seconds = 120): Promise<Report> =>
  until(what, seconds, async () => {
    const report = await statusOf();
    const { writes, problems, unread } = report;
    return says(report)
      ? { done: report }
      : { why: JSON.stringify({ writes, problems: problems.map(({ what: text }) => text), unread }) };
  });

describe("pgp (three nodes of one machine, images built here)", () => {
  let env: Environment;
  before(async () => {
    env = await environment();
    await env.cluster.waitHealthy();
  });

  it("says that writes work, and who leads, by the stack and by live objects alone", async () => {
    const report = await statusUntil(
      "writes work",
      ({ writes, unread }) => writes.work === true && unread.length === 0,
    );
    const { namespace, name } = env.settings.cluster;
    assert.deepEqual([report.namespace, report.cluster, report.engine], [namespace, name, env.engine.name]);
    const primary = await env.cluster.primary();
    assert.deepEqual(
      report.instances.filter(({ role }) => role === "primary").map((one) => one.name),
      [primary],
    );
    assert.equal(report.instances.length, env.settings.cluster.instances);
    for (const one of report.instances) {
      assert.ok(one.answers && one.node !== undefined && one.timeline !== undefined, JSON.stringify(one));
      if (one.role === "standby") assert.ok(one.sync !== undefined && one.lagBytes !== undefined);
    }
    assert.equal(report.poolers.length, env.settings.poolers.length);
    assert.ok(report.certificates.length > 0);
    assert.ok(
      report.volumes.some(
        ({ holds, bytes, usedBytes }) => holds === "data" && usedBytes > 0 && bytes > usedBytes,
      ),
    );
    const { context = "" } = env.settings.kubernetes;
    const found = await until("the same by its live objects", 120, async () => {
      const one = await statusOf("--namespace", namespace, "--cluster", name);
      return one.writes.work === true && one.unread.length === 0
        ? { done: one }
        : { why: JSON.stringify(one.unread) };
    });
    assert.equal(found.context, context);
    assert.deepEqual(
      found.instances.map((one) => [one.name, one.role]),
      report.instances.map((one) => [one.name, one.role]),
    );
    const { stdout } = await pgp("status", ...ofStack);
    assert.match(stdout, /^(Writes work since .*: a row was written at|WHETHER WRITES WORK IS NOT KNOWN)/);
    assert.ok(!stdout.includes("\u001b["), "no colours off a terminal");
  });

  it("opens psql at the primary, and gives psql's exit code", async () => {
    const good = await pgp("psql", ...ofStack, "--", "-XAtqc", "select pg_is_in_recovery()");
    assert.deepEqual([good.exitCode, good.stdout], [0, "f\n"]);
    const bad = await pgp("psql", ...ofStack, "--", "-XAtqc", "select 1/0", "-v", "ON_ERROR_STOP=1");
    assert.equal(bad.exitCode, 1);
    assert.match(bad.stderr, /division by zero/);
  });

  it("shows the pools, and the history", async () => {
    const { pools } = await until("a pool", 60, async () => {
      const found = await answer<{ pools: PoolRow[] }>(["pooler", "show", ...ofStack]);
      return found.pools.length > 0 ? { done: found } : { why: "no pool yet" };
    });
    assert.ok(pools.every(({ pod, database }) => pod !== "" && database !== "pgbouncer"));
    const { changes } = await answer<{ changes: unknown[] }>(["history", ...ofStack]);
    assert.ok(Array.isArray(changes));
  });

  it("shows who waits for whom, and ends what holds up others", async () => {
    const primary = await env.cluster.primary();
    const { namespace } = env.settings.cluster;
    await env.cluster.sql(
      primary,
      "create table if not exists public.pgp_e2e (a int); insert into public.pgp_e2e values (1)",
    );
    const { execa } = await import("execa");
    const hold = (sql: string) =>
      execa(
        "kubectl",
        [
          ...env.kubectl.flags,
          "-n",
          namespace,
          "exec",
          "-i",
          primary,
          "-c",
          "postgres",
          "--",
          "psql",
          "-XqU",
          "postgres",
        ],
        { env: env.kubectl.environment, input: sql, reject: false },
      );
    const blocking = hold("begin; update public.pgp_e2e set a = 2; select pg_sleep(300);");
    const waiting = hold("select pg_sleep(3); update public.pgp_e2e set a = 3;");
    try {
      const { sessions } = await until("one waits", 90, async () => {
        const found = await answer<{ sessions: Session[] }>(["blockers", ...ofStack]);
        return found.sessions.length === 2 ? { done: found } : { why: `${found.sessions.length} sessions` };
      });
      const top = sessions.find(({ blocks }) => blocks === 1);
      assert.ok(top && sessions.some(({ blockedBy }) => blockedBy.includes(top.pid)));
      const refused = await pgp("blockers", ...ofStack, "--terminate");
      assert.equal(refused.exitCode, 1, "nothing is ended without an answer");
      const { ended } = await answer<{ ended: number[] }>(["blockers", ...ofStack, "--terminate", "--yes"]);
      assert.deepEqual(ended, [top.pid]);
      await Promise.all([blocking, waiting]);
      assert.equal(await env.cluster.value(primary, "select a from public.pgp_e2e"), "3");
    } finally {
      blocking.kill();
      waiting.kill();
      await env.cluster.sql(primary, "drop table if exists public.pgp_e2e");
    }
  });

  it("opens a way that verifies the server, and closes it on Ctrl-C", async () => {
    const { execa } = await import("execa");
    const child = execa("./pgp", ["connect", ...ofStack], {
      cwd: projectDir,
      detached: true,
      stdin: "ignore",
      buffer: false,
      reject: false,
    });
    const lines: string[] = [];
    void (async () => {
      for await (const line of child.iterable({ from: "stdout" })) lines.push(line);
    })();
    const exited = once(child, "exit");
    try {
      const text = await until("the way", 90, () => {
        const found = lines.map((line) => /psql "(.*)"$/.exec(line)?.[1]).find((one) => one !== undefined);
        return Promise.resolve(found === undefined ? { why: lines.join("; ") } : { done: found });
      });
      assert.match(text, /sslmode=verify-full/);
      const application = await env.kubectl.get(
        "secret",
        env.settings.cluster.namespace,
        `${env.settings.cluster.name}-app`,
      );
      const { password = "" } = (application as unknown as { data: Record<string, string> }).data;
      await until("a session by the way", 60, async () => {
        const { stdout, stderr } = await run("psql", [text, "-XAtqc", "select 'by pgp'"], {
          allowFailure: true,
          env: { PGPASSWORD: Buffer.from(password, "base64").toString(), PGCONNECT_TIMEOUT: "5" },
        });
        return stdout === "by pgp\n" ? { done: undefined } : { why: stderr };
      });
    } finally {
      assert.ok(child.pid);
      process.kill(-child.pid, "SIGINT");
      await exited;
    }
  });

  it("asks before it interrupts: without a terminal nothing is done; and says what the engine can't", async () => {
    const starts = await env.cluster.starts();
    const standby = (await env.cluster.names()).find((name) => name !== starts[0]) ?? "";
    const commands: Readonly<Record<(typeof actNames)[number], string[]>> = {
      switchover: ["switchover"],
      failover: ["failover"],
      restart: ["restart"],
      restartAll: ["restart", "--rolling"],
      reload: [],
      reinit: ["reinit", standby],
      fence: ["fence", standby],
      unfence: [],
      hibernate: ["hibernate"],
      wake: [],
      scale: ["scale", "2"],
    };
    for (const act of actNames) {
      const [name = "", ...args] = commands[act];
      if (name === "") continue;
      const { exitCode, stdout } = await pgp(name, ...args, ...ofStack);
      assert.equal(exitCode, 1, stdout);
      const how = liveReaders[env.engine.name].acts[act];
      assert.match(
        stdout,
        typeof how === "function"
          ? /There is no terminal to ask on|is not allowed\. Allowed:/
          : new RegExp(`the engine ${env.engine.name} can't: .*\\. Instead: `),
      );
    }
    assert.deepEqual(await env.cluster.starts(), starts);
  });
});

(process.env.PGP === "1" ? describe : describe.skip)("pgp acts (images built here)", () => {
  let env: Environment;
  let clients: Clients;
  before(async () => {
    env = await environment();
    await env.cluster.waitHealthy();
    clients = await startClients(env);
  });
  after(async () => {
    await deleteNamespaces(env, clients.namespaces);
  });

  /** Runs a command under writing clients: nothing acknowledged is lost. */
  const under = async (...args: string[]): Promise<Ran> => (await underWriters(args)).ran;

  /** The same with what clients wait through: one that waits 60 s for an answer through the pooler sees no error. */
  async function held(...args: string[]): Promise<Ran> {
    const { ran, errors } = await underWriters(args, 60);
    assert.equal(errors.pooled, 0, "no error through the pooler");
    return ran;
  }

  async function underWriters(
    args: string[],
    patience?: number,
  ): Promise<{ ran: Ran; errors: Seen["errors"] }> {
    let ran: Ran | undefined;
    const work = async () => {
      ran = await pgp(...args, ...ofStack, "--yes");
    };
    const seen = await disturbance(env, clients, work, undefined, patience === undefined ? {} : { patience });
    assert.ok(ran);
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
    assert.deepEqual(damage(seen), []);
    say(
      `pgp ${args.join(" ")}: pause ${seen.gap.direct.toFixed(1)} s direct, ${seen.gap.pooled.toFixed(1)} s pooled`,
    );
    return { ran, errors: seen.errors };
  }

  it("switches over to the standby that is named, and back", async function () {
    needs(this, env, "standbys");
    const before = await env.cluster.primary();
    const to = (await env.cluster.names()).find((name) => name !== before) ?? "";
    await held("switchover", "--to", to);
    assert.equal(await env.cluster.primary(), to);
    await held("switchover", "--to", before);
    assert.equal(await env.cluster.primary(), before);
    const { changes } = await answer<{ changes: Report["changes"] }>(["history", ...ofStack]);
    assert.ok(changes.filter(({ timeline }) => timeline !== undefined).length >= 2);
  });

  it("restarts the primary, a standby, and all", async () => {
    const starts = await env.cluster.starts();
    await held("restart");
    assert.equal((await env.cluster.starts()).filter((line) => !starts.includes(line)).length, 1);
    const before = await env.cluster.starts();
    await under("restart", "--rolling");
    const after = await env.cluster.starts();
    assert.equal(after.filter((line) => before.includes(line)).length, 0, "every instance was restarted");
  });

  it("empties the primary's node: another leads before it is closed, and clients of the pooler wait", async function () {
    needs(this, env, "standbys");
    const before = await env.cluster.primary();
    const pod = (await env.cluster.instances()).find(({ metadata }) => metadata.name === before);
    const { nodeName = "" } = (pod?.spec ?? {}) as { nodeName?: string };
    let ran: Ran | undefined;
    const work = async () => {
      try {
        ran = await pgp("drain", nodeName, ...ofStack, "--yes");
      } finally {
        await env.kubectl.run(["uncordon", nodeName]);
      }
    };
    const seen = await disturbance(env, clients, work, undefined, { patience: 60 });
    assert.equal(ran?.exitCode, 0, `${ran?.stdout}${ran?.stderr}`);
    assert.deepEqual(damage(seen), []);
    assert.notEqual(await env.cluster.primary(), before);
    say(
      `pgp drain ${nodeName}: ${seen.errors.pooled} errors and a pause of ${seen.gap.pooled.toFixed(1)} s pooled`,
    );
  });

  it("rolls to another image of the same version by `upgrade minor`, and back, as it says", async function () {
    // Another name for the same image, which only the built-in cluster's nodes are given.
    if (env.settings.platform !== "local") this.skip();
    const image = renamedImage(env.settings);
    await loadRenamedImage(env.settings);
    const stack = await ChangedStack.open();
    await stack.write([]);
    const upgrade = (...args: string[]) =>
      run("./pgp", ["upgrade", "minor", ...args, ...ofStack, "--yes"], {
        cwd: projectDir,
        env: stack.variables(),
        allowFailure: true,
      });
    const images = async () =>
      new Set(
        (await env.cluster.instances()).flatMap(({ spec }) =>
          ((spec?.containers ?? []) as { name: string; image: string }[])
            .filter(({ name }) => name === "postgres")
            .map((one) => one.image),
        ),
      );
    try {
      const other = await upgrade("--image", "registry.example.com/postgresql:14.1");
      assert.equal(other.exitCode, 1);
      assert.match(
        other.stdout + other.stderr,
        /--image: "registry\.example\.com\/postgresql:14\.1" is not allowed/,
      );
      for (const wanted of [image, env.settings.images.postgresql]) {
        let ran: Ran | undefined;
        const work = async () => {
          ran = await upgrade("--image", wanted);
        };
        const seen = await disturbance(env, clients, work, undefined, { patience: 60 });
        assert.equal(ran?.exitCode, 0, `${ran?.stdout}${ran?.stderr}`);
        assert.deepEqual(damage(seen), []);
        assert.deepEqual([...(await images())], [wanted]);
        assert.match(ran?.stdout ?? "", /The way back: pgp upgrade minor --stack /);
        say(
          `pgp upgrade minor: ${seen.errors.pooled} errors and a pause of ${seen.gap.pooled.toFixed(1)} s pooled, ${seen.gap.direct.toFixed(1)} s direct`,
        );
      }
      const again = await upgrade("--image", env.settings.images.postgresql);
      assert.match(again.stdout, /Nothing to do/);
    } finally {
      await stack.write([]);
      await stack.make("up");
      await stack.close();
    }
  });

  it("drills: causes faults while clients write, and writes the evidence down", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgp-drill-"));
    try {
      const files = ["--html", join(folder, "page.html"), "--markdown", join(folder, "page.md")];
      const came = await answer<Drill>([
        "drill",
        "--faults",
        "pod,pooler,standby",
        ...files,
        ...ofStack,
        "--yes",
      ]);
      for (const { fault, result, says, ways } of came.drills) {
        const can = fault !== "standby" || env.engine.can.standbys === true;
        assert.equal(result, can ? "passed" : "skipped", `${fault}: ${says}`);
        say(
          `${fault}: ${ways.map(({ way, pauseSeconds, errors }) => `${way} ${pauseSeconds.toFixed(1)} s, ${errors} errors`).join("; ")}`,
        );
        for (const { lost, acknowledged } of ways) assert.ok(lost === 0 && acknowledged > 20);
      }
      assert.match(await readFile(join(folder, "page.html"), "utf8"), /<svg .*<rect /);
      assert.match(
        await readFile(join(folder, "page.md"), "utf8"),
        /^\| pod \| passed \| (pooled|direct) \|/m,
      );
      assert.equal((await pgp("drill", "--faults", "flood", ...ofStack, "--yes")).exitCode, 1);
    } finally {
      await rm(folder, { recursive: true });
    }
    await env.cluster.waitHealthy(300);
  });

  it("reloads without a restart", async () => {
    const starts = await env.cluster.starts();
    assert.equal((await pgp("reload", ...ofStack)).exitCode, 0);
    await env.cluster.waitHealthy();
    assert.deepEqual(await env.cluster.starts(), starts);
  });

  it("copies a standby again", async function () {
    needs(this, env, "standbys");
    const primary = await env.cluster.primary();
    const standby = (await env.cluster.names()).find((name) => name !== primary) ?? "";
    await under("reinit", standby);
    await env.cluster.waitHealthy();
    assert.equal(await env.cluster.primary(), primary);
  });

  it("fences a standby, which the status says with its end", async function () {
    if (env.engine.name !== "cnpg") this.skip();
    const primary = await env.cluster.primary();
    const standby = (await env.cluster.names()).find((name) => name !== primary) ?? "";
    assert.equal((await pgp("fence", standby, ...ofStack, "--yes")).exitCode, 0);
    try {
      await statusUntil("the fence is said", ({ problems }) =>
        problems.some(({ what, next }) => what.includes(`${standby} is fenced`) && next === "pgp unfence"),
      );
    } finally {
      assert.equal((await pgp("unfence", ...ofStack)).exitCode, 0);
    }
    await env.cluster.waitHealthy();
  });

  it("hibernates, says so, and wakes with the same data", async () => {
    const primary = await env.cluster.primary();
    await env.cluster.sql(primary, "create table public.pgp_e2e as select 42 as a");
    assert.equal((await pgp("hibernate", ...ofStack, "--yes")).exitCode, 0);
    const asleep = await statusUntil("it sleeps", ({ instances }) => instances.length === 0);
    assert.equal(asleep.writes.work, false);
    assert.ok(asleep.problems.some(({ next }) => next === "pgp wake"));
    assert.equal((await pgp("wake", ...ofStack)).exitCode, 0);
    await env.cluster.waitHealthy(300);
    const now = await env.cluster.primary();
    assert.equal(await env.cluster.value(now, "select a from public.pgp_e2e"), "42");
    await env.cluster.sql(now, "drop table public.pgp_e2e");
  });

  it("fails over although the primary hangs; the status didn't call it healthy", async function () {
    needs(this, env, "standbys");
    const primary = await env.cluster.primary();
    const signal = (name: "STOP" | "CONT") => [
      "bash",
      "-c",
      `for p in $(pgrep -x postgres); do kill -${name} "$p" 2>/dev/null; done; true`,
    ];
    await env.cluster.exec(primary, signal("STOP"));
    try {
      const hung = await statusUntil(
        "the status says that writes don't work",
        ({ writes }) => writes.work === false,
        60,
      );
      assert.match(
        hung.writes.why,
        new RegExp(`^${primary}, the primary: |no instance is called the primary`),
      );
      await pgp("failover", ...ofStack, "--yes");
      await until("another one leads", 180, async () => {
        const now = await env.cluster.primary();
        return now === primary ? { why: `${now} leads` } : { done: undefined };
      });
    } finally {
      await env.cluster.exec(primary, signal("CONT")).catch(() => undefined);
    }
    await env.cluster.waitHealthy(300);
    await statusUntil("writes work again", ({ writes }) => writes.work === true);
  });
});
