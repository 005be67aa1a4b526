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
        // Some objects name the archive's ID, which a preview doesn't know.
        const judged = result.violations.filter(({ message }) => !message.startsWith("can't run policy"));
        const here = judged.filter(({ resource, message }) =>
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
        assert.match(message, / \S*shop(\/|:)[^\n]*: .*(not set|is not allowed)\. Allowed: .*\. Fix: .*\.$/m);

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

    it("is told what couldn't be checked where a value isn't known yet; a Secret's isn't checked", async () => {
      const result = await foreign("unknown", packArguments);
      assert.equal(result.exitCode, 0, result.output);
      assert.ok(
        result.violations.every(
          ({ level, message }) => level === "advisory" && message.startsWith("can't run policy"),
        ),
      );
      const unchecked = (resource: string) =>
        result.violations.filter((one) => one.resource.endsWith(`: ${resource}`)).map(({ policy }) => policy);
      assert.deepEqual(unchecked("config-of-later"), ["no-plain-credentials"]);
      assert.deepEqual(unchecked("secret-of-later"), []);
      // What doesn't read the number of instances was checked.
      assert.ok(unchecked("cluster").includes("enough-instances"));
      assert.ok(!unchecked("cluster").includes("encrypted-logins"));
    });
  });
});

/** Whether a stack policy's sentence is about an object of the namespace, or the namespace itself. */
const inNamespace = (message: string, namespace: string): boolean =>
  message.includes(` ${namespace}/`) || message.includes(`Namespace ${namespace}:`);
