import assert from "node:assert/strict";
import { texts } from "../support/texts";
import { hasPsql, type Pair, pairOf } from "./servers";

/** Whether PostgreSQL starts with the texts that checks take, and doesn't with those that they refuse: asked of real servers. */
const majors = [15, 16, 17, 18];
const since: Readonly<Record<string, number>> = {
  createrole_self_grant: 16,
  restrict_nonsystem_relation_kind: 17,
};

for (const major of majors)
  describe(`parameters that are texts, on PostgreSQL ${major}`, function () {
    this.timeout(120_000);
    let pair: Pair;
    before(function () {
      if (!hasPsql) this.skip();
      pair = pairOf(major);
    });
    after(() => pair?.end());

    for (const [name, { taken, refused }] of Object.entries(texts)) {
      if (major < (since[name] ?? 15)) continue;
      it(`${name}`, () => {
        for (const value of taken) assert.equal(pair.primary.refusalOf(name, value), undefined, value);
        for (const value of refused)
          assert.match(
            pair.primary.refusalOf(name, value) ?? "it starts",
            /invalid value for parameter/,
            value,
          );
      });
    }
  });
