import assert from "node:assert/strict";
import { down, status } from "../../local/cluster/cluster";
import type { KubeObject } from "../../operations/kubectl";
import { ownerOf, stuck } from "../../operations/stuck";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { clientImage } from "./kit/clients";
import { environment, stackName, type Environment } from "./kit/environment";
import { say, until } from "./kit/wait";

/**
 * `pgp recover` after the whole machine of the built-in cluster was off, twice in a row, with an application that couldn't start meanwhile. It doesn't prove
 * what k3d needs, nor that systemd calls it: the unit is verified by systemd's own tool in tests/programs.
 */

interface Recovery {
  readonly message: string;
  readonly steps: readonly { readonly step: string; readonly found: string; readonly did?: string }[];
}

const quiet = { say: () => undefined, detail: () => undefined };
const BOUND_SECONDS = 120;

async function recover(): Promise<Recovery & { seconds: number }> {
  const began = Date.now();
  say("pgp recover");
  const { stdout, stderr, exitCode } = await run("./pgp", ["recover", "--stack", stackName, "--json"], {
    cwd: projectDir,
    allowFailure: true,
  });
  const seconds = (Date.now() - began) / 1000;
  assert.equal(exitCode, 0, stdout + stderr);
  const recovery = JSON.parse(stdout) as Recovery;
  say(
    `${seconds.toFixed(0)} s: ${recovery.steps.map(({ step, found, did = "nothing" }) => `${step}: ${found} (${did})`).join("; ")}`,
  );
  return { ...recovery, seconds };
}

(process.env.PGP === "1" ? describe : describe.skip)(
  "recover (the built-in cluster off and on again, images built here)",
  function () {
    let env: Environment;
    const planted = "pgp-e2e-crashing";
    before(async function () {
      if ((await status()).state !== "running") return this.skip();
      env = await environment();
      await env.cluster.waitHealthy();
    });
    after(async () => {
      const args = ["-n", env.settings.cluster.namespace, "delete", "--ignore-not-found"];
      await env?.kubectl.run([...args, `deployment/${planted}`, `job/${planted}`]);
    });

    it("has nothing to do where everything runs, and says so", async () => {
      const { steps, message } = await recover();
      assert.deepEqual(
        steps.filter(({ did }) => did !== undefined),
        [],
      );
      assert.match(message, /works: a row was written after \d+ s; nothing was to be done\.$/);
    });

    for (const time of ["once", "and a second time"])
      it(`brings everything back after all nodes and the control plane were off, ${time}`, async () => {
        await down(quiet);
        assert.equal((await status()).state, "stopped");
        const { steps, seconds, message } = await recover();
        assert.equal(steps[0]?.step, "Kubernetes");
        assert.match(steps[0]?.did ?? "", /started it/);
        assert.match(message, /a row was written/);
        // Printed, and held to the bound where no other work is on the machine: docs/testing.md has the figure.
        say(`${seconds.toFixed(0)} s of ${BOUND_SECONDS} s`);
      });

    it("deletes a pod that waits with CrashLoopBackOff, so that it starts at once, and leaves a Job's", async () => {
      const { kubectl } = env;
      const { namespace } = env.settings.cluster;
      const pod = (restartPolicy: string) => ({
        metadata: { labels: { app: planted } },
        spec: {
          restartPolicy,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10001,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "app",
              image: clientImage,
              command: ["sh", "-c", "exit 1"],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      });
      const items = [
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: planted, namespace },
          spec: { replicas: 1, selector: { matchLabels: { app: planted } }, template: pod("Always") },
        },
        {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { name: planted, namespace },
          spec: { backoffLimit: 0, template: pod("Never") },
        },
      ];
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
      await kubectl.run(["apply", "-f", "-"], { input });
      const pods = async () => {
        const all = await kubectl.list("pods", namespace, `app=${planted}`);
        const ofJob = (one: KubeObject) => ownerOf(one)?.kind === "Job";
        return { web: all.find((one) => !ofJob(one)), job: all.find(ofJob) };
      };
      const before = await until("one pod crashes in a loop, and the Job's has failed", 180, async () => {
        const { web, job } = await pods();
        const reason = web && stuck(web)?.reason;
        // After its third start it waits for longer than the command takes.
        const { containerStatuses: [status] = [] } = (web?.status ?? {}) as {
          containerStatuses?: { restartCount: number }[];
        };
        const restarts = status?.restartCount ?? 0;
        const phase = (job?.status as { phase?: string } | undefined)?.phase;
        return web && job && reason === "CrashLoopBackOff" && restarts >= 3 && phase === "Failed"
          ? { done: { web: web.metadata.name, job: job.metadata.name } }
          : { why: `${reason}, ${restarts} restarts, ${phase}` };
      });
      const { steps } = await recover();
      const step = steps.find((one) => one.step === "stuck pods");
      assert.equal(step?.found, `${namespace}/${before.web} waits with CrashLoopBackOff`);
      assert.match(step.did ?? "", /^deleted it/);
      await until("another pod in its place", 60, async () => {
        const { web } = await pods();
        return web && web.metadata.name !== before.web
          ? { done: undefined }
          : { why: web?.metadata.name ?? "none" };
      });
      assert.equal((await pods()).job?.metadata.name, before.job);
    });
  },
);
