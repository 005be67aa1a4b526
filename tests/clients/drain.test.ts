import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { begin } from "./kit/clients";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

interface Outcome {
  readonly errors: Readonly<Record<string, number>>;
  readonly done: number;
}

describe("a pod of a pooler that stops", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start();
    stack.servers.primary.psql("CREATE TABLE numbers (number int); ALTER TABLE numbers OWNER TO app", {
      database: "app",
    });
  });
  after(() => stack.end());

  it("fails no statement of a pool whose sessions are idle now and then, with transactions of 12 s beside them", async () => {
    const pool = begin<Outcome>("pool", ["20"], stack.environment());
    await delay(8000);
    const [leaving] = stack.running;
    assert.ok(leaving);
    const asked = Date.now();
    await stack.remove(leaving, (pod) => pod.kill("SIGTERM"));
    const seconds = Math.round((Date.now() - asked) / 1000);
    await delay(2000);
    const { errors, done } = await pool.end();
    console.log(`      ended after ${seconds} s, ${done} transactions`);
    assert.deepEqual(errors, {});
    assert.ok(done > 50);
    assert.ok(seconds < 30, "it ended with its last client, and not at the end of the time for draining");
  });
});
