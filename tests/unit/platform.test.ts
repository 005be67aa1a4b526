import assert from "node:assert/strict";
import { plannerOf } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { releasedObjects } from "../support/manifest";
import { checked, stackConfig } from "../support/settings";
import { rawSettings } from "../../stacks/program";
import { stacks } from "../golden/stacks";

const settingsOf = (stack: string) => checked(rawSettings(stackConfig(stack)));

describe("the plan of a platform", () => {
  for (const stack of stacks)
    it(`is plain data, and the same for the same settings: ${stack}`, async () => {
      const settings = settingsOf(stack);
      const released = await releasedObjects(plannerOf(settings).name);
      const before = structuredClone(settings);
      const plan = planPlatform(settings, () => released);
      assert.deepEqual(structuredClone(plan), plan);
      assert.deepEqual(
        planPlatform(settings, () => released),
        plan,
      );
      assert.deepEqual(settings, before);
    });

  it("asks for the operator's released objects only where the settings install the operator", () => {
    const settings = settingsOf("local");
    const never = () => assert.fail("the released objects were asked for");
    assert.equal(
      planPlatform({ ...settings, operator: { ...settings.operator, install: false } }, never).operator,
      undefined,
    );
  });

  it("names no object twice", async () => {
    for (const stack of stacks) {
      const settings = settingsOf(stack);
      const released = await releasedObjects(plannerOf(settings).name);
      const { operator, cluster, poolers, backups, networkPolicies, logins } = planPlatform(
        settings,
        () => released,
      );
      const parts = [operator?.objects ?? [], cluster.objects, backups, networkPolicies, logins];
      const names = [...parts, ...poolers.map(({ objects }) => objects)].flatMap((objects) =>
        objects.map(({ object }) => {
          const { kind, metadata } = object;
          return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
        }),
      );
      assert.deepEqual([...new Set(names)].length, names.length, stack);
    }
  });
});
