import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { spawn, type ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import { quietly } from "../../operations/quiet";
import { UserError } from "../../shell/userError";

/**
 * Holding the poolers' clients, with the script that runs in their containers. Stand-ins: for kubectl, a program that runs the command here; for
 * PgBouncer, bash under its name that writes its signals down; for the primary's psql, a text.
 */
describe("a change while poolers hold their clients (stand-ins for kubectl, PgBouncer and psql)", () => {
  let folder = "";
  let name = "";
  let pooler: ChildProcess;
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
    process: name,
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-quiet-"));
    // Of this test alone: others may run a PgBouncer on this machine.
    name = `pgb${process.pid}`;
    copyFileSync("/bin/bash", at(name));
    chmodSync(at(name), 0o755);
    // What follows `--` is the command.
    program(
      "kubectl",
      '#!/bin/bash\nwhile [ "$1" != -- ]; do shift; done\nshift\nPATH=${0%/*}:$PATH exec "$@"\n',
    );
    program(
      "psql",
      `#!/bin/bash\ncase "$*" in *count*) cat "${at("sessions")}" ;; *) echo "process 7, for 12 s" ;; esac\n`,
    );
    writeFileSync(at("sessions"), "0\n");
    const body = `trap 'echo pause >>"${at("signals")}"' USR1; trap 'echo resume >>"${at("signals")}"' USR2; echo up >"${at("up")}"; while :; do sleep 0.05; done`;
    pooler = spawn(at(name), ["-c", body], { stdio: "ignore" });
    await until(() => existsSync(at("up")));
  });
  afterEach(() => {
    pooler.kill("SIGKILL");
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
      (error: unknown) => error instanceof UserError && /process 7, for 12 s/.test(error.message),
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
    assert.deepEqual(warnings, ["pooler-1: continued by itself after 1 s"]);
  });

  it("goes on when the one who asked is gone: its standard input ends", async () => {
    const script = readFileSync(join(__dirname, "../../operations/pause.sh"), "utf8");
    const held = spawn("bash", ["-c", script, "pause", "30", name], { stdio: ["pipe", "pipe", "ignore"] });
    await until(() => signals() === "pause\n");
    held.stdin.destroy();
    await until(() => signals() === "pause\nresume\n");
  });

  it("says why where no PgBouncer runs", async () => {
    pooler.kill("SIGKILL");
    await new Promise((resolve) => pooler.once("exit", resolve));
    await assert.rejects(
      quietly(poolers(), "main-1", () => Promise.resolve()),
      /pooler-1: its clients can't be held: no PgBouncer runs here/,
    );
  });
});
