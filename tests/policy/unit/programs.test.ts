import assert from "node:assert/strict";
import { invariants } from "../../../policy/invariants";
import { programs } from "../foreign/others";
import { judgedStack } from "./kit";

/** Through the policies' functions; tests/policy runs them through Pulumi's engine. */
describe("small programs by others' habits", () => {
  it("are ten", () => assert.equal(Object.keys(programs).length, 10));
  for (const [name, objects] of Object.entries(programs))
    it(`are refused by nothing mandatory: ${name}`, () => {
      const said = invariants
        .filter(({ mandatory }) => mandatory !== "nowhere")
        .flatMap((invariant) => judgedStack(invariant.name, Object.values(objects)).said);
      assert.deepEqual(said, []);
    });
});
