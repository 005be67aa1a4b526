import assert from "node:assert/strict";
import { reconnectCommand } from "../../plan/pooler/console";
import { client } from "./kit/clients";
import { driverNames, drivers, type Feature, features, finding, pooled, single } from "./kit/drivers";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

const all = Object.keys(features) as Feature[];

describe("what each driver's sessions find", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start(single);
    stack.servers.primary.psql(
      "CREATE TABLE copied (row text); ALTER TABLE copied OWNER TO app; CREATE TABLE written (row text); ALTER TABLE written OWNER TO app",
      { database: "app" },
    );
  });
  after(() => stack.end());

  for (const driver of driverNames)
    for (const [way, through, expected] of [
      ["directly: all of it works", "primary", () => "works"],
      ["through a pooler as it is by default", "pooler", (feature: Feature) => pooled[feature]],
    ] as const)
      it(`${driver}, ${way}`, async () => {
        // What another one left goes with its server connection.
        for (const pod of stack.running) await pod.exec(reconnectCommand);
        const found = await client<Record<Feature, string>>("features", [driver], stack.environment(through));
        const without: readonly string[] = drivers[driver].without;
        const asked = all.filter((feature) => !without.includes(feature));
        assert.deepEqual(
          Object.fromEntries(
            Object.entries(found)
              .map(([feature, text]) => [feature, finding(feature as Feature, text)])
              .sort(),
          ),
          Object.fromEntries(asked.map((feature) => [feature, expected(feature)]).sort()),
        );
      });
});
