import assert from "node:assert/strict";
import { lostOf, pauseOf, seenIn } from "../../operations/drill/judge";
import { type Drill, drillLines, markdown, page } from "../../operations/drill/page";
import { chosenFaults } from "../../operations/drill/run";

/** That faults are caused and clients write meanwhile is shown by tests/e2e/pgp.test.ts. */
describe("the drill's judge", () => {
  const lines = [
    "pooled ack 1 100.100",
    "direct ack 1 100.200",
    "pooled ack 2 100.600",
    "direct error 2 105.000 psql: error: connection refused",
    "pooled ack 3 104.100",
    "direct ack 3 108.200",
  ];
  const [pooled, direct] = seenIn(lines);

  it("reads what each client wrote, and no line that it doesn't know", () => {
    assert.deepEqual(pooled, {
      way: "pooled",
      acks: [
        { row: 1, at: 100.1 },
        { row: 2, at: 100.6 },
        { row: 3, at: 104.1 },
      ],
      errors: [],
    });
    assert.deepEqual(direct?.errors, [{ at: 105, why: "psql: error: connection refused" }]);
    assert.throws(() => seenIn(["bash: psql: not found"]), /the writer printed "bash: psql: not found"/);
  });

  it("counts the longest pause, up to the end of the writing", () => {
    assert.ok(pooled && direct);
    assert.equal(pauseOf(pooled, 105).seconds, 3.5);
    assert.equal(pauseOf(direct, 109).seconds, 8);
    // Nothing was acknowledged any more.
    assert.equal(pauseOf(pooled, 120).seconds, 120 - 104.1);
  });

  it("finds what was acknowledged and isn't there", () => {
    assert.ok(pooled && direct);
    const kept = new Set(["d pooled 1", "d pooled 3", "d direct 1", "d direct 3", "other pooled 2"]);
    assert.deepEqual([lostOf(pooled, "d", kept), lostOf(direct, "d", kept)], [[2], []]);
  });

  it("takes the faults that there are", () => {
    assert.deepEqual(
      chosenFaults(["pooler", "pod"]).map(({ name }) => name),
      ["pod", "pooler"],
    );
    assert.throws(
      () => chosenFaults(["flood"]),
      /--faults: "flood" is not allowed\. Allowed: pod, postmaster, switchover, standby, pooler\./,
    );
  });
});

describe("the drill's evidence", () => {
  const drill: Drill = {
    at: "2026-11-30T12:00:00.000Z",
    namespace: "shop",
    cluster: "orders",
    engine: "cnpg",
    context: "shop",
    boundSeconds: 30,
    facts: [{ what: "PostgreSQL", value: "17.11" }],
    drills: [
      {
        fault: "pod",
        does: "delete the primary's pod by force",
        result: "failed",
        says: "2 acknowledged rows of the pooled client are lost",
        ways: [
          {
            way: "pooled",
            pauseSeconds: 4.25,
            acknowledged: 90,
            errors: 3,
            firstError: "<refused> | no",
            lost: 2,
            perSecond: [5, 0, 3],
          },
        ],
      },
      {
        fault: "standby",
        does: "delete a standby's pod by force",
        result: "skipped",
        says: "no standby",
        ways: [],
      },
    ],
    notTried: ["a lost node"],
    failed: 1,
  };

  it("has each client's figures, as lines, as a table and as a page with plots", () => {
    assert.deepEqual(drillLines(drill), [
      "failed  pod         pooled   pause   4.3 s, 2 lost, 3 of 93 failed",
      "skipped standby     no standby",
    ]);
    assert.match(
      markdown(drill),
      /^\| pod \| failed \| pooled \| 4\.3 s \| 2 \| 3 of 93 \| <refused> \\\| no \|$/m,
    );
    assert.match(markdown(drill), /^- a lost node$/m);
    const text = page(drill);
    assert.match(text, /&lt;refused&gt; \| no/);
    assert.equal(text.match(/<rect /g)?.length, 3);
    assert.match(text, /<h2>Not tried<\/h2><ul><li>a lost node<\/li><\/ul>/);
  });
});
