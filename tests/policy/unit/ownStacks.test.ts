import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { invariants } from "../../../policy/invariants";
import { engines } from "../../support/collected";
import { isCrd, releasedObjects } from "../../support/manifest";
import { platformGraph } from "../../support/platform";
import { changed, checked, smallest } from "../../support/settings";
import { judgedStack } from "./kit";

/** What this program makes, the operators' released objects in full, passes every policy that is mandatory everywhere. */
describe("the platform's own stacks, with all that the operators' releases bring", () => {
  for (const engine of engines)
    it(`are refused by no policy that is mandatory everywhere: ${engine}`, async () => {
      let input: unknown = changed(
        {
          ...smallest(),
          poolers: [{ name: "app", database: "app" }],
          monitoring: { prometheus: "annotations", namespace: "monitoring" },
        },
        "cluster.engine",
        engine,
      );
      if (engine === "standalone")
        input = changed(changed(input, "cluster.instances", 1), "cluster.durability", "async");
      const released = (await releasedObjects(engine)).filter((object) => !isCrd(object));
      const graph = await platformGraph(checked(input), released);
      const objects = graph.resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .map(({ inputs }) => inputs as unknown as KubernetesObject)
        .filter(({ kind, metadata }) => typeof kind === "string" && metadata !== undefined);
      assert.ok(objects.length > 20);
      const said = invariants
        .filter(({ mandatory }) => mandatory === "everywhere")
        .flatMap(({ name }) => judgedStack(name, objects).said.map((message) => `${name}: ${message}`));
      assert.deepEqual(said, []);
    });
});
