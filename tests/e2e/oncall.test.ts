import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { storeNamespace } from "../../plan/backup/storeNames";
import { plannerOf } from "../../plan/engines/select";
import { clusterPlan } from "../../plan/platform";
import type { Report } from "../../operations/status/report";
import { projectDir } from "../../shell/paths";
import type { SettingsInput } from "../../settings/schema";
import { run } from "../../shell/process";
import { needs } from "./kit/ability";
import { environment, stackName, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients } from "./kit/fixture";
import { ChangedStack, settingsWith } from "./kit/settings";
import { say, until } from "./kit/wait";
import { Bench } from "./monitoring/bench";
import { situations } from "./oncall/situations";
import { certificateSecret, OutsideCertificate, Ward } from "./oncall/ward";

/**
 * The on-call hour: what wakes people is caused on the running platform, and `pgp status` is all that is looked at. It must name the problem and a page; its next command is run as it
 * stands; with what the page says beside it, the status is to say in the end that nothing is wrong. The seconds are printed and not judged: the machine has other work.
 *
 * It doesn't prove that a person finds the way, nor what a full WAL volume looks like: volumes are folders of one disk here.
 */

const FIRST_SECONDS = 180;
const END_SECONDS = 420;

(process.env.ONCALL === "1" ? describe : describe.skip)("the on-call hour (images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let ward: Ward;

  async function status(): Promise<{ report: Report; seconds: number }> {
    const began = Date.now();
    const { stdout, stderr } = await run("./pgp", ["status", "--stack", stackName, "--json"], {
      cwd: projectDir,
      env: stack.variables(),
      allowFailure: true,
    });
    const seconds = (Date.now() - began) / 1000;
    assert.notEqual(stdout, "", stderr);
    return { report: JSON.parse(stdout) as Report, seconds };
  }

  const words = ({ writes, problems, unread }: Report): string =>
    JSON.stringify({ writes, problems: problems.map(({ what }) => what), unread });

  /** Waits until the status says that nothing is wrong, but for what stays. */
  const well = (but?: RegExp) =>
    until("nothing is wrong", END_SECONDS, async () => {
      const { report } = await status();
      const rest = report.problems.filter(({ what }) => but?.test(what) !== true);
      return report.writes.work === true && rest.length === 0 && report.unread.length === 0
        ? { done: report }
        : { why: words(report) };
    });

  before(async () => {
    env = await environment();
    await env.cluster.waitHealthy();
    stack = await ChangedStack.open();
    const tls = (given: SettingsInput): void => {
      given.tls = { issuer: "provided", secretName: certificateSecret };
    };
    const backup = (given: SettingsInput): void => {
      given.backup = { rpoMinutes: 1, targets: [{ name: "near", kind: "local", size: "5Gi" }] };
    };
    const settings = settingsWith(await stack.write([tls, backup]), env.engine.name);
    env = { ...env, settings, plan: clusterPlan(settings, plannerOf(settings)) };
    const certificate = await OutsideCertificate.issue(env, env.plan.tls.names);
    await certificate.give(365);
    // CloudNativePG doesn't take both at once.
    for (const edits of [[tls], [tls, backup]]) {
      await stack.write(edits);
      const { exitCode, lines } = await stack.make("up");
      assert.equal(exitCode, 0, lines.slice(-5).join("\n"));
    }
    const clients = await startClients(env);
    ward = new Ward(env, clients, stack, new Bench(env, clients, stack), certificate);
    await well();
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(async () => {
      const { namespace } = env.settings.cluster;
      await env.kubectl.run(["-n", namespace, "delete", "secret", "--ignore-not-found", certificateSecret]);
      await deleteNamespaces(env, [...ward.clients.namespaces, storeNamespace(env.settings.cluster)]);
    });
  });

  for (const situation of situations)
    it(`${situation.title}: the status names it, and its page leads to the end`, async function () {
      for (const ability of situation.needs ?? []) needs(this, env, ability);
      if (situation.builtIn === true && env.settings.platform !== "local") this.skip();
      const began = Date.now();
      const since = () => ((Date.now() - began) / 1000).toFixed(0);
      try {
        await situation.cause(ward);
        const first = await status();
        say(
          `after ${since()} s, asked for ${first.seconds.toFixed(1)} s: ${first.report.writes.work === true ? "writes work" : first.report.writes.why}; ${first.report.problems.map(({ what }) => what).join("; ") || "nothing is wrong"}`,
        );
        const named = await until("the status names it", FIRST_SECONDS, async () => {
          const { report } = await status();
          const found = report.problems.find(({ what }) => situation.says.test(what));
          return found ? { done: found } : { why: words(report) };
        });
        say(`after ${since()} s: ${named.what}; next: ${named.next}; page: ${named.runbook}`);
        assert.match(named.runbook ?? "", situation.page);
        assert.match(named.next, situation.next);
        const [page = ""] = (named.runbook ?? "").split("#");
        assert.ok(existsSync(join(projectDir, "docs", page)), page);
        const acts = /^pgp (?:failover|restart)/.test(named.next);
        const { exitCode, stdout, stderr } = await ward.shell(`${named.next}${acts ? " --yes" : ""}`);
        assert.equal(exitCode, 0, stdout + stderr);
        if (situation.shows) assert.match(stdout + stderr, situation.shows);
        await situation.remedy?.(ward);
        await well(situation.stays);
        say(`after ${since()} s: nothing is wrong`);
      } finally {
        await situation.undo?.(ward);
      }
    });
});
