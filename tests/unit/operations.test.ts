import assert from "node:assert/strict";
import { chooseCluster, type Machine } from "../../operations/choice";
import { Progress } from "../../shell/progress";
import { CommandError, run } from "../../shell/process";
import { isAlive, startTimeOf } from "../../shell/processMark";
const bare: Machine = {
  context: undefined,
  dockerAnswers: false,
  k3dInstalled: false,
  linux: true,
  root: true,
};

describe("choice of the cluster", () => {
  it("takes CONTEXT before everything else", () => {
    const machine = { ...bare, context: "mine", dockerAnswers: true, k3dInstalled: true };
    assert.deepEqual(chooseCluster(machine), { kind: "context", context: "mine" });
  });

  it("takes k3d when Docker and k3d answer, even as root", () => {
    assert.deepEqual(chooseCluster({ ...bare, dockerAnswers: true, k3dInstalled: true }), { kind: "k3d" });
  });

  it("takes the built-in cluster when either is missing", () => {
    for (const half of [{ dockerAnswers: true }, { k3dInstalled: true }, {}]) {
      assert.deepEqual(chooseCluster({ ...bare, ...half }), { kind: "built-in" });
    }
  });

  it("treats an empty CONTEXT as none", () => {
    assert.equal(chooseCluster({ ...bare, context: "" }).kind, "built-in");
  });

  const refusals: [Partial<Machine>, RegExp][] = [
    [
      { root: false },
      /Docker does not answer, and the built-in cluster needs root; install Docker and k3d, or become root/,
    ],
    [{ linux: false }, /the built-in cluster needs Linux/],
    [{ root: false, dockerAnswers: true }, /k3d is not installed/],
  ];
  for (const [lacking, sentence] of refusals) {
    it(`says what is missing with ${JSON.stringify(lacking)}`, () => {
      const choice = chooseCluster({ ...bare, ...lacking });
      assert.equal(choice.kind, "none");
      assert.match(choice.kind === "none" ? choice.why : "", sentence);
    });
  }
});

describe("run", () => {
  it("gives both streams and the exit code", async () => {
    const result = await run("sh", ["-c", "echo out; echo err >&2; exit 3"], { allowFailure: true });
    assert.deepEqual(result, { stdout: "out\n", stderr: "err\n", exitCode: 3 });
  });

  it("fails with the command, the code and the last 25 lines", async () => {
    const error = await run("sh", ["-c", "seq 40; exit 2"]).then(
      () => assert.fail("did not fail"),
      (reason: unknown) => reason as CommandError,
    );
    assert.match(error.message, /^`sh -c seq 40; exit 2` failed with exit code 2$/);
    assert.deepEqual([error.tail.length, error.tail[0], error.tail.at(-1)], [25, "16", "40"]);
  });

  it("says so when the command isn't there", async () => {
    await assert.rejects(run("no-such-command-here"), /could not be run: .*ENOENT/);
  });

  it("ends a command that takes too long", async () => {
    await assert.rejects(run("sleep", ["60"], { timeoutMs: 50 }), /did not end within/);
  });

  it("ends a command when its signal fires, and starts none after", async () => {
    const controller = new AbortController();
    const running = run("sleep", ["60"], { signal: controller.signal });
    controller.abort();
    await assert.rejects(running, /was interrupted/);
    await assert.rejects(run("true", [], { signal: controller.signal }), /was not started/);
  });

  it("hands over whole lines, the last one without a line end too", async () => {
    const lines: string[] = [];
    await run("printf", ["a\\nb"], { onLine: (line) => lines.push(line) });
    assert.deepEqual(lines.slice(0, 2), ["a", "b"]);
  });

  it("passes standard input on", async () => {
    assert.equal((await run("cat", [], { input: "hello" })).stdout, "hello");
  });
});

describe("progress", () => {
  it("has a line for the start and the end of a step, and none for an end that didn't come", async () => {
    const lines: string[] = [];
    const progress = new Progress((line) => lines.push(line.replace(/^\[ *\d+:\d\d\] /, "")));
    await progress.step("one", () => Promise.resolve());
    await assert.rejects(
      progress.step("two", () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.deepEqual(lines, ["one …", "one: done in 0 s", "two …"]);
  });
});

describe("process marks", () => {
  it("know this process, and not another one with the same id", () => {
    const startTime = startTimeOf(process.pid);
    assert.ok(startTime !== undefined);
    assert.equal(isAlive({ pid: process.pid, startTime }), true);
    assert.equal(isAlive({ pid: process.pid, startTime: "1" }), false);
    assert.equal(isAlive({ pid: 2 ** 22 + 1, startTime }), false);
  });
});
