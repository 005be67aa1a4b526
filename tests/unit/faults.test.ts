import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { kits } from "../e2e/kit/engines";
import { timelineAfter } from "../e2e/kit/engines/zalando";
import { type Verdict } from "../e2e/kit/oracle";
import { type FaultRun } from "../faults/execute";
import { type Fault } from "../faults/fault";
import { faults, faultsOf, possibleFaults } from "../faults/list";
import { insideOf } from "../faults/processes";
import { allMissed, markdown, missed, missedTogether } from "../faults/report";

/** The judgement of `make faults`; the faults themselves need a cluster. */
const clean: Verdict = {
  acknowledged: 100,
  lost: [],
  duplicated: [],
  neverTried: [],
  unacknowledgedPresent: 1,
};
const planted: Verdict = { ...clean, lost: [1], duplicated: [2], neverTried: [-1] };
const leader = { primary: "main-1", timeline: 1, startedAt: "then" };

const good: FaultRun = {
  fault: "x",
  name: "a fault",
  run: "run_1",
  instances: 3,
  at: "2026-01-01T00:00:00Z",
  before: leader,
  after: { ...leader, primary: "main-2" },
  effect: "main-2",
  effectSeconds: 3,
  wholeSeconds: 20,
  rate: { direct: 45, pooled: 45 },
  gap: { direct: 4, pooled: 4.5 },
  errors: { direct: 2, pooled: 3 },
  lasting: { acknowledged: { direct: 0, pooled: 0 }, resumed: { direct: 2, pooled: 2.5 } },
  lateReadOnlyErrors: 0,
  verdicts: { "main-1": clean, "main-2": clean, "main-3": clean },
  splitBrain: [],
  control: { "main-1": planted, "main-2": planted, "main-3": planted },
  figures: { "nodes ready to pooled write": 7 },
  notes: {},
  runSeconds: 40,
};

const fault = (bounds: Fault["bounds"]): Fault => ({
  id: "x",
  name: "a fault",
  bounds,
  inject: () => Promise.resolve(),
  effect: () => Promise.resolve({ done: "" }),
});

const strict = fault({
  gap: { direct: 10, pooled: 12 },
  pooledLater: { median: 1, max: 2 },
  resumed: 30,
  whole: 60,
  blocks: true,
  noReadOnlyErrors: true,
});

describe("the judgement of a fault", () => {
  it("passes a run within all bounds", () => {
    assert.deepEqual(missed(strict, good), []);
    assert.deepEqual(allMissed([strict], [good, good]), []);
  });

  const cases: [string, Partial<FaultRun>, RegExp][] = [
    [
      "a direct pause over its bound",
      { gap: { direct: 10.1, pooled: 10.2 } },
      /direct client paused 10\.1 s/,
    ],
    ["a pooled pause over its bound", { gap: { direct: 10, pooled: 12.1 } }, /pooled client paused 12\.1 s/],
    [
      "a client that never wrote again",
      { gap: { direct: 4, pooled: Infinity } },
      /pooled client never wrote/,
    ],
    ["a pooler that comes too late", { gap: { direct: 4, pooled: 6.1 } }, /came later by 2\.1 s/],
    ["a late return to health", { wholeSeconds: 61 }, /whole again after 61\.0 s/],
    [
      "acknowledgements that must not be given",
      { lasting: { acknowledged: { direct: 0, pooled: 1 }, resumed: { direct: 1, pooled: 1 } } },
      /1 rows were acknowledged/,
    ],
    [
      "writes that come back late",
      { lasting: { acknowledged: { direct: 0, pooled: 0 }, resumed: { direct: 31, pooled: 1 } } },
      /direct client resumed after 31\.0 s/,
    ],
    ["late read-only errors", { lateReadOnlyErrors: 1 }, /1 read-only errors/],
    ["two primaries", { splitBrain: [["main-1", "main-2"]] }, /main-1 and main-2 acknowledged/],
    [
      "a lost row on one instance alone",
      { verdicts: { ...good.verdicts, "main-3": { ...clean, lost: [7] } } },
      /main-3: 1 acknowledged rows are lost \(7\)/,
    ],
    [
      "a doubled row",
      { verdicts: { ...good.verdicts, "main-3": { ...clean, duplicated: [7] } } },
      /main-3: 1 rows are doubled/,
    ],
    [
      "an invented row",
      { verdicts: { ...good.verdicts, "main-3": { ...clean, neverTried: [7] } } },
      /main-3: 1 rows were never sent/,
    ],
    ["an instance that wasn't read", { verdicts: { "main-1": clean } }, /1 of 3 instances were read/],
    ["a blind oracle", { control: { ...good.control, "main-2": clean } }, /blind on main-2/],
  ];
  for (const [what, change, sentence] of cases) {
    it(`reports ${what}`, () => {
      assert.match(missed(strict, { ...good, ...change }).join("\n"), sentence);
    });
  }

  it("doesn't pass a lasting fault whose end isn't in the logs", () => {
    const run = { ...good };
    delete run.lasting;
    assert.match(missed(strict, run).join(), /don't say when the fault ended/);
  });

  it("judges the paired median over all runs", () => {
    const later = { ...good, gap: { direct: 4, pooled: 5.5 } };
    assert.deepEqual(missedTogether(strict, [good, good, later]), []);
    assert.match(missedTogether(strict, [good, later, later]).join(), /1\.5 s \(median of 3\), at most 1 s/);
  });

  it("reports pauses without judging them where a fault has no bound", () => {
    const slow = { ...good, gap: { direct: 99, pooled: 99 } };
    assert.deepEqual(missed(fault({}), slow), []);
  });

  it("writes a line of the table for each fault that ran", () => {
    const lines = markdown([strict, { ...strict, id: "y" }], [good])
      .trim()
      .split("\n");
    assert.equal(lines.length, 5);
    assert.match(
      lines[2] ?? "",
      /^\| x a fault \| 1 \| 4\.0 \| 4\.0 \| 4\.0 \| 4\.5 .*\| 0 \| 0 \| .* \| yes \|$/,
    );
    assert.match(lines[4] ?? "", /nodes ready to pooled write: median 7\.0 s/);
    const lost = { ...good, verdicts: { ...good.verdicts, "main-3": { ...clean, lost: [7, 8] } } };
    assert.match(markdown([strict], [good, lost]).split("\n")[2] ?? "", /\| 2 \| 0 \| .* \| NO \|$/);
  });
});

describe("the list of faults", () => {
  it("names each once", () => {
    const ids = faults.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
  });

  it("takes back whatever lasts", () => {
    const lasting = faults.filter(({ bounds }) => bounds.blocks === true || bounds.resumed !== undefined);
    assert.ok(lasting.length > 0);
    for (const each of lasting) assert.ok("heal" in each, each.id);
  });

  it("gives the chosen ones in the order they are asked for, and refuses others", () => {
    assert.deepEqual(
      faultsOf(["19", "3"]).map(({ id }) => id),
      ["19", "3"],
    );
    assert.equal(faultsOf([]).length, faults.length);
    assert.throws(() => faultsOf(["99"]), /There is no fault 99; there are 1, 2, /);
  });
});

describe("the faults of an engine", () => {
  const idsOf = (engine: keyof typeof planners) => {
    const { possible, excluded } = possibleFaults(faults, planners[engine], "standard");
    assert.equal(possible.length + excluded.length, faults.length);
    return { possible, excluded: excluded.map(({ fault: { id } }) => id) };
  };

  it("are all of them where it can do everything that they are about", () => {
    const { possible, excluded } = idsOf("cnpg");
    assert.deepEqual(excluded, []);
    assert.deepEqual(possible, [...faults]);
  });

  it("leave out what a standalone server, or one without an operator, can't go through, and say why", () => {
    const { excluded } = possibleFaults(faultsOf(["1", "7", "14"]), planners.standalone, "standard");
    assert.deepEqual(
      excluded.map(({ fault: { id }, because }) => `${id}: ${because}`),
      [
        "7: it is one PostgreSQL server in a StatefulSet, which nothing replicates",
        "14: Kubernetes alone looks after its StatefulSet",
      ],
    );
    for (const id of ["1", "3", "17", "35", "36"]) assert.ok(!idsOf("standalone").excluded.includes(id), id);
  });

  it("have the bounds of the engine and of its failover profile", () => {
    const cutOff = (engine: "cnpg" | "zalando", failover: "fast" | "standard" | "patient") =>
      possibleFaults(faultsOf(["11"]), planners[engine], failover).possible[0]?.bounds.gap?.direct;
    assert.equal(cutOff("zalando", "fast"), 25);
    assert.equal(cutOff("zalando", "patient"), 44);
    assert.equal(cutOff("cnpg", "fast"), 30);
    assert.equal(cutOff("cnpg", "standard"), 45);
    assert.equal(cutOff("cnpg", "patient"), 110);
  });

  it("see on Zalando, by Patroni's history, that a pod was promoted which takes over its own claim", () => {
    assert.equal(timelineAfter(undefined), 1);
    assert.equal(timelineAfter('[[1,10,"no recovery target specified","then","main-1"],[2,20,""]]'), 3);
  });

  it("are bounded by name: no bound stands for a fault that there isn't", () => {
    const ids = faults.map(({ id }) => id);
    for (const kit of Object.values(kits))
      for (const id of Object.keys(kit.bounds?.("standard") ?? {})) assert.ok(ids.includes(id), id);
  });
});

describe("processes of a container", () => {
  it("have the number of the innermost namespace", () => {
    assert.equal(insideOf("Name:\tpostgres\nNSpid:\t4711\t321\t17\nThreads:\t1\n"), 17);
    assert.equal(insideOf("Name:\tkthreadd\n"), undefined);
  });
});
