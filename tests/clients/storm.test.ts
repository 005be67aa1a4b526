import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { begin } from "./kit/clients";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

const STORM = 1000;
const CLIENTS = 2000;

interface Outcome {
  readonly refused: Readonly<Record<string, number>>;
  readonly again: number;
  readonly working: number;
}

describe("many clients", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start({ maxClients: CLIENTS });
  });
  after(() => stack.end());

  it(`refuses none of ${STORM} that come at once, of ${CLIENTS} in all, and of those that a lost pod had`, async () => {
    const sessions = begin<Outcome>("storm", [String(STORM), String(CLIENTS)], stack.environment());
    await sessions.line();
    const [lost] = stack.running;
    assert.ok(lost);
    await stack.remove(lost, (pod) => pod.kill("SIGKILL"));
    await delay(1000);
    const { refused, again, working } = await sessions.end();
    assert.deepEqual(refused, {});
    assert.ok(again > CLIENTS / 4, `${again} had been at the lost pod`);
    assert.equal(working, CLIENTS);
  });
});
