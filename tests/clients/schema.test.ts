import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { reconnectCommand } from "../../plan/pooler/console";
import { begin } from "./kit/clients";
import { driverNames, drivers } from "./kit/drivers";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

interface Outcome {
  /** When reads failed, in seconds since 1970. */
  readonly failures: readonly number[];
  readonly reads: number;
}

describe("a change of the schema under prepared statements", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start();
    stack.servers.primary.psql(
      "CREATE TABLE changing (id int); INSERT INTO changing VALUES (1); ALTER TABLE changing OWNER TO app",
      { database: "app" },
    );
  });
  after(() => stack.end());

  for (const driver of driverNames)
    it(`breaks no statement of ${driver} for longer than a second once the poolers have reconnected`, async () => {
      const reading = begin<Outcome>("ddl", [driver], stack.environment());
      await delay(4000);
      stack.servers.primary.psql(
        `ALTER TABLE changing ADD COLUMN added_${driver.replace("-", "_")} int DEFAULT 0`,
        {
          database: "app",
        },
      );
      await delay(3000);
      for (const pod of stack.running) await pod.exec(reconnectCommand);
      const reconnected = Date.now() / 1000;
      await delay(4000);
      const { failures, reads } = await reading.end();
      assert.ok(reads > 100, `${reads} reads`);
      const before = failures.filter((at) => at < reconnected).length;
      const late = failures.filter((at) => at > reconnected + 1).length;
      console.log(`      ${before} reads failed until the command, ${failures.length - before} after it`);
      if (drivers[driver].breaks)
        assert.ok(before > 0, "without the command statements stay broken: else this proves nothing");
      else assert.deepEqual(failures, [], "it prepares no statement of this kind");
      assert.equal(late, 0);
    });
});
