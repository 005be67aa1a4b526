import assert from "node:assert/strict";
import { once } from "node:events";
import { isReady, type KubeObject, selectorOf } from "../../operations/kubectl";
import { operatorOf } from "../../operations/liveCheck";
import { projectDir } from "../../shell/paths";
import { needs } from "./kit/ability";
import { environment, type Environment } from "./kit/environment";
import { make } from "./kit/make";
import { say, until } from "./kit/wait";

/**
 * `make up` is killed with SIGKILL, or loses the operator, in the middle of its work; the next one continues from there.
 * Only with RESILIENCE=1: it deletes the cluster several times. It proves three moments, not every moment; Ctrl-C is another
 * suite's subject.
 */
const suite = process.env.RESILIENCE === "1" ? describe : describe.skip;

suite("resilience of make up (images built here)", () => {
  let env: Environment;
  before(async () => {
    env = await environment();
  });

  /** Starts from a machine without a cluster, and begins `make up` in a process group of its own. */
  async function begin() {
    assert.equal((await make("down", { env: { FORCE: "1" } })).exitCode, 0);
    const { execa } = await import("execa");
    const child = execa("make", ["--no-print-directory", "up"], {
      cwd: projectDir,
      detached: true,
      stdin: "ignore",
      all: true,
      reject: false,
    });
    const lines: string[] = [];
    const listen = async () => {
      for await (const line of child.iterable({ from: "all" })) {
        if (line === "") continue;
        lines.push(line);
        say(`make up: ${line}`);
      }
    };
    void listen();
    const exited = once(child, "exit") as Promise<[number | null, string | null]>;
    /** Waits for a moment of the run; a run that ends before it is an error. */
    const reach = (moment: string, look: () => Promise<boolean>) =>
      until(
        moment,
        1800,
        async () => {
          if (child.exitCode !== null) return { done: false };
          return (await look()) ? { done: true } : { why: "not yet" };
        },
        200,
      ).then((reached) => assert.ok(reached, `\`make up\` ended before: ${moment}`));
    return {
      lines,
      exited,
      reach,
      async kill(): Promise<void> {
        assert.ok(child.pid);
        process.kill(-child.pid, "SIGKILL");
        const [, signal] = await exited;
        assert.equal(signal, "SIGKILL");
        say("make up: killed with SIGKILL");
      },
    };
  }

  const printed = (lines: readonly string[], pattern: RegExp) => () =>
    Promise.resolve(lines.some((line) => pattern.test(line)));

  /** The instances' pods, as far as the API server answers already. */
  const pods = () => env.cluster.instances().catch((): KubeObject[] => []);

  async function converges(): Promise<void> {
    const up = await make("up");
    assert.equal(up.exitCode, 0);
    assert.match(up.lastLine, /is up: /);
    assert.equal((await make("preview")).lastLine, "No changes.");
    await env.cluster.waitHealthy();
  }

  it("killed with SIGKILL while the cluster starts: the next one converges", async () => {
    const run = await begin();
    await run.reach("the cluster starts", printed(run.lines, /Kubernetes …/));
    await run.kill();
    await converges();
  });

  it("killed with SIGKILL early in `pulumi up`: the next one converges", async () => {
    const run = await begin();
    await run.reach("the namespace is there", async () => {
      const found = await env.kubectl.get("namespace", "default", env.settings.cluster.namespace);
      return found !== undefined;
    });
    await run.kill();
    await converges();
  });

  it("killed with SIGKILL late in `pulumi up`, with the first instance ready: the next one converges", async () => {
    const run = await begin();
    await run.reach("the first instance is ready", async () => (await pods()).some(isReady));
    await run.kill();
    await converges();
  });

  it("loses the operator's pod while it waits for the instances: converges", async function () {
    needs(this, env, "operator");
    const run = await begin();
    await run.reach("the database is being made", async () => {
      const { namespace } = env.settings.cluster;
      const { stdout } = await env.kubectl.run(["-n", namespace, "get", "pvc", "-o", "name"], {
        allowFailure: true,
      });
      return stdout.trim() !== "";
    });
    const operator = operatorOf(env.settings);
    assert.ok(operator);
    const at = ["-n", operator.namespace, "delete", "pod", "-l", selectorOf(operator.podLabels)];
    const { stdout } = await env.kubectl.run([...at, "--grace-period=0", "--force"]);
    assert.match(stdout, /pod ".*" force deleted/, "the operator's pod was there");
    const [exitCode] = await run.exited;
    assert.equal(exitCode, 0, "the run that lost its operator ends well by itself");
    await converges();
  });
});
