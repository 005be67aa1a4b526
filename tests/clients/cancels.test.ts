import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { client } from "./kit/clients";
import { driverNames, drivers } from "./kit/drivers";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

const COUNT = 100;
const cancelling = driverNames.filter(
  (name) => !(drivers[name].without as readonly string[]).includes("cancels"),
);

describe("cancels by real clients", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start();
  });
  after(() => stack.end());

  /** All pods know each other: each one's file names all the others. */
  const known = async (count: number) => {
    for (const pod of stack.running)
      while ((await pod.exec(["cat", "/run/pgbouncer/peers.ini"])).split("host=").length !== count)
        await delay(100);
  };

  for (const pods of [2, 4])
    for (const driver of cancelling)
      it(`arrive, ${COUNT} of ${COUNT}, from ${driver} with ${pods} pods`, async () => {
        await stack.scale(pods);
        await known(pods);
        assert.deepEqual(await client("cancels", [driver, String(COUNT)], stack.environment()), {
          cancelled: COUNT,
          lost: 0,
        });
      });

  it("reach the clients of a pod that is leaving", async () => {
    const [leaving] = stack.running;
    assert.ok(leaving);
    const running = client("cancels", ["psycopg", "40"], stack.environment());
    await stack.remove(leaving, (pod) => pod.kill("SIGTERM"));
    assert.deepEqual(await running, { cancelled: 40, lost: 0 });
  });
});
