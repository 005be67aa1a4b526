import assert from "node:assert/strict";
import { selectorOf } from "../../operations/kubectl";
import { poolerLabels } from "../../plan/names";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { environment, stackName, type Environment } from "./kit/environment";
import { until } from "./kit/wait";

/**
 * The last step of `make up` fails when a client can't write: it isn't a formality.
 * This doesn't prove that it notices every way in which a client may fail.
 */
describe("health check (images built here)", () => {
  let env: Environment;
  before(async () => {
    env = await environment();
  });

  const health = () =>
    run("npx", ["tsx", "operations/cli.ts", "health", "--stack", stackName], {
      cwd: projectDir,
      allowFailure: true,
    });

  async function scale(replicas: number): Promise<void> {
    const { name, namespace } = env.settings.cluster;
    const labels = selectorOf(poolerLabels(name, env.settings.poolers[0]?.name ?? ""));
    await env.kubectl.run([
      "-n",
      namespace,
      "scale",
      `deployment/${env.pooler.name}`,
      `--replicas=${replicas}`,
    ]);
    await until(`${replicas} pooler pods`, 120, async () => {
      const status = (await env.kubectl.get("deployment", namespace, env.pooler.name))?.status ?? {};
      const { readyReplicas: ready = 0 } = status as Record<string, number>;
      // One that is leaving still lets clients in for some seconds.
      const pods = await env.kubectl.list("pods", namespace, labels);
      return pods.length === replicas && ready === replicas
        ? { done: undefined }
        : { why: `${pods.length} pods, ${ready} ready` };
    });
  }

  it("passes, fails while the pooler is scaled to 0, and passes again", async () => {
    const replicas = env.settings.poolers[0]?.instances ?? 2;
    const healthy = await health();
    assert.equal(healthy.exitCode, 0, healthy.stdout + healthy.stderr);
    await scale(0);
    try {
      const { exitCode, stdout } = await health();
      assert.equal(exitCode, 1);
      assert.match(
        stdout.trim().split("\n").at(-1) ?? "",
        /error: .*could not do this: a row written through/,
      );
    } finally {
      await scale(replicas);
    }
    const again = await health();
    assert.equal(again.exitCode, 0, again.stdout + again.stderr);
    const read = env.settings.cluster.instances > 1 ? " and read on a standby" : "";
    assert.ok(again.stdout.includes(`A client wrote through the pooler${read}.`), again.stdout);
  });
});
