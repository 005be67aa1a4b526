import assert from "node:assert/strict";
import { satisfies } from "semver";
import { chooseCluster, type Machine } from "../../operations/choice";
import { k3dCreation } from "../../operations/target";
import { planners } from "../../plan/engines/select";
import { pins } from "../../releases/pins";
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

describe("k3d's cluster", () => {
  it("is made of a pinned k3s that every operator is tested on", () => {
    const [, image = "", version = ""] =
      /^(docker\.io\/rancher\/k3s):v([\d.]+)-k3s\d+$/.exec(pins.k3sImage) ?? [];
    assert.equal(image, "docker.io/rancher/k3s");
    for (const { name, kubernetes } of Object.values(planners))
      assert.ok(satisfies(version, kubernetes.tested), `${name}: ${kubernetes.tested}`);
    assert.deepEqual(
      k3dCreation.join(" "),
      `cluster create pgplatform --image ${pins.k3sImage} --agents 2 --wait --kubeconfig-update-default=false`,
    );
  });
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

  it("lets a command end without reading its input", async () => {
    assert.equal((await run("true", [], { input: "x".repeat(1_000_000) })).exitCode, 0);
  });

  it("puts a line together that comes in pieces, each stream's for itself", async () => {
    const lines: string[] = [];
    const pieces = "printf o; printf e >&2; sleep 0.05; printf 'ut\\nx'; sleep 0.05; printf 'rr\\n' >&2";
    const { stdout, stderr } = await run("sh", ["-c", pieces], { onLine: (line) => lines.push(line) });
    assert.deepEqual([stdout, stderr], ["out\nx", "err\n"]);
    assert.deepEqual(lines.sort(), ["err", "out", "x"]);
  });

  it("puts a character together whose bytes come apart", async () => {
    const { stdout } = await run("sh", ["-c", "printf '\\303'; sleep 0.05; printf '\\251'"]);
    assert.equal(stdout, "é");
  });

  it("has more output than a buffer holds", async () => {
    const { stdout } = await run("sh", ["-c", "head -c 5000000 /dev/zero | tr '\\0' x"]);
    assert.equal(stdout.length, 5_000_000);
  });

  it("removes a variable that is undefined, and keeps the others", async () => {
    process.env.PGP_TEST_RUN = "here";
    after(() => delete process.env.PGP_TEST_RUN);
    const echo = ["-c", "echo $PGP_TEST_RUN-$OTHER"];
    const ask = async (env: Record<string, string | undefined>) => (await run("sh", echo, { env })).stdout;
    assert.equal(await ask({ OTHER: "too" }), "here-too\n");
    assert.equal(await ask({ PGP_TEST_RUN: undefined }), "-\n");
  });

  it("names the signal that ended a command, which no `allowFailure` accepts", () =>
    assert.rejects(run("sh", ["-c", "kill -TERM $$"], { allowFailure: true }), /was ended by SIGTERM$/));

  it("says so when the system refuses the command's length", () =>
    assert.rejects(run("echo", ["x".repeat(3_000_000)]), /could not be run: .*E2BIG/));

  /** A shell that says by which signal it was told to end. */
  const trapping = (then: string) => [
    "-c",
    `trap 'echo told by INT; exit' INT; trap 'echo told by TERM; exit' TERM; ${then}`,
  ];

  it("tells a command by SIGTERM that its time is over, by SIGINT that it is interrupted", async () => {
    const failed = (reason: unknown) => (reason as CommandError).tail;
    const args = trapping("echo ready; while :; do sleep 0.02; done");
    const late = await run("sh", args, { timeoutMs: 500 }).then(() => [], failed);
    assert.deepEqual(late, ["ready", "told by TERM"]);

    const controller = new AbortController();
    const onLine = () => controller.abort();
    const interrupted = await run("sh", args, { signal: controller.signal, onLine }).then(() => [], failed);
    assert.deepEqual(interrupted, ["ready", "told by INT"]);
  });

  it("kills what an interrupted command leaves of its own group", async () => {
    const controller = new AbortController();
    const started = Date.now();
    const running = run("sh", trapping("sleep 60 & echo ready; wait"), {
      ownGroup: true,
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    await assert.rejects(running, /was interrupted/);
    assert.ok(Date.now() - started < 30_000, "the sleep would have held the output open");
  });

  it("leaves alone what a command that ends by itself started in its group", async () => {
    const { stdout } = await run("sh", ["-c", "sleep 60 >/dev/null 2>&1 & echo $!"], { ownGroup: true });
    process.kill(Number(stdout), "SIGKILL");
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
