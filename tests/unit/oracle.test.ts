import assert from "node:assert/strict";
import fc from "fast-check";
import {
  acksAfterMark,
  acksDuringFault,
  judge,
  lateReadOnlyErrors,
  longestGap,
  longestPause,
  overlappingPrimaries,
  latestRate,
  parseSamplerLog,
  parseWriterLog,
  rateBeforeMark,
  resumedAfter,
  rowsOf,
} from "../e2e/kit/oracle";
import { median, summarise, table } from "../e2e/kit/statistics";

/**
 * The judge of the end-to-end tests, judged: it must see every kind of damage that is planted here.
 * This doesn't prove that the writer's log is true; the control with a real loss in tests/e2e does.
 */
const log = (...lines: string[]) => parseWriterLog(lines.join("\n") + "\n");

const quiet = log(
  "connected - 9.900000 198.18.0.4 recovery=False",
  "try 1 10.000000",
  "ack 1 10.010000",
  "try 2 10.020000",
  "ack 2 10.030000",
  "mark - 10.035000",
  "try 3 10.040000",
  "unknown 3 11.500000 OperationalError: server closed the connection unexpectedly",
  "failed - 11.600000 OperationalError: connection refused",
  "try 4 13.000000",
  "ack 4 13.030000",
  "try 5 13.040000",
  "ack 5 13.050000",
  "end - 13.100000",
);

/** A fault that lasts from 10 to 20. */
const lasting = log(
  "connected - 9.500000 198.18.0.4 recovery=False via=198.18.3.9",
  "try 1 9.900000",
  "ack 1 9.990000",
  "mark - 10.000000",
  "try 2 10.010000",
  "ack 2 12.500000",
  "try 3 12.600000",
  "unknown 3 15.600000 ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction",
  "heal - 20.000000",
  "try 4 20.500000",
  "ack 4 21.250000",
  "failed - 26.500000 OperationalError: session is read-only",
  "end - 27.000000",
);

describe("the oracle on a fault that lasts", () => {
  it("counts what was acknowledged meanwhile, the first seconds left out", () => {
    assert.equal(acksDuringFault(lasting, 3), 0);
    assert.equal(acksDuringFault(lasting, 2), 1);
  });

  it("doesn't count what came after the fault", () => {
    const late = log("mark - 1.000000", "try 1 1.100000", "heal - 9.000000", "ack 1 9.100000");
    assert.equal(acksDuringFault(late, 3), 0);
  });

  it("measures from the end of the fault to the next acknowledgement", () => {
    assert.equal(resumedAfter(lasting), 1.25);
    assert.equal(resumedAfter(log("mark - 1.000000", "heal - 2.000000")), Infinity);
    assert.throws(() => resumedAfter(quiet), /doesn't say when the fault ended/);
  });

  it("counts read-only sessions only when they come too late", () => {
    assert.equal(lateReadOnlyErrors(lasting, 21.25, 5), 1);
    assert.equal(lateReadOnlyErrors(lasting, 10, 5), 2);
    assert.equal(lateReadOnlyErrors(lasting, 22, 5), 0);
  });

  it("knows by which pooler a session came", () => {
    assert.deepEqual(lasting.sessions, [{ at: 9.5, server: "198.18.0.4", via: "198.18.3.9" }]);
    assert.equal(lasting.healedAt, 20);
  });
});

describe("the oracle", () => {
  it("finds nothing wrong when every acknowledged row is there", () => {
    assert.deepEqual(judge([quiet], [1, 2, 4, 5]), {
      acknowledged: 4,
      lost: [],
      duplicated: [],
      neverTried: [],
      unacknowledgedPresent: 0,
    });
  });

  it("allows a row that was kept without being acknowledged", () => {
    const verdict = judge([quiet], [1, 2, 3, 4, 5]);
    assert.equal(verdict.unacknowledgedPresent, 1);
    assert.deepEqual([verdict.lost, verdict.neverTried], [[], []]);
  });

  it("control: reports a lost row, a duplicate and a row that no client sent", () => {
    const verdict = judge([quiet], [1, 4, 5, 5, 77]);
    assert.deepEqual([verdict.lost, verdict.duplicated, verdict.neverTried], [[2], [5], [77]]);
  });

  it("control: reports exactly the rows that were removed or added, whatever they are", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1 });
    fc.assert(
      fc.property(ids, fc.infiniteStream(fc.boolean()), (tried, keep) => {
        const lines = tried.flatMap((id, at) => [`try ${id} ${at}.0`, `ack ${id} ${at}.5`]);
        const kept = tried.filter(() => keep.next().value);
        const verdict = judge([log(...lines)], [...kept, 20_000]);
        assert.deepEqual(new Set(verdict.lost), new Set(tried.filter((id) => !kept.includes(id))));
        assert.deepEqual(verdict.neverTried, [20_000]);
      }),
    );
  });

  it("keeps the rows of several writers apart from rows that no client sent", () => {
    const other = log("try 1000 1.0", "ack 1000 1.1", "end - 1.2");
    assert.deepEqual(judge([quiet, other], [1, 2, 4, 5, 1000]).neverTried, []);
    assert.deepEqual(judge([quiet], [1, 2, 4, 5, 1000]).neverTried, [1000]);
  });

  it("measures the longest pause that ends after the mark", () => {
    assert.equal(longestGap(quiet).toFixed(3), "3.000");
    assert.deepEqual(longestPause(quiet), { from: 10.03, to: 13.03 });
    const slowBefore = log(
      "try 1 1.0",
      "ack 1 1.0",
      "try 2 9.0",
      "ack 2 9.0",
      "mark - 9.1",
      "try 3 9.5",
      "ack 3 9.5",
    );
    assert.equal(longestGap(slowBefore), 0.5);
  });

  it("calls a writer that never wrote again an endless pause", () => {
    assert.equal(longestGap(log("try 1 1.0", "ack 1 1.1", "mark - 1.2", "end - 60.0")), Infinity);
    assert.equal(acksAfterMark(log("try 1 1.0", "ack 1 1.1", "mark - 1.2", "end - 60.0")), 0);
    assert.equal(acksAfterMark(quiet), 2);
  });

  it("refuses to measure without a mark", () => {
    const unmarked = log("try 1 1.0", "ack 1 1.1");
    assert.throws(() => longestGap(unmarked), /has no mark/);
    assert.throws(() => rateBeforeMark(unmarked), /has no mark/);
  });

  it("counts the rate in the window before the mark only", () => {
    assert.equal(rateBeforeMark(quiet, 1), 2);
    assert.equal(rateBeforeMark(quiet, 0.01), 100);
  });

  it("counts the latest rate in the window that ends with the last acknowledgement, mark or not", () => {
    const slower = log(
      "try 1 1.0",
      "ack 1 1.1",
      "try 2 4.0",
      "ack 2 4.1",
      "try 3 4.2",
      "ack 3 4.5",
      "try 4 9.0",
    );
    assert.equal(latestRate(slower), 1);
    assert.equal(latestRate(slower, 0.1), 10);
    assert.equal(latestRate(log("try 1 1.0")), 0);
  });

  it("refuses a log that it can't read, that uses an id twice or acknowledges what was never tried", () => {
    assert.throws(() => log("try 1 1.0", "ac"), /can't be read: "ac"/);
    assert.throws(() => log("try 1 1.0", "try 1 1.1"), /id 1 twice/);
    assert.throws(() => log("ack 1 1.0"), /id 1 without trying/);
  });

  it("says whether the log is complete", () => {
    assert.equal(quiet.ended, true);
    assert.equal(log("try 1 1.0").ended, false);
  });
});

describe("the split-brain judge", () => {
  const handOver = [
    "state a 1.0 primary 1",
    "try a 1.0 1",
    "commit a 1.1 1",
    "try a 1.2 2",
    "state b 2.0 primary 2",
    "try b 2.0 11",
    "commit b 2.1 11",
  ];
  const judged = (lines: readonly string[]) => overlappingPrimaries(parseSamplerLog(lines.join("\n")));

  it("accepts one primary after the other", () => {
    assert.deepEqual(judged(handOver), []);
  });

  it("accepts a commit from before that a frozen server tells of when it resumes", () => {
    assert.deepEqual(judged([...handOver, "commit a 2.2 2", "end - 3.0"]), []);
  });

  it("control: reports two instances that take and acknowledge commits in the same stretch of time", () => {
    assert.deepEqual(judged([...handOver, "try a 2.05 3", "commit a 2.2 3", "end - 3.0"]), [["a", "b"]]);
  });

  it("control: what an instance acknowledged and isn't there is lost, the frozen server's too", () => {
    const samples = parseSamplerLog([...handOver, "commit a 2.2 2"].join("\n"));
    const { lost, neverTried } = judge(samples.map(rowsOf), [1, 11]);
    assert.deepEqual([lost, neverTried], [[2], []]);
  });

  it("refuses a log that it can't read", () => {
    assert.throws(() => parseSamplerLog("state a"), /can't be read/);
  });
});

describe("statistics", () => {
  it("gives the median, the nearest rank for p95, and the maximum", () => {
    assert.deepEqual(summarise([3, 1, 2]), { n: 3, median: 2, p95: 3, max: 3 });
    assert.equal(median([4, 1, 2, 3]), 2.5);
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    assert.deepEqual(summarise(hundred), { n: 100, median: 50.5, p95: 95, max: 100 });
  });

  it("refuses an empty set", () => {
    assert.throws(() => summarise([]), /no values/);
  });

  it("aligns a table", () => {
    assert.equal(
      table(
        ["what", "s"],
        [
          ["a", 1.234],
          ["long", 10],
        ],
      ),
      "what     s\na     1.23\nlong    10",
    );
  });
});
