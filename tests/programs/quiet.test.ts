import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn, type ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import { BusyError, quietly } from "../../operations/quiet";

/**
 * Holding the poolers' clients, with the scripts that run in their containers. Stand-ins: for kubectl, a program that runs the command here; for
 * PgBouncer, bash that writes its signals down; for psql, texts: what the primary has of sessions, and whether the server does what the pooler is for.
 */
describe("a change while poolers hold their clients (stand-ins for kubectl, PgBouncer and psql)", () => {
  let folder = "";
  let pooler: ChildProcess;
  let holder: ChildProcess;
  const at = (name: string) => join(folder, name);
  const program = (file: string, text: string) => {
    writeFileSync(at(file), text);
    chmodSync(at(file), 0o755);
  };
  const signals = () => (existsSync(at("signals")) ? readFileSync(at("signals"), "utf8") : "");
  const until = async (what: () => boolean) => {
    for (const end = Date.now() + 20_000; !what();) {
      assert.ok(Date.now() < end, "it is waited for in vain");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const pods: KubeObject[] = [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "pooler-1" },
      status: { podIPs: [{ ip: "198.18.1.7" }] },
    },
  ];
  const poolers = () => ({
    kubectl: new Kubectl({ kubeconfig: undefined, context: "c" }, [folder]),
    namespace: "postgres",
    pods,
  });
  const serves = (answer: "t" | "f") => writeFileSync(at("serves"), `${answer}\n`);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-quiet-"));
    // What follows `--` is the command.
    program(
      "kubectl",
      `#!/bin/bash\nwhile [ "$1" != -- ]; do shift; done\nshift\nPATH=${folder}:$PATH POOLER_RUN=${folder} exec "$@"\n`,
    );
    program(
      "psql",
      `#!/bin/bash\ncase "$*" in *count*) cat "${at("sessions")}" ;; *question*) cat "${at("serves")}" ;; *) echo "process 7, for 12 s" ;; esac\n`,
    );
    writeFileSync(at("sessions"), "0\n");
    writeFileSync(at("users"), "");
    serves("t");
    const body = `trap 'echo pause >>"${at("signals")}"' USR1; trap 'echo resume >>"${at("signals")}"' USR2; echo up >"${at("up")}"; while :; do sleep 0.05; done`;
    pooler = spawn("bash", ["-c", body], { stdio: "ignore" });
    const script = join(__dirname, "../../plan/pooler/hold.sh");
    holder = spawn("bash", ["-c", `mkfifo "$POOLER_RUN/away"; exec bash ${script} <>"$POOLER_RUN/away"`], {
      stdio: "ignore",
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        POOLER_PID: String(pooler.pid),
        POOLER_RUN: folder,
        POOLER_SERVER: "host=main-rw",
        POOLER_USERS: at("users"),
        POOLER_LOGIN: "pooler",
        POOLER_QUESTION: "question",
      },
    });
    await until(() => existsSync(at("up")) && existsSync(at("away")));
  });
  afterEach(() => {
    pooler.kill("SIGKILL");
    holder.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  it("pauses before it, and goes on after it", async () => {
    const { value, warnings } = await quietly(poolers(), "main-1", async () => {
      await until(() => signals() === "pause\n");
      return 7;
    });
    assert.equal(value, 7);
    assert.deepEqual(warnings, []);
    await until(() => signals() === "pause\nresume\n");
  });

  it("goes on when it fails", async () => {
    await assert.rejects(
      quietly(poolers(), "main-1", () => Promise.reject(new Error("no promotion"))),
      /no promotion/,
    );
    await until(() => signals().endsWith("resume\n"));
  });

  it("doesn't begin while a transaction lasts, which is named", async () => {
    writeFileSync(at("sessions"), "1\n");
    let begun = false;
    await assert.rejects(
      quietly(poolers(), "main-1", () => {
        begun = true;
        return Promise.resolve();
      }),
      (error: unknown) => error instanceof BusyError && /process 7, for 12 s/.test(error.message),
    );
    assert.ok(!begun);
    await until(() => signals().endsWith("resume\n"));
  });

  it("goes on by itself when nobody says so, and that is told", async () => {
    const { warnings } = await quietly(
      poolers(),
      "main-1",
      () => until(() => signals().endsWith("resume\n")),
      1,
    );
    assert.deepEqual(warnings, [
      "pooler-1: held for 1 s, the longest; then its clients waited until the server was there",
    ]);
  });

  it("goes on only once the server does what the pooler is for, though it was told so before", async () => {
    let quiet: Promise<unknown> = Promise.resolve();
    serves("f");
    quiet = quietly(poolers(), "main-1", () => Promise.resolve());
    await until(() => signals() === "pause\n");
    // Several questions were answered meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(signals(), "pause\n");
    serves("t");
    await quiet;
    await until(() => signals() === "pause\nresume\n");
  });

  it("goes on when the one who asked is gone: its standard input ends", async () => {
    const script = readFileSync(join(__dirname, "../../operations/pause.sh"), "utf8");
    const held = spawn("bash", ["-c", script, "pause", "30"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env.PATH, POOLER_RUN: folder },
    });
    await until(() => signals() === "pause\n");
    held.stdin.destroy();
    await until(() => signals() === "pause\nresume\n");
  });

  it("goes on by the limit when the one who asked was killed together with the script", async () => {
    writeFileSync(at("ask"), readFileSync(join(__dirname, "../../operations/pause.sh")));
    const held = spawn("bash", [at("ask"), "1"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env.PATH, POOLER_RUN: folder },
    });
    await until(() => signals() === "pause\n");
    held.kill("SIGKILL");
    await until(() => signals() === "pause\nresume\n");
  });

  it("still waits for a server that went away by itself, before and after a planned change", async () => {
    writeFileSync(at("away"), "connect failed\n");
    await until(() => signals() === "pause\nresume\n");
    await quietly(poolers(), "main-1", () => Promise.resolve());
    // Two signals of a kind that come at once are one.
    await until(() => signals() === "pause\nresume\n".repeat(2));
    writeFileSync(at("away"), "connect failed\n");
    await until(() => signals() === "pause\nresume\n".repeat(3));
  });

  it("is done all the same where a pod can't hold its clients, and that is told", async () => {
    rmSync(at("away"));
    const { value, warnings } = await quietly(poolers(), "main-1", () => Promise.resolve(7));
    assert.equal(value, 7);
    assert.deepEqual(warnings, [
      "pooler-1: its clients can't be held: no pooler that holds clients runs here",
    ]);
    assert.equal(signals(), "");
  });

  it("is done all the same where the server is away already, and that is told", async () => {
    serves("f");
    writeFileSync(at("away"), "connect failed\n");
    await until(() => signals() === "pause\n");
    const { warnings } = await quietly(poolers(), "main-1", () => Promise.resolve(7));
    assert.deepEqual(warnings, [
      "pooler-1: its clients can't be held: its server is away, and clients wait already",
    ]);
  });

  it("survives an interruption that ends what asks the primary before it ends what holds the clients", async () => {
    program(
      "kubectl",
      `#!/bin/bash\ncase "$*" in *pooler-1*) trap '' INT TERM; sleep 1; exit 1 ;; esac\nexec sleep 20\n`,
    );
    const interrupted = new AbortController();
    const kubectl = new Kubectl({ kubeconfig: undefined, context: "c" }, [folder], interrupted.signal);
    setTimeout(() => interrupted.abort(), 100);
    await assert.rejects(
      quietly({ ...poolers(), kubectl }, "main-1", () => {
        interrupted.signal.throwIfAborted();
        return Promise.resolve();
      }),
    );
    // Nothing was rejected that nothing looks at: mocha would end with it.
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
});
