import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv/dist/2020";
import { withCommands } from "../../docs/pgpTable";
import { blockersLines, roots, type Session } from "../../operations/blockers";
import { completionOf, shells } from "../../operations/command/completion";
import { execute, helpOf, runLine } from "../../operations/command/program";
import { type CommandSpec, commonOptions, longFlag } from "../../operations/command/spec";
import { commands } from "../../operations/command/table";
import { unitName } from "../../operations/systemdUnit";
import { connectionText, portOf } from "../../operations/connect";
import { chosen } from "../../operations/platform";
import { poolsLines } from "../../operations/pools";
import { execIn, exitIn, pathOf } from "../../operations/proxy";
import { liveReaders, planners } from "../../plan/engines/select";
import { CommandError } from "../../shell/process";
import { projectDir } from "../../shell/paths";
import { UserError } from "../../shell/userError";
import { read } from "../support/pages";
import { found as wordsFound } from "../support/words";

/** A run whose output is kept. */
async function run(specs: readonly CommandSpec[], ...line: string[]) {
  let [out, err] = ["", ""];
  const exit = await runLine(specs, line, {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { exit, out, err };
}

const spec = (more: Partial<CommandSpec>): CommandSpec => ({
  name: "try",
  group: "look",
  summary: "try",
  on: "machine",
  examples: [{ command: "try", does: "it" }],
  run: () => Promise.resolve({ line: "Done." }),
  ...more,
});

describe("the commands of pgp", () => {
  it("are listed once each, with what they do, an example of theirs, and words of the field", () => {
    assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
    for (const { name, summary, examples, text = [], options = [] } of commands) {
      assert.match(summary, /^[a-z]/, name);
      assert.ok(summary.length < 110, name);
      assert.ok(examples.length > 0, name);
      for (const { command } of examples)
        assert.ok(command === name || command.startsWith(`${name} `), `${name}: ${command}`);
      const texts = [
        summary,
        ...text,
        ...options.map(({ meaning }) => meaning),
        ...examples.map(({ does }) => does),
      ];
      assert.deepEqual(wordsFound(texts.join("\n")), [], name);
    }
  });

  it("are parsed as their examples say, by the options that they have", async () => {
    for (const one of commands)
      for (const { command } of one.examples) {
        const line = command.split(" | ")[0] ?? "";
        const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
        let ran = false;
        const standIn = commands.map((other) =>
          other === one ? { ...other, run: () => ((ran = true), Promise.resolve({})) } : other,
        );
        const before = { ...process.env };
        const { exit, err } = await run(standIn, ...words);
        for (const name of ["CONTEXT", "FORCE"])
          if (before[name] === undefined) delete process.env[name];
          else process.env[name] = before[name];
        assert.equal(exit, 0, `${command}: ${err}`);
        assert.ok(ran, command);
      }
  });

  it("have help with examples and exit codes, and the Makefile's short names", () => {
    const makefile = read("Makefile");
    for (const one of commands) {
      const help = helpOf(one);
      assert.match(help, /\nExamples:\n  pgp /);
      assert.match(help, /\n    0  done/);
      if (one.make !== undefined)
        assert.match(makefile, new RegExp(`^${one.make}: .*\n\t\\$\\(PGP\\) ${one.name}\\b`, "m"), one.name);
    }
    for (const [, target = ""] of makefile.matchAll(/^\t\$\(PGP\) ([a-z]+(?: [a-z]+)?)/gm))
      assert.ok(
        commands.some(({ make, name }) => make !== undefined && name === target),
        target,
      );
  });

  it("have a schema each of what --json prints, which is a schema", async () => {
    const ajv = new Ajv({ strict: false });
    for (const { name } of commands) {
      const { exit, out } = await run(commands, ...name.split(" "), ...needed(name), "--schema");
      assert.equal(exit, 0, name);
      const schema = JSON.parse(out) as { type?: string };
      assert.equal(schema.type, "object", name);
      ajv.compile(schema);
    }
  });

  /** Arguments without which a command isn't parsed. */
  const needed = (name: string): string[] =>
    (commands.find((one) => one.name === name)?.positional ?? [])
      .filter(({ syntax }) => syntax.startsWith("<"))
      .map(() => "x");
});

describe("the page of pgp", () => {
  it("lists the commands as they are", async function () {
    // The formatter is loaded.
    this.timeout(60_000);
    const page = read("docs/pgp.md");
    assert.equal(await withCommands(page), page, "run npm run docs:pgp");
    await assert.rejects(async () => withCommands("# pgp\n"), /no place for the commands/);
  });
});

describe("a run of pgp", () => {
  it("ends with 0 and the closing line, or with the code that the command gives", async () => {
    const done = await run([spec({})], "try");
    assert.deepEqual([done.exit, done.err], [0, ""]);
    assert.match(done.out, /^\[ 0:00\] Done\.\n$/);
    assert.equal((await run([spec({ run: () => Promise.resolve({ exit: 4 }) })], "try")).exit, 4);
  });

  it("prints an answer alone on standard output, and what is said meanwhile on standard error", async () => {
    const { out, err } = await run(
      [
        spec({
          answers: true,
          run: ({ progress }) => {
            progress.line("working");
            return Promise.resolve({ line: "the answer" });
          },
        }),
      ],
      "try",
    );
    assert.equal(out, "the answer\n");
    assert.match(err, /working/);
  });

  it("prints one JSON object with --json, of a failure too", async () => {
    const good = await run(
      [spec({ run: () => Promise.resolve({ line: "x", data: { a: 1 } }) })],
      "try",
      "--json",
    );
    assert.deepEqual(JSON.parse(good.out), { a: 1 });
    const plain = await run([spec({})], "try", "--json");
    assert.deepEqual(JSON.parse(plain.out), { command: "try", ok: true, message: "Done." });
    const failing = spec({ run: () => Promise.reject(new UserError(["one thing.", "another."])) });
    const bad = await run([failing], "try", "--json");
    assert.equal(bad.exit, 1);
    assert.deepEqual(JSON.parse(bad.out), {
      command: "try",
      ok: false,
      message: "one thing.",
      problems: ["one thing.", "another."],
    });
    assert.match(bad.err, /error: one thing\.\n\[ 0:00\] error: another\./);
  });

  it("shows a failed command's last lines and no stack trace", async () => {
    const error = new CommandError("kubectl x", 1, ["why it failed"], "failed with exit code 1");
    const { exit, out, err } = await run([spec({ run: () => Promise.reject(error) })], "try");
    assert.equal(exit, 1);
    assert.match(err, /^ {2}\| why it failed$/m);
    assert.match(out, /error: `kubectl x` failed with exit code 1; its last lines are above\.\n$/);
    assert.doesNotMatch(out + err, /at .*\.ts:/);
  });

  it("ends with 2 where it can't be parsed, and says what is allowed", async () => {
    const unknown = await run(commands, "nothing");
    assert.equal(unknown.exit, 2);
    assert.match(unknown.err, /unknown command 'nothing'/);
    const level = await run(commands, "logs", "--level", "loud");
    assert.equal(level.exit, 2);
    assert.match(level.err, /Allowed choices are debug/);
    assert.equal((await run(commands, "reinit")).exit, 2);
    assert.equal((await run(commands, "status", "--help")).exit, 0);
  });

  it("ends with 130 after Ctrl-C", async () => {
    const { InterruptedError } = await import("../../operations/session");
    const exit = await execute(
      spec({ run: () => Promise.reject(new InterruptedError()) }),
      { options: {}, positional: [] },
      { out: () => undefined, err: () => undefined },
    );
    assert.equal(exit, 130);
  });

  it("refuses a name that is no engine's before anything else", async () => {
    const before = process.env.ENGINE;
    process.env.ENGINE = "mysql";
    try {
      let ran = false;
      const { exit, out } = await run([spec({ run: () => ((ran = true), Promise.resolve({})) })], "try");
      assert.deepEqual([exit, ran], [1, false]);
      assert.match(out, /ENGINE: "mysql" is no engine/);
    } finally {
      if (before === undefined) delete process.env.ENGINE;
      else process.env.ENGINE = before;
    }
  });
});

describe("pgp recover --print-unit", () => {
  it("the unit that recovers a stack is one that systemd takes", function () {
    // Present where a machine has systemd's programs, though it doesn't run systemd.
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return this.skip();
    const folder = mkdtempSync(join(tmpdir(), "pgp-unit-"));
    try {
      const file = join(folder, unitName("local"));
      writeFileSync(file, execFileSync(join(projectDir, "pgp"), ["recover", "--print-unit"]));
      const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
      assert.deepEqual([verified.status, verified.stderr], [0, ""]);
      writeFileSync(file, "[Service]\nType=oneshot\nExecStart=/not/there recover\n");
      assert.notEqual(spawnSync("systemd-analyze", ["verify", file]).status, 0, "it refuses one");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("completion", () => {
  for (const shell of shells) {
    it(`of ${shell} knows every command and option`, () => {
      const text = completionOf(shell, commands);
      for (const one of commands) {
        for (const word of one.name.split(" ")) assert.ok(text.includes(word), `${shell}: ${word}`);
        for (const { flags } of [...(one.options ?? []), ...commonOptions(one)]) {
          const long = longFlag(flags);
          assert.ok(text.includes(shell === "fish" ? `-l ${long.slice(2)}` : long), `${shell}: ${flags}`);
        }
      }
    });
    it(`of ${shell} is read by the shell`, function () {
      if (spawnSync(shell, ["--version"]).status !== 0) this.skip();
      execFileSync(shell, ["-n"], { input: completionOf(shell, commands) });
    });
  }

  it("of bash completes commands, their second words, options and values", () => {
    const complete = (...words: string[]) =>
      execFileSync(
        "bash",
        [
          "-c",
          `${completionOf("bash", commands)}\nCOMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _pgp; printf '%s\\n' "\${COMPREPLY[@]}"`,
          "bash",
          "pgp",
          ...words,
        ],
        { encoding: "utf8", env: { ...process.env, PGP_STACKS: projectDir } },
      )
        .trimEnd()
        .split("\n");
    assert.deepEqual(complete("switch"), ["switchover"]);
    assert.ok(complete("pooler", "").includes("show"));
    assert.deepEqual(complete("status", "--wa"), ["--watch"]);
    assert.deepEqual(complete("logs", "--level", "err"), ["error"]);
    assert.ok(complete("status", "--stack", "").includes("prod"));
  });

  it("is refused for another shell", () =>
    assert.throws(
      () => completionOf("tcsh", commands),
      /shell: "tcsh" has no completion\. Allowed: bash, zsh, fish\./,
    ));
});

describe("./pgp", () => {
  it("works from another folder, and through a link", function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), "pgp-bin-"));
    try {
      const link = join(folder, "pgp");
      symlinkSync(join(projectDir, "pgp"), link);
      const { status, stdout, stderr } = spawnSync(link, ["completion", "bash"], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      assert.equal(stdout, completionOf("bash", commands));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a platform that is found by its live objects", () => {
  const candidate = (namespace: string, name: string) => ({
    engine: planners.cnpg,
    live: liveReaders.cnpg,
    object: { apiVersion: "v1", kind: "Cluster", metadata: { name, namespace } },
  });
  it("is the only one, or the one that is named", () => {
    const both = [candidate("a", "main"), candidate("b", "shop")];
    assert.equal(chosen([both[0]!], {}).object.metadata.name, "main");
    assert.equal(chosen(both, { cluster: "shop" }).object.metadata.namespace, "b");
  });
  it("is asked for where several could be meant, and listed where the name is none", () => {
    const both = [candidate("a", "main"), candidate("b", "main")];
    assert.throws(() => chosen(both, { cluster: "main" }), {
      message:
        "--cluster: several PostgreSQL clusters are there. Allowed: a/main, b/main. Fix: name one with --namespace and --cluster.",
    });
    assert.throws(() => chosen(both, { cluster: "other", namespace: "a" }), {
      message:
        '--cluster: there is no PostgreSQL cluster "other" in namespace a. Allowed: a/main, b/main. Fix: name one, or another --namespace.',
    });
    assert.throws(() => chosen([], {}), /Allowed: none is there\./);
  });
});

describe("one kubectl for many questions", () => {
  it("asks for each kind where the API server has it", () => {
    assert.equal(pathOf("pods", "n"), "/api/v1/namespaces/n/pods");
    assert.equal(pathOf("nodes", "n"), "/api/v1/nodes");
    assert.equal(pathOf("deployments.apps", "n"), "/apis/apps/v1/namespaces/n/deployments");
    assert.equal(pathOf("endpoints", "n"), "/api/v1/namespaces/n/endpoints");
    const kinds = Object.values(planners).map(({ clusterKind: { apiVersion, kind } }) => {
      const [group = "", version = ""] = apiVersion.split("/");
      return pathOf(`${kind}.${version}.${group}`, "n");
    });
    assert.deepEqual(kinds, [
      "/apis/postgresql.cnpg.io/v1/namespaces/n/clusters",
      "/apis/acid.zalan.do/v1/namespaces/n/postgresqls",
      "/apis/apps/v1/namespaces/n/statefulsets",
    ]);
  });
  it("takes the commands in pods that it can, and leaves the others to kubectl", () => {
    const exec = execIn(["-n", "n", "exec", "p", "-c", "postgres", "--", "sh", "-c", "a b"]);
    assert.equal(exec?.path, "/api/v1/namespaces/n/pods/p/exec");
    assert.deepEqual(exec.query.getAll("command"), ["sh", "-c", "a b"]);
    for (const args of [
      ["-n", "n", "exec", "-i", "p", "-c", "postgres", "--", "sh"],
      ["-n", "n", "exec", "deployment/d", "-c", "watch", "--", "sh"],
      ["-n", "n", "get", "pods"],
    ])
      assert.equal(execIn(args), undefined);
  });
  it("reads a command's exit code", () => {
    assert.deepEqual(exitIn('{"status":"Success"}'), { exitCode: 0, message: "" });
    assert.deepEqual(
      exitIn(
        '{"status":"Failure","message":"no","details":{"causes":[{"reason":"ExitCode","message":"124"}]}}',
      ),
      { exitCode: 124, message: "no" },
    );
    assert.equal(exitIn('{"status":"Failure","message":"no such container"}').exitCode, 1);
  });
});

describe("what holds others up", () => {
  const session = (
    pid: number,
    blockedBy: number[],
    blocks: number,
    more: Partial<Session> = {},
  ): Session => ({
    pid,
    user: "app",
    database: "app",
    application: "",
    client: "10.0.0.1:5",
    state: blockedBy.length > 0 ? "active" : "idle in transaction",
    waitsFor: blockedBy.length > 0 ? "Lock/transactionid" : "",
    transactionSeconds: 30,
    stateSeconds: 20,
    blockedBy,
    blocks,
    query: `update t set a = ${pid}`,
    ...more,
  });
  const all = [session(1, [], 2), session(2, [1], 1), session(3, [2], 0)];

  it("is at the top, and what waits for it below", () => {
    assert.deepEqual(
      roots(all).map(({ pid }) => pid),
      [1],
    );
    const lines = blockersLines(all, 200);
    assert.match(
      lines[1] ?? "",
      /^ {2}1 +idle in transaction, 20 s +30 s +2 {2}app@app 10\.0\.0\.1:5 {2}update t set a = 1$/,
    );
    assert.match(lines[2] ?? "", /^ {4}2 +waits 20 s/);
    assert.match(lines[3] ?? "", /^ {6}3 +waits 20 s/);
    assert.ok(blockersLines(all, 40).every((line) => line.length <= 40));
    assert.deepEqual(blockersLines([], 80), ["No session waits for a lock."]);
  });
  it("ends for a circle, too", () => {
    const circle = [session(1, [2], 2), session(2, [1], 2)];
    assert.deepEqual(roots(circle), []);
    assert.equal(blockersLines(circle, 200).length, 3);
  });
});

describe("further answers", () => {
  it("of `pooler show` are a row for each pool", () => {
    const row = {
      pooler: "app",
      pod: "p",
      database: "d",
      role: "r",
      clients: 3,
      waiting: 1,
      waitSeconds: 4,
      active: 2,
      idle: 0,
      others: 0,
    };
    assert.match(poolsLines([row], 200)[1] ?? "", /^ {2}app +p +d +r +3 +1 +4 s +2 +0 +0$/);
    assert.deepEqual(poolsLines([], 80), ["The poolers answer, and no client has connected yet."]);
  });
  it("of `connect` verify the server's name, at this machine's address", () =>
    assert.equal(
      connectionText(
        { host: "main-rw.postgres.svc", port: 15432, ca: "/t/ca.crt" },
        { user: "u", database: "d" },
      ),
      "host=main-rw.postgres.svc hostaddr=127.0.0.1 port=15432 dbname=d user=u sslmode=verify-full sslrootcert=/t/ca.crt",
    ));

  it("opens no way at a port at which another program listens", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    await assert.rejects(
      portOf(port),
      /--port: \d+ is not allowed: another program listens there\. Allowed: a free port/,
    );
    await new Promise((done) => server.close(done));
    assert.equal(await portOf(port), port);
    assert.ok((await portOf(undefined)) > 0);
  });
});
