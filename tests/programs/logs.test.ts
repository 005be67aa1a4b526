import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventIn, fieldOrder, jsonLine, type LogRecord, shownLine, stamped } from "../../operations/logLines";
import { logOptions } from "../../operations/logs";
import { follower, logFolder } from "../../plan/engines/zalando/follower";
import { liveReaders, planners } from "../../plan/engines/select";
import { jsonlogLine } from "../../plan/logs/postgresql";
import { levelOf, levels, type LogFields, reaches, timeOf } from "../../plan/logs/record";
import { logs as poolerLogs } from "../../plan/pooler/logs";
import { poolerPlan } from "../../plan/pooler/plan";
import { parameterOf, wrong } from "../../settings/catalogue/index";
import { loggedByDefault } from "../support/logging";
import { changed, checked, smallest } from "../support/settings";

/** Lines as real servers wrote them: PostgreSQL 15.18 by itself, and 17 in the built-in cluster. */
const recorded = (name: string): string[] =>
  readFileSync(join(__dirname, "../support/logs", name), "utf8")
    .trimEnd()
    .split("\n");

const find = (all: readonly LogFields[], part: string): LogFields => {
  const found = all.find(({ message, statement = "" }) => `${message} ${statement}`.includes(part));
  assert.ok(found, `no record of ${part}`);
  return found;
};

describe("fields of PostgreSQL's JSON log", () => {
  const all = recorded("jsonlog.txt").map(jsonlogLine);

  it("are those of an error, with who made it", () => {
    assert.deepEqual(find(all, "division"), {
      time: "2026-11-29T16:30:20.219Z",
      level: "error",
      source: "postgresql",
      message: "division by zero",
      database: "app",
      user: "app",
      application: "shop",
      client: "127.0.0.1:40824",
      pid: 27634,
      session: "6b0c531c.6bf2",
      sessionLine: 1,
      backend: "client backend",
      queryId: "-8441324848661855122",
      sqlstate: "22012",
      statement: "select 1/0",
    });
  });

  it("are the duration and the statement of a slow one, also of a prepared one, whose values stay out", () => {
    const { message, durationMs, statement, level } = find(all, "select pg_sleep(0.3)");
    assert.deepEqual(
      [message, durationMs, statement, level],
      ["duration: 302.420 ms", 302.42, "select pg_sleep(0.3)", "info"],
    );
    const prepared = find(all, "pg_sleep(0.25 * $1)");
    assert.deepEqual(
      [prepared.durationMs, prepared.statement, prepared.detail],
      [250.244, "select pg_sleep(0.25 * $1)", undefined],
    );
  });

  it("keep lines, quotation marks and every digit of a query's number", () => {
    const { message, queryId, sqlstate, detail, hint, context } = find(all, "two");
    assert.equal(message, 'two\nlines "quoted" "query_id":5');
    assert.deepEqual(
      [queryId, sqlstate, detail, hint, context],
      [
        "-5928572583629826814",
        "PX001",
        "some detail",
        "try again",
        "PL/pgSQL function inline_code_block line 1 at RAISE",
      ],
    );
  });

  it("are few where there is no session, and those of text where it isn't JSON", () => {
    assert.deepEqual(find(all, "ready to accept"), {
      time: "2026-11-29T16:20:07.005Z",
      level: "info",
      source: "postgresql",
      message: "database system is ready to accept connections",
      pid: 11265,
      session: "6b0c50b6.2c01",
      sessionLine: 5,
      backend: "postmaster",
    });
    assert.deepEqual(all.at(-1), {
      time: "2026-11-29T16:20:06.992Z",
      level: "info",
      source: "postgresql",
      message: "ending log output to stderr",
      pid: 11265,
    });
    for (const line of ["", "{", "{}", '{"error_severity":1}', "[1]", "bash: no such file"])
      assert.deepEqual(jsonlogLine(line), { level: "info", source: "postgresql", message: line });
  });

  it("leave a duration alone that comes without a statement, or with a plan", () => {
    const of = (message: string) =>
      jsonlogLine(JSON.stringify({ timestamp: "x", error_severity: "LOG", message }));
    assert.deepEqual(
      ["duration: 7.5 ms", "duration: 7.5 ms  plan:\nQuery Text: select 1", "duration: long"].map(
        (message) => {
          const { durationMs, statement, message: said } = of(message);
          return [durationMs, statement, said === message];
        },
      ),
      [
        [7.5, undefined, true],
        [7.5, undefined, true],
        [undefined, undefined, true],
      ],
    );
    const named = of("duration: 1.000 ms  execute fetch from a: b/c: select 'x: y'");
    assert.deepEqual([named.durationMs, named.statement], [1, "b/c: select 'x: y'"]);
  });
});

describe("levels and moments of logs", () => {
  it("are one set for every program's words", () => {
    const of = (text: string) => text.split(" ").map(levelOf);
    assert.deepEqual(of("DEBUG5 LOG INFO NOTICE WARNING ERROR FATAL PANIC"), [
      ..."debug info info notice warning error fatal panic".split(" "),
    ]);
    assert.deepEqual(of("NOISE warn CRITICAL INIT whatever"), "debug warning fatal info info".split(" "));
    assert.ok(reaches("error", "warning") && reaches("error", "error") && !reaches("notice", "error"));
  });

  it("are in UTC, or unknown", () => {
    assert.equal(timeOf("2026-11-29 16:30:20.994 UTC"), "2026-11-29T16:30:20.994Z");
    assert.equal(timeOf("2026-11-29 16:30:20 GMT"), "2026-11-29T16:30:20.000Z");
    assert.equal(timeOf("2026-11-29T16:30:20.123456Z"), "2026-11-29T16:30:20.123Z");
    assert.equal(timeOf("2026-11-29 16:30:20.994 CET"), undefined);
  });
});

describe("the lines that make logs prints", () => {
  const record: LogRecord = {
    time: "2026-11-29T16:30:20.219Z",
    level: "error",
    namespace: "postgres",
    cluster: "main",
    instance: "main-1",
    role: "primary",
    source: "postgresql",
    message: "two\nlines \u001b[2J",
    database: "app",
    user: "app",
    client: "10.0.0.1:4711",
    sqlstate: "22012",
    statement: "select\n1/0",
  };

  it("are for a person: one line and what belongs to it, and nothing that moves the cursor", () => {
    const text =
      "2026-11-29T16:30:20.219Z main-1       primary ERROR   22012 [app@app 10.0.0.1:4711] two\n" +
      "    lines \\x1b[2J\n" +
      "    statement: select\n" +
      "    1/0";
    assert.equal(shownLine(record, false, { instance: 12 }), text);
    assert.equal(
      shownLine(record, true, { instance: 12 }),
      text.replace("ERROR  ", "\u001b[31mERROR  \u001b[0m"),
    );
    assert.match(
      shownLine({ ...record, source: "pgbouncer", role: "pooler", level: "info" }, true, { instance: 6 }),
      /^\S+ main-1 pooler {2}INFO {4}22012 \[app@app 10.0.0.1:4711\] pgbouncer: two/,
    );
  });

  it("are for a program: one object a line, with fields of the documented names in one order", () => {
    const line = jsonLine(record);
    assert.ok(!line.includes("\n"));
    assert.deepEqual(JSON.parse(line), record);
    const keys = Object.keys(JSON.parse(line) as object);
    assert.deepEqual(
      keys,
      fieldOrder.filter((key) => keys.includes(key)),
    );
    const page = readFileSync(join(__dirname, "../../docs/logs.md"), "utf8");
    for (const key of fieldOrder) assert.match(page, new RegExp(`^\\| \`${key}\` +\\|`, "m"), key);
  });

  it("are told from kubectl's own, by moments that compare as texts", () => {
    assert.equal(stamped("error: no such container"), undefined);
    assert.deepEqual(stamped("2026-11-29T16:30:20.12Z a b"), {
      stamp: "2026-11-29T16:30:20.120000000Z",
      text: "a b",
    });
    const at = (fraction: string) => stamped(`2026-11-29T16:30:20${fraction}Z `)!.stamp;
    assert.ok(at("") < at(".1") && at(".12") < at(".123") && at(".123") < at(".2"));
  });

  it("come of a watch's events, one in a line, and not of what kubectl says itself", () => {
    assert.deepEqual(eventIn('{"type":"ADDED","object":{"kind":"Pod"}}'), {
      type: "ADDED",
      object: { kind: "Pod" },
    });
    assert.equal(eventIn("Unable to connect to the server"), undefined);
  });
});

describe("the options of make logs", () => {
  const given = { follow: true, since: "10m", level: "debug", json: false, colour: false };

  it("take durations and levels", () => {
    for (const since of ["30s", "2h"]) assert.equal(logOptions({ ...given, since }).since, since);
    for (const level of levels) assert.equal(logOptions({ ...given, level }).level, level);
  });

  it("refuse others in a sentence each", () => {
    assert.throws(() => logOptions({ ...given, since: "yesterday", level: "loud" }), {
      message:
        '--since: "yesterday" is not allowed. Allowed: a duration such as 30s, 10m or 2h. Fix: write one.\n' +
        '--level: "loud" is not allowed. Allowed: debug, info, notice, warning, error, fatal, panic. Fix: choose one.',
    });
    for (const since of ["0s", "10", "1d", "-5m"])
      assert.throws(() => logOptions({ ...given, since }), /^UserError: --since/, since);
  });
});

describe("what prints Zalando's files (follow.py)", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "follow-"))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const start = () => {
    // As the container does, with what the operator adds to its environment.
    const [command = "", ...args] = follower(checked(smallest())).command.map((word) =>
      word === `LOG=${logFolder}` ? `LOG=${folder}` : word,
    );
    const child = spawn(command, args, {
      env: {
        PATH: process.env.PATH,
        POSTGRES_USER: "postgres",
        POSTGRES_PASSWORD: "the superuser's",
        POD_NAME: "main-0",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (text: Buffer) => (said += text.toString()));
    const exited = once(child, "exit") as Promise<[number | null]>;
    return {
      said: () => said,
      environment: () => readFile(`/proc/${child.pid}/environ`, "utf8"),
      async stop() {
        child.kill("SIGTERM");
        assert.equal((await exited)[0], 0);
      },
    };
  };
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) if (await holds()) return;
    assert.fail(`${what} did not happen`);
  };
  const at = (name: string) => join(folder, name);
  const append = (name: string, text: string) => writeFile(at(name), text, { flag: "a" });

  it("prints whole lines as they come, and of a new file after the old one, which it deletes", async () => {
    const running = start();
    await append("postgresql-20260101000000.json", "one\ntw");
    await until("the first line", () => running.said() === "one\n");
    await append("postgresql-20260101000000.json", "o\n");
    await append("postgresql-20260101000000.log", "text\n");
    await until("the second", () => running.said().includes("two\n") && running.said().includes("text\n"));
    await append("postgresql-20260101000000.json", "three\nfour");
    await append("postgresql-20260102000000.json", "five\n");
    await until("the new file's", () => running.said().endsWith("three\nfour\nfive\n"));
    await until(
      "the old one's end",
      async () => !(await readdir(folder)).includes("postgresql-20260101000000.json"),
    );
    assert.ok((await readdir(folder)).includes("postgresql-20260101000000.log"), "the only one of its kind");
    await running.stop();
  });

  it("has no password in its environment, whatever the container's has", async function () {
    if (process.platform !== "linux") return this.skip();
    const running = start();
    await append("postgresql-1.json", "one\n");
    await until("the first line", () => running.said() === "one\n");
    const names = (await running.environment()).split("\0").map((one) => one.split("=")[0]);
    assert.deepEqual(names.filter((name) => name !== "LC_CTYPE").sort(), ["", "LOG", "PATH"]);
    await running.stop();
  });

  describe("gives up what it doesn't need", () => {
    /** What comes of a line of Python behind its guard. */
    const tried = (line: string): string => {
      const program = `import os, socket, subprocess, sys, ctypes, pathlib
sys.path.insert(0, ${JSON.stringify(join(__dirname, "../../plan/engines/zalando"))}); sys.dont_write_bytecode = True
import follow
sys.addaudithook(follow.guard)
try:
    ${line}
    print("done")
except PermissionError as refused:
    print("refused" if "is not what this program is for" in str(refused) else refused)
`;
      const { stdout, stderr } = spawnSync("python3", ["-c", program], {
        encoding: "utf8",
        env: { PATH: process.env.PATH, LOG: folder },
      });
      return (stdout + stderr).trim();
    };
    const data = "/etc/hostname";
    for (const line of [
      `open("${data}").read()`,
      `os.open("${data}", os.O_RDONLY)`,
      `open(os.environ["LOG"] + "/../../${data}").read()`,
      `pathlib.Path("/etc/passwd").read_bytes()`,
      `os.listdir("/home")`,
      `list(os.scandir("/etc"))`,
      `os.remove("/tmp/not-there")`,
      `os.rename(os.environ["LOG"] + "/a", "/tmp/b")`,
      `os.symlink("${data}", "/tmp/not-there-either")`,
      `os.system("true")`,
      `subprocess.run(["true"])`,
      `os.execv("/bin/true", ["true"])`,
      `os.fork()`,
      `socket.create_connection(("127.0.0.1", 9))`,
      `ctypes.CDLL(None)`,
      `open("/proc/self/environ").read()`,
    ])
      it(`refuses ${line}`, () => assert.equal(tried(line), "refused"));

    it("refuses a link out of the folder", async () => {
      await symlink(data, at("postgresql-1.json"));
      assert.equal(tried(`open(os.environ["LOG"] + "/postgresql-1.json")`), "refused");
    });

    it("leaves the folder to it", async () => {
      await append("postgresql-1.json", "one\n");
      assert.equal(tried(`print(follow.advance({}))`), `one\n{'postgresql-1.json': 4}\ndone`);
    });
  });

  it("continues where it was when it is started again", async () => {
    const first = start();
    await append("postgresql-1.json", "one\n");
    await until("the position", async () =>
      (await readFile(at("positions"), "utf8").catch(() => "")).includes('"postgresql-1.json": 4'),
    );
    await first.stop();
    await append("postgresql-1.json", "two\n");
    const second = start();
    await until("the second line", () => second.said() === "two\n");
    await second.stop();
  });

  it("prints lines that are longer than it reads at once, and begins again where its position is no JSON", async () => {
    const long = "x".repeat(200_000);
    await writeFile(at("positions"), "{");
    await append("postgresql-1.json", `${long}\nshort\n`);
    const running = start();
    await until("all of it", () => running.said() === `${long}\nshort\n`);
    await running.stop();
  });
});

describe("fields of CloudNativePG's lines", () => {
  const { postgres } = liveReaders.cnpg.logs;
  assert.ok(postgres);
  const all = recorded("cnpg.txt").map(postgres);

  it("are those of PostgreSQL's records, with the names that jsonlog's get", () => {
    const slow = find(all, "select pg_sleep");
    assert.deepEqual(
      { ...slow, durationMs: undefined, message: undefined },
      {
        time: "2026-11-29T17:29:03.056Z",
        level: "info",
        source: "postgresql",
        message: undefined,
        database: "app",
        user: "app",
        application: "psql",
        client: "198.18.1.14:44930",
        pid: 677,
        session: "6b0c60dd.2a5",
        sessionLine: 1,
        backend: "client backend",
        queryId: "-2749826580604107531",
        durationMs: undefined,
        statement: "select pg_sleep(1.25)",
      },
    );
    assert.equal(slow.message, `duration: ${slow.durationMs} ms`);
    const { level, sqlstate, statement } = find(all, "division");
    assert.deepEqual([level, sqlstate, statement], ["error", "22012", "select 1/0 as of_logs"]);
    const { sqlstate: none, queryId, backend } = find(all, "ready to accept");
    assert.deepEqual([none, queryId, backend], [undefined, undefined, "postmaster"]);
  });

  it("are the instance manager's own, and those of the server's text before it logs records", () => {
    assert.deepEqual(find(all, "OS distribution"), {
      time: "2026-11-29T17:27:40.341Z",
      level: "info",
      source: "instance-manager",
      message: "OS distribution is supported",
    });
    assert.deepEqual(find(all, "redirecting"), {
      time: "2026-11-29T17:27:41.243Z",
      level: "info",
      source: "postgresql",
      message: "redirecting log output to logging collector process",
      pid: 21,
    });
  });

  it("are an error's, pgaudit's, and those of a line that isn't JSON (made by hand)", () => {
    const failed = { level: "error", ts: "2026-11-29T17:27:41Z", msg: "it failed", error: "no route" };
    assert.deepEqual(postgres(JSON.stringify(failed)), {
      time: "2026-11-29T17:27:41.000Z",
      level: "error",
      source: "instance-manager",
      message: "it failed",
      detail: "no route",
    });
    const audit = {
      audit_type: "SESSION",
      statement_id: "1",
      class: "READ",
      object_name: "shop.cards",
      statement: "select 1",
    };
    const record = { log_time: "2026-11-29 17:27:41 UTC", error_severity: "LOG", user_name: "app", audit };
    const { message, statement, user, source, auditType, auditClass, object } = postgres(
      JSON.stringify({ level: "info", ts: "", logger: "pgaudit", msg: "record", record }),
    );
    assert.deepEqual(
      [message, statement, user, source, auditType, auditClass, object],
      [
        "AUDIT: SESSION,1,,READ,,,shop.cards",
        "select 1",
        "app",
        "postgresql",
        "SESSION",
        "READ",
        "shop.cards",
      ],
    );
    assert.deepEqual(postgres("panic: no"), {
      level: "info",
      source: "instance-manager",
      message: "panic: no",
    });
  });
});

describe("fields of text", () => {
  it("are those of Patroni's lines, and of PostgreSQL's beside them", () => {
    const { postgres } = liveReaders.zalando.logs;
    assert.ok(postgres);
    const all = recorded("patroni.txt").map(postgres);
    assert.deepEqual(find(all, "promoted self"), {
      time: "2026-11-29T17:16:21.046Z",
      level: "info",
      source: "patroni",
      message: "promoted self to leader by acquiring session lock",
    });
    assert.equal(find(all, "Loop time").level, "warning");
    assert.equal(find(all, "runs as process").time, "2026-11-29T17:12:51.000Z");
    assert.deepEqual(find(all, "redirecting"), {
      time: "2026-11-29T17:13:16.550Z",
      level: "info",
      source: "postgresql",
      message: "redirecting log output to logging collector process",
      pid: 23,
    });
    assert.deepEqual(find(all, "rejecting"), {
      level: "info",
      source: "patroni",
      message: "/var/run/postgresql:5432 - rejecting connections",
    });
  });

  it("are those of PgBouncer's lines: a client's address is one, a server's is told in the message", () => {
    const { pgbouncer } = poolerLogs;
    assert.ok(pgbouncer);
    const all = recorded("pgbouncer.txt").map(pgbouncer);
    assert.deepEqual(find(all, "password authentication"), {
      time: "2026-11-29T17:15:18.745Z",
      level: "error",
      source: "pgbouncer",
      message: "password authentication failed",
      database: "app",
      user: "app",
      client: "198.18.1.7:55082",
      pid: 8,
    });
    const { message, client, user, level } = find(all, "not linked");
    assert.deepEqual(
      [message, client, user, level],
      ["server 198.19.103.248:5432: got packet 'E' from server when not linked", undefined, "app", "warning"],
    );
    const nobody = pgbouncer(
      "2026-11-29 17:15:18.745 UTC [8] LOG C-0x55ce28918120: (nodb)/(nouser)@[::1]:55082 closing because: TLS",
    );
    assert.deepEqual(
      [nobody.database, nobody.user, nobody.client, nobody.message],
      [undefined, undefined, "[::1]:55082", "closing because: TLS"],
    );
    assert.deepEqual(pgbouncer("mounted certificates or users have changed: reloading"), {
      level: "info",
      source: "pgbouncer",
      message: "mounted certificates or users have changed: reloading",
    });
  });
});

describe("what servers and poolers log", () => {
  const plansOf = (logs: object) =>
    Object.entries(planners).map(([engine, planner]) => {
      const settings = checked({
        ...changed(smallest(), "cluster", {
          ...smallest().cluster,
          engine,
          ...(engine === "standalone" && { instances: 1, durability: "async" }),
          parameters: { log_statement: "ddl", log_lock_waits: false },
        }),
        poolers: [{ name: "app", database: "app" }],
        monitoring: { logs },
      });
      const plan = planner.plan(settings);
      const shapes = plan.objects.flatMap(({ object }) => liveReaders[planner.name].shape(object) ?? []);
      const [pooler] = settings.poolers;
      assert.ok(shapes[0] && pooler);
      return {
        engine,
        parameters: shapes[0].parameters,
        pooler: poolerPlan(settings, pooler, plan),
      };
    });

  it("is the same on every engine, and the user's parameters win where no setting decides", () => {
    for (const { engine, parameters, pooler } of plansOf({})) {
      assert.deepEqual(
        Object.fromEntries(Object.keys(loggedByDefault).map((name) => [name, parameters[name]])),
        { ...loggedByDefault, log_statement: "ddl", log_lock_waits: "off" },
        engine,
      );
      assert.match(
        JSON.stringify(pooler.objects),
        /log_connections = 0\\n.*"POOLER_LOG_ENDS","value":"false"/,
      );
    }
  });

  it("follows the settings: the threshold, or none; connections, at poolers too", () => {
    for (const [slowQuery, is] of [
      ["off", "-1"],
      ["250ms", "250ms"],
      ["60min", "60min"],
    ] as const)
      for (const { parameters } of plansOf({ slowQuery }))
        assert.equal(parameters.log_min_duration_statement, is);
    for (const { parameters, pooler } of plansOf({ connections: true })) {
      assert.deepEqual([parameters.log_connections, parameters.log_disconnections], ["on", "on"]);
      assert.match(
        JSON.stringify(pooler.objects),
        /log_connections = 1\\n.*"POOLER_LOG_ENDS","value":"true"/,
      );
    }
  });

  it("is a form of every major version's parameters", () => {
    for (const major of ["15", "16", "17", "18"])
      for (const [name, value] of Object.entries(loggedByDefault)) {
        const parameter = parameterOf(major, name);
        assert.ok(parameter, `${name} in ${major}`);
        assert.equal(wrong(parameter, value), undefined, `${name} in ${major}`);
      }
  });

  it("has no statement of the platform's own that sets a password", () => {
    const script = readFileSync(join(__dirname, "../../plan/postgres/sql/apply.sh"), "utf8");
    assert.match(
      script,
      /PGOPTIONS='[^']*-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic( -c [^']*)?'/,
    );
  });
});

describe("fields of the engines' containers", () => {
  it("are read for each container that logs", () => {
    const containers = Object.entries(liveReaders).map(([engine, { logs }]) => [
      engine,
      ...Object.keys(logs),
    ]);
    assert.deepEqual(containers.sort(), [
      ["cnpg", "postgres", "plugin-barman-cloud"],
      ["standalone", "postgres", "config-reloader", "archiver"],
      ["zalando", "postgres", "logs"],
    ]);
    assert.deepEqual(Object.keys(poolerLogs), ["pgbouncer"]);
  });
});
