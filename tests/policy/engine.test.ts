import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../shell/paths";
import { packArguments, packFolder } from "../../policy/arguments";
import { invariants } from "../../policy/invariants";
import { check } from "../../checks/index";
import { rawSettings } from "../../stacks/program";
import type { Settings } from "../../settings/schema";
import { stackConfig } from "../support/settings";
import { type Previewed, Previews } from "./kit/preview";
import { mutations } from "./mutated/mutations";

/**
 * The pack through Pulumi's engine: `pulumi preview --policy-pack`. There is no cluster: the provider plans without asking
 * one, so that what an API server adds to an object isn't judged here.
 */

const names = invariants.map(({ name }) => name);
const byPolicy = ({ violations }: Previewed, level: string): string[] =>
  names.filter((name) => violations.some((one) => one.policy === name && one.level === level));

/** Stack files whose engine can plan. */
function plannable(): [stack: string, settings: Settings][] {
  return readdirSync(projectDir)
    .flatMap((file) => /^Pulumi\.(\w+)\.yaml$/.exec(file)?.[1] ?? [])
    .flatMap((stack): [string, Settings][] => {
      const checked = check(rawSettings(stackConfig(stack)));
      if ("problems" in checked) return [];
      return [[stack, checked.settings]];
    });
}

describe("the policy pack in Pulumi's engine, without a cluster", () => {
  let previews: Previews;
  before(async () => (previews = await Previews.make()));
  after(() => previews?.close());

  describe("the stack files", () => {
    it("are the built-in one, and others whose engine can plan", () =>
      assert.ok(plannable().some(([stack]) => stack === "local")));

    for (const [stack, { tier, kubernetes, backup }] of plannable())
      it(`${stack} passes as ${tier}`, async () => {
        const config = stackConfig(stack);
        const result = await previews.preview(
          projectDir,
          {
            ...config,
            // As an object, into which a secret can be set by its path.
            ...(backup && { "pgplatform:backup": JSON.parse(config["pgplatform:backup"] ?? "") as object }),
            "pgplatform:kubernetes": { ...kubernetes, kubeconfig: previews.kubeconfig, context: "nowhere" },
          },
          packArguments,
          Object.fromEntries(
            (backup?.targets ?? []).flatMap(({ credentials }, index) =>
              credentials
                ? [
                    [
                      `pgplatform:backup.targets[${index}].credentials.secretAccessKey`,
                      credentials.secretAccessKey,
                    ],
                  ]
                : [],
            ),
          ),
        );
        assert.deepEqual([byPolicy(result, "mandatory"), result.exitCode], [[], 0], result.output);
        assert.match(result.output, /(✅|⚠️) postgres-platform@v/);
      });
  });

  describe("the stack local, mutated once for each policy", () => {
    let result: Previewed;
    before(async function () {
      // A platform with backups for each policy.
      this.timeout(900_000);
      result = await previews.preview(join(__dirname, "mutated"), {}, packArguments);
    });

    it("doesn't pass", () => assert.notEqual(result.exitCode, 0, result.output));
    it("has a mutation for each policy", () =>
      assert.deepEqual(Object.keys(mutations).sort(), [...names].sort()));

    for (const { name, mandatory } of invariants)
      it(`${name} is named, and nothing else but what the mutation goes against`, () => {
        const here = result.violations.filter(({ resource, message }) =>
          resource.includes("pulumi:pulumi:Stack")
            ? inNamespace(message, name)
            : resource.split(": ")[1]!.startsWith(`${name}-`),
        );
        assert.deepEqual(
          names.filter((one) => here.some(({ policy }) => policy === one)),
          names.filter((one) => [name, ...(mutations[name]?.also ?? [])].includes(one)),
        );
        assert.ok(
          here.some(
            ({ policy, level }) =>
              policy === name && level === (mandatory === "nowhere" ? "advisory" : "mandatory"),
          ),
        );
      });
    it("never shows the secret that it found", () => assert.ok(!result.output.includes("hunter2")));
  });

  describe("a program that knows nothing of this project", () => {
    const foreign = (which: string, args: readonly string[], config: Record<string, unknown> = {}) =>
      previews.preview(join(__dirname, "foreign"), { "foreign:case": which, ...config }, args);

    it("passes every policy as it should be, even where nothing is only a warning", async () => {
      const result = await foreign("passing", packArguments);
      assert.deepEqual([result.violations, result.exitCode], [[], 0], result.output);
    });

    it("goes against every policy: the message names policy and object; nothing that is prod's stops it in dev", async () => {
      const prod = await foreign("violating", packArguments);
      assert.notEqual(prod.exitCode, 0);
      assert.deepEqual(
        byPolicy(prod, "mandatory"),
        invariants.filter(({ mandatory }) => mandatory !== "nowhere").map(({ name }) => name),
      );
      assert.deepEqual(
        byPolicy(prod, "advisory"),
        invariants.filter(({ mandatory }) => mandatory === "nowhere").map(({ name }) => name),
      );
      for (const { message } of prod.violations)
        assert.match(
          message,
          / \S*shop(\/|:)[^\n]*: .*(not set|is not allowed|no such field)\. Allowed: .*\. Fix: .*\.$/m,
        );

      const dev = await foreign("violating", packArguments, { "pgplatform:tier": "dev" });
      assert.deepEqual(
        byPolicy(dev, "mandatory"),
        invariants.filter(({ mandatory }) => mandatory === "everywhere").map(({ name }) => name),
      );
    });

    it("is held to the levels of a file in the place of the tier's", async () => {
      const levels = ["--policy-pack-config", join(packFolder, "dev.json")];
      const result = await foreign("violating", [...packArguments, ...levels], { "pgplatform:tier": "prod" });
      assert.deepEqual(
        byPolicy(result, "mandatory"),
        invariants.filter(({ mandatory }) => mandatory === "everywhere").map(({ name }) => name),
      );
    });

    it("is told what couldn't be judged where a value isn't known yet; a Secret's isn't looked at", async () => {
      const result = await foreign("unknown", packArguments);
      assert.equal(result.exitCode, 0, result.output);
      assert.deepEqual(
        [...new Set(result.violations.map(({ level, policy }) => `${level} ${policy}`))],
        ["advisory judged-later"],
        result.output,
      );
      const lines = result.violations.map(({ message }) => message).join("\n");
      assert.match(
        lines,
        /ConfigMap shop\/later: data\.greeting is known only when .* no-plain-credentials can't judge it/,
      );
      // One line for all policies that need it.
      assert.equal(lines.match(/Cluster shop\/orders: spec\.instances is known only when/g)?.length, 1);
      assert.doesNotMatch(lines, /Secret|encrypted-logins/);
    });

    it("is refused by nothing mandatory where it is good by the habits of others", async () => {
      const result = await foreign("others", packArguments);
      assert.deepEqual([byPolicy(result, "mandatory"), result.exitCode], [[], 0], result.output);
    });

    it("may have violations for a time by its stack file's waivers, which are told", async () => {
      const waiver = {
        policy: "known-fields",
        resource: "Cluster shop/typo",
        reason: "a newer operator",
        who: "Ada",
      };
      const in9Days = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10);
      const waived = await foreign("violating", packArguments, {
        "pgplatform:waivers": [{ ...waiver, until: in9Days }],
      });
      assert.ok(!byPolicy(waived, "mandatory").includes("known-fields"), waived.output);
      assert.match(
        waived.output,
        /Waiver of known-fields for Cluster shop\/typo until \S+, by Ada: a newer operator/,
      );
      const expired = await foreign("violating", packArguments, {
        "pgplatform:waivers": [{ ...waiver, until: "2020-01-01" }],
      });
      assert.ok(byPolicy(expired, "mandatory").includes("known-fields"));
      assert.match(expired.output, /pgplatform:waivers\[0\]\.until: "2020-01-01" is not allowed/);
    });

    it("prints how to fix a violation, and where it is described", async () => {
      const { output } = await foreign("violating", packArguments);
      assert.match(output, /Steps: Remove the parameter from/);
      assert.match(output, /See docs\/policies\.md#durable-writes/);
    });
  });
});

/** Whether a stack policy's sentence is about an object of the namespace, or the namespace itself. */
const inNamespace = (message: string, namespace: string): boolean =>
  message.includes(` ${namespace}/`) || message.includes(`Namespace ${namespace}:`);
