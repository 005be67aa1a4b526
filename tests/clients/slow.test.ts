import assert from "node:assert/strict";
import { client } from "./kit/clients";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

const SECONDS = 20;

describe("clients and servers that pause", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
    stack = await Stack.start();
    stack.servers.primary.psql(
      `CREATE TABLE slow (id int, text text); ALTER TABLE slow OWNER TO app;
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(${SECONDS}); RETURN new; END';
CREATE TRIGGER pause BEFORE INSERT ON slow FOR EACH ROW WHEN (new.id = 10) EXECUTE FUNCTION pause()`,
      { database: "app" },
    );
  });
  after(() => stack.end());

  for (const [what, sense] of [
    ["reader", "a client that reads nothing in the middle of its rows"],
    ["copy", "a COPY whose server takes nothing in the middle of its rows"],
    ["pipeline", "a pipeline whose server waits for a lock"],
  ] as const)
    it(`${SECONDS} s: ${sense}`, async () => {
      const { expected, got } = await client<{ expected: number; got: number }>(
        "slow",
        [what, String(SECONDS)],
        stack.environment(),
      );
      assert.equal(got, expected);
    });
});
