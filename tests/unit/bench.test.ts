import assert from "node:assert/strict";
import { archivingGoals, archivingTables } from "../bench/archiving";
import { speedGoals, speedTables, type Speeds } from "../bench/backup";
import { exporterGoals, exporterTables, samplesIn, type Cost } from "../bench/exporter";
import { growthTable } from "../bench/growth";
import { failoverGoals, failoverTables, type ArmRun, type Round } from "../bench/failover";
import { interleave, roundName } from "../bench/interleave";
import { longestStep, milestonesOf, milestoneTable, stepsOf, type Evidence } from "../bench/milestones";
import { observationOf } from "../bench/observe";
import { ratioTable } from "../bench/preview";
import { restartGoals, restartTable } from "../bench/restart";
import { page, shown, summaryCells, type Part } from "../bench/results";
import { stallGoals, stallTable, type StallRun, type StallSample } from "../bench/stall";
import { loadTable, parsePgbench, type Load } from "../bench/throughput";

/**
 * The arithmetic of `make bench`: invented samples in, tables and verdicts out. This doesn't prove that the samples of
 * a real run are true.
 */
describe("interleaved rounds", () => {
  it("runs the arms in turn, and keeps the first round apart", async () => {
    const order: string[] = [];
    const arm = (name: string) => (round: number) => {
      order.push(`${name}${round}`);
      return Promise.resolve(round);
    };
    const result = await interleave({ a: arm("a"), b: arm("b") }, 2);
    assert.deepEqual(order, ["a0", "b0", "a1", "b1", "a2", "b2"]);
    assert.deepEqual(result, {
      warmUp: { a: 0, b: 0 },
      counted: [
        { a: 1, b: 1 },
        { a: 2, b: 2 },
      ],
    });
  });

  it("names the rounds as a person counts them", () => {
    assert.deepEqual([roundName(0, 3), roundName(3, 3)], ["warm-up", "3 of 3"]);
  });

  it("ends with the arm that fails", async () => {
    const failing = () => Promise.reject(new Error("no cluster"));
    await assert.rejects(interleave({ a: failing }, 2), /no cluster/);
  });
});

describe("what the watches print", () => {
  it("reads a pod that goes, by its deletion or by its end", () => {
    const gone = { at: 5, kind: "pod", pod: "main-1", gone: true };
    assert.deepEqual(observationOf("pod", "DELETED main-1 ", 5), gone);
    assert.deepEqual(observationOf("pod", "MODIFIED main-1 2026-01-02T03:04:05Z", 5), gone);
    assert.deepEqual(observationOf("pod", "MODIFIED main-1 ", 5), { ...gone, gone: false });
  });

  it("reads the lease's holder and when it took the lease, to the microsecond", () => {
    const seen = observationOf("lease", "main-2 1970-01-01T00:01:40.250000Z", 101);
    assert.deepEqual(seen, { at: 101, kind: "lease", holder: "main-2", acquiredAt: 100.25 });
    assert.deepEqual(observationOf("lease", "main-2 ", 101), { ...seen, acquiredAt: undefined });
  });

  it("reads which instances are ready behind the Service", () => {
    const endpoint = (name: string, ready: boolean) => ({ conditions: { ready }, targetRef: { name } });
    const line = JSON.stringify([endpoint("main-1", false), endpoint("main-2", true)]);
    assert.deepEqual(observationOf("endpoints", line, 1), { at: 1, kind: "endpoints", ready: ["main-2"] });
    for (const empty of ["", "null", "[]"])
      assert.deepEqual(observationOf("endpoints", empty, 1), { at: 1, kind: "endpoints", ready: [] });
  });

  it("takes an empty status for nothing", () => {
    assert.equal(observationOf("cluster", "", 1), undefined);
  });
});

/** A fault at 1000 s wall clock; the clients' clock is 900 s behind. */
const evidence: Evidence = {
  at: 1000,
  oldPrimary: "main-1",
  newPrimary: "main-2",
  observations: [
    { at: 990, kind: "cluster", targetPrimary: "main-1" },
    { at: 995, kind: "lease", holder: "main-1", acquiredAt: 900 },
    { at: 1000.25, kind: "pod", pod: "main-1", gone: true },
    { at: 1000.5, kind: "cluster", targetPrimary: "pending" },
    { at: 1001, kind: "cluster", targetPrimary: "main-2" },
    { at: 1005.5, kind: "lease", holder: "main-2", acquiredAt: 1005 },
    { at: 1006.5, kind: "endpoints", ready: [] },
    { at: 1007, kind: "endpoints", ready: ["main-2"] },
  ],
  samples: [
    {
      pod: "main-1",
      states: [{ at: 99, primary: true, timeline: 1 }],
      tries: [],
      commits: [{ id: 1, at: 99 }],
    },
    {
      pod: "main-2",
      states: [
        { at: 99, primary: false, timeline: 1 },
        { at: 106, primary: true, timeline: 2 },
      ],
      tries: [],
      commits: [{ id: 2, at: 106.5 }],
    },
  ],
  resumed: { direct: 107.5, pooled: 108.5 },
  clockOffset: 900,
};

describe("what a failover's seconds are spent on", () => {
  it("finds each milestone after the fault, on one clock", () => {
    assert.deepEqual(milestonesOf(evidence), {
      deleted: 0.25,
      noticed: 0.5,
      chosen: 1,
      leased: 5,
      promoted: 6,
      commits: 6.5,
      routed: 7,
      direct: 7.5,
      pooled: 8.5,
    });
  });

  it("leaves out what was not seen, and a hand-over where the old primary leads again", () => {
    const restarted = { ...evidence, newPrimary: "main-1", resumed: { direct: 101, pooled: undefined } };
    assert.deepEqual(milestonesOf(restarted), { deleted: 0.25, noticed: 0.5, direct: 1 });
  });

  it("counts nothing that happened before the fault", () => {
    const early = { ...evidence, at: 1006.75 };
    const { deleted, chosen, routed } = milestonesOf(early);
    assert.deepEqual([deleted, chosen, routed], [undefined, undefined, 0.25]);
  });

  it("charges each step with the time since the latest milestone before it", () => {
    const steps = stepsOf({ deleted: 1, chosen: 3, leased: 2, promoted: 4, direct: 6 });
    assert.deepEqual(steps, { deleted: 1, chosen: 2, leased: 0, promoted: 1, direct: 2 });
    assert.deepEqual(longestStep([milestonesOf(evidence)]), { name: "leased", seconds: 4 });
    assert.equal(longestStep([]), undefined);
  });

  it("shows medians of each arm, and a dash for what an arm never had", () => {
    const { head, rows } = milestoneTable({ defaults: [{ direct: 1 }, { direct: 3 }], ours: [{}] });
    assert.deepEqual(head, ["milestone", "defaults: at", "step", "ours: at", "step"]);
    assert.deepEqual(rows.at(-2), ["the direct client writes again", 2, 2, "–", "–"]);
  });
});

const clean = { acknowledged: 100, lost: [], duplicated: [], neverTried: [], unacknowledgedPresent: 0 };
const damaged = { ...clean, lost: [1], duplicated: [2], neverTried: [-1] };

const run = (direct: number, pooled: number, more: Partial<ArmRun> = {}): ArmRun => {
  const leadership = { primary: "a", timeline: 1, startedAt: "" };
  return {
    fault: "",
    name: "",
    run: "",
    instances: 3,
    at: "",
    effect: "",
    effectSeconds: 1,
    wholeSeconds: 20,
    figures: {},
    notes: {},
    runSeconds: 60,
    lateReadOnlyErrors: 0,
    before: leadership,
    after: leadership,
    rate: { direct: 50, pooled: 50 },
    gap: { direct, pooled },
    errors: { direct: 0, pooled: 0 },
    verdicts: { a: clean, b: clean, c: clean },
    splitBrain: [],
    control: { a: damaged, b: damaged, c: damaged },
    milestones: {},
    evidence,
    ...more,
  };
};
const floor = { at: "", gap: 0.2, rate: 50, verdict: clean };
const round = (defaults: Round["defaults"], ours: Round["ours"]): Round => ({ defaults, ours, floor });
const verdictOf = (rounds: Round[], start: string, fault: "delete" | "postmaster" = "delete") =>
  failoverGoals(rounds, fault).find(({ text }) => text.startsWith(start))?.met;

describe("a restart of all nodes", () => {
  const restart = (direct: number, pooled: number, more: Partial<ArmRun> = {}): ArmRun =>
    run(1, 1, {
      figures: {
        "start to nodes ready": 100,
        "nodes ready to direct write": direct,
        "nodes ready to pooled write": pooled,
      },
      ...more,
    });
  const verdict = (runs: Parameters<typeof restartGoals>[0]) => restartGoals(runs).map(({ met }) => met);

  it("is judged by the longest wait from ready nodes to writes, not by how long the nodes take", () => {
    assert.deepEqual(restartTable([restart(10, 20), restart(30, 25)]).rows, [
      ["start to nodes ready", 2, 100, 100, 100],
      ["nodes ready to direct write", 2, 20, 30, 30],
      ["nodes ready to pooled write", 2, 22.5, 25, 25],
    ]);
    assert.deepEqual(verdict([restart(10, 20), restart(60, 61)]), [true, true, true, false]);
  });

  it("misses its goals with a lost row, and with a run that could not be had", () => {
    const losing = { verdicts: { a: { ...clean, lost: [7] }, b: clean, c: clean } };
    assert.deepEqual(verdict([restart(10, 20, losing)]), [true, false, true, true]);
    assert.deepEqual(verdict([restart(10, 20), { failed: "x" }]), [false, true, true, true]);
  });
});

describe("the failover's verdict", () => {
  const good = [round(run(9, 15), run(4, 4.5)), round(run(11, 15), run(4, 4.25))];

  it("is met when everything is", () => {
    assert.deepEqual(
      failoverGoals(good, "delete").filter(({ met }) => !met),
      [],
    );
  });

  it("shows ratios of the same round, not of the medians", () => {
    const [gaps, ratios] = failoverTables([round(run(10, 20), run(5, 5)), round(run(10, 10), run(5, 5))]);
    assert.deepEqual(gaps?.rows[0], ["operator's defaults, pooled", 2, 15, 20, 20]);
    assert.deepEqual(ratios?.rows[0], ["pooled", 2, 0.375, 0.5, 0.5]);
  });

  it("misses the share, the seconds, and each alone", () => {
    const slow = [round(run(9, 15), run(7, 7.6))];
    assert.equal(verdictOf(slow, "median pause, pooled: at most 0.5 of"), false);
    assert.equal(verdictOf(slow, "median pause, pooled: at most 8 s"), true);
    assert.equal(verdictOf(slow, "median pause, pooled: at most 5 s"), false);
  });

  it("holds a killed postmaster to no share of the defaults", () => {
    assert.equal(verdictOf(good, "median pause, pooled", "postmaster"), undefined);
  });

  it("misses with a lost row on one instance, and with a blind oracle", () => {
    const lost = run(4, 4, { verdicts: { a: clean, b: { ...clean, lost: [7] }, c: clean } });
    assert.equal(verdictOf([round(run(9, 15), lost)], "ours: nothing"), false);
    const blind = run(4, 4, { control: { a: damaged, b: clean, c: damaged } });
    assert.equal(verdictOf([round(run(9, 15), blind)], "ours: nothing"), false);
  });

  it("misses with two primaries, a pause of the direct client that is too long, and a late pooler", () => {
    const bad = [round(run(9, 15), run(10.5, 13, { splitBrain: [["a", "b"]] }))];
    assert.equal(verdictOf(bad, "ours: nothing"), false);
    assert.equal(verdictOf(bad, "the direct client"), false);
    assert.equal(verdictOf(bad, "through the pooler at most"), false);
    assert.equal(verdictOf(bad, "through the pooler never"), false);
  });

  it("names runs that failed, and doesn't take them for fast ones", () => {
    const rounds = [...good, round({ failed: "no run counts" }, run(4, 4))];
    assert.equal(verdictOf(rounds, "every run counts"), false);
    assert.equal(failoverTables(rounds)[0]?.rows[0]?.[1], 2);
    assert.equal(verdictOf([round(run(1, 1), { failed: "x" })], "every run counts"), false);
  });

  it("misses when a client never wrote again", () => {
    const never = [round(run(9, 15), run(4, Infinity))];
    assert.equal(verdictOf(never, "median pause, pooled: at most 8 s"), false);
  });
});

describe("pgbench's reports", () => {
  const report = `transaction type: <builtin: select only>
number of clients: 10
number of failed transactions: 0 (0.000%)
latency average = 1.234 ms
initial connection time = 85.001 ms
tps = 8103.727273 (without initial connection time)
`;

  it("gives rate and latency", () => {
    assert.deepEqual(parsePgbench(report, 0), { tps: 8103.727273, latencyMs: 1.234, failedTransactions: 0 });
  });

  it("takes a run that was refused for no run, whatever it counted before", () => {
    const text = `${report}pgbench: error: connection to server failed: FATAL:  sorry, too many clients already`;
    const { tps, refused } = parsePgbench(text, 2);
    assert.equal(tps, 0);
    assert.match(refused ?? "", /too many clients/);
  });

  it("takes a run without a transaction for no run: it has no rate", () => {
    const none = "number of transactions actually processed: 0\nnumber of failed transactions: 0 (NaN%)\n";
    assert.match(parsePgbench(none, 0).refused ?? "", /no transaction/);
  });

  it("refuses a report without a rate", () => {
    assert.throws(() => parsePgbench("", 0), /no rate/);
  });

  it("becomes a line for each load; refused rounds count nowhere", () => {
    const load = (tps: number): Load => ({ tps, latencyMs: 1, failedTransactions: 0 });
    const refused: Load = { ...load(0), refused: "too many clients" };
    const warmUp = { direct: load(1), pooled: load(1) };
    const { rows } = loadTable({
      even: { warmUp, counted: [{ direct: load(100), pooled: load(50) }] },
      half: {
        warmUp,
        counted: [
          { direct: load(100), pooled: load(300) },
          { direct: refused, pooled: load(300) },
        ],
      },
      none: { warmUp, counted: [{ direct: refused, pooled: load(300) }] },
    });
    assert.deepEqual(rows, [
      ["even", 1, 100, 50, 0.5],
      ["half", 1, 100, 300, 3],
      ["none", 0, "refused", "too many clients", "–"],
    ]);
  });
});

describe("a silent API server", () => {
  const leadership = { primary: "a", timeline: 1, startedAt: "" };
  const sample = (gap: number, more: Partial<StallSample> = {}): StallSample => ({
    gap,
    rate: 50,
    before: leadership,
    after: leadership,
    failedOver: false,
    restarted: false,
    lost: 0,
    ...more,
  });
  const runs: StallRun[] = [
    { seconds: 2, arms: { "ours, fast": sample(0.1), "operator's defaults": sample(0.1, { lost: 3 }) } },
    { seconds: 10, arms: { "ours, fast": sample(12, { failedOver: true, restarted: true }) } },
    { seconds: 10, arms: { "ours, fast": sample(8, { restarted: true }) } },
  ];

  it("is told by length and arm, failovers apart from restarts in place", () => {
    const { rows } = stallTable(runs.filter(({ seconds }) => seconds === 10));
    assert.deepEqual(rows, [["ours, fast", 10, 2, 10, 12, 1, 1, 0]]);
  });

  it("must not cost us a row; what the defaults lose isn't our goal", () => {
    assert.deepEqual(
      stallGoals(runs).map(({ met }) => met),
      [true],
    );
    const losing = [{ seconds: 2, arms: { "ours, fast": sample(1, { lost: 1 }) } }];
    assert.equal(stallGoals(losing)[0]?.met, false);
  });
});

describe("previews", () => {
  it("gives the median of the rounds' ratios, the warm-up left out", () => {
    const samples = {
      warmUp: { a: 100, b: 1 },
      counted: [
        { a: 2, b: 1 },
        { a: 9, b: 3 },
        { a: 4, b: 4 },
      ],
    };
    const { ratio, table } = ratioTable(samples, { a: "A", b: "B" }, ["a", "b"]);
    assert.equal(ratio, 2);
    assert.deepEqual(table.rows, [
      ["A", 3, 4, 9, 9],
      ["B", 3, 3, 4, 4],
      ["ratio", 3, 2, 3, 3],
    ]);
  });
});

describe("previews of several platforms", () => {
  const of = (one: number, five: number, twenty: number) => ({
    warmUp: { 1: 9, 5: 9, 20: 9 },
    counted: [{ 1: one, 5: five, 20: twenty }],
  });

  it("grow along a line: what one more adds, and whether it adds more when there are many", () => {
    const { table: result, goal } = growthTable(of(6, 8, 15.5));
    assert.deepEqual(
      result.rows.map(([name, n, middle]) => [name, n, middle]),
      [
        ["1", 1, 6],
        ["5", 1, 8],
        ["20", 1, 15.5],
        ["each from 1 to 5", 1, 0.5],
        ["each from 5 to 20", 1, 0.5],
      ],
    );
    assert.equal(goal.met, true);
    assert.match(goal.text, /1\.00$/);
  });

  it("miss the goal when they grow faster", () => assert.equal(growthTable(of(6, 8, 19.5)).goal.met, false));
});

describe("the page of results", () => {
  const part: Part = {
    name: "preview",
    title: "Preview",
    command: "make bench",
    at: "2026-01-02T03:04:05.000Z",
    machine: {
      cpus: 2,
      model: "Some processor",
      memoryGiB: 15.6,
      system: "Linux 6",
      load: 0.25,
      versions: { PostgreSQL: "17.6" },
    },
    notes: ["a note"],
    tables: [{ caption: "Seconds", head: ["arm", "n"], rows: [["a | b", 1.234]] }],
    goals: [
      { met: true, text: "fast" },
      { met: false, text: "small" },
    ],
    samples: {},
  };

  it("says machine, versions, figures, and which goals are missed", () => {
    const text = page([part]);
    for (const line of [
      "1 of 2 goals met.",
      "## Preview",
      "- `make bench`, 2026-01-02 03:04 UTC",
      "- 2 × Some processor, 16 GiB, Linux 6; load when it began: 0.3",
      "- PostgreSQL 17.6",
      "- a note",
      "| arm | n |\n| --- | ---: |\n| a \\| b | 1.23 |",
      "- met: fast",
      "- MISSED: small",
    ])
      assert.ok(text.includes(line), `${line}\nis missing in\n${text}`);
  });

  it("shows whole numbers whole, large ones without decimals, and never a number that isn't one", () => {
    assert.deepEqual([3, 0.456, 1234.5, Infinity, NaN, undefined, "–"].map(shown), [
      "3",
      "0.46",
      "1235",
      "never",
      "–",
      "–",
      "–",
    ]);
    assert.deepEqual(summaryCells([]), [0, "–", "–", "–"]);
  });
});

describe("the verdict on backups' speed", () => {
  /** 100 MiB: copied up in 2 s and down in 1 s. */
  const speeds = (backup: number, restore: number): Speeds => {
    const round = { backup, up: 2, restore, down: 1 };
    return {
      bytes: 100 * 2 ** 20,
      rounds: { warmUp: { ...round, backup: 1000, restore: 1000 }, counted: [round, round, round] },
    };
  };

  it("is the share of the plain copy's speed, without the round that warms up", () => {
    const [rates, shares] = speedTables(speeds(5, 2));
    assert.deepEqual(rates?.rows[0], ["base backup", 3, 20, 20, 20]);
    assert.deepEqual(shares?.rows, [
      ["base backup", 3, 0.4, 0.4, 0.4],
      ["restore of the base backup", 3, 0.5, 0.5, 0.5],
    ]);
  });

  it("misses each goal alone", () => {
    const met = (backup: number, restore: number) =>
      speedGoals(speeds(backup, restore)).map((goal) => goal.met);
    assert.deepEqual(met(6, 3), [true, true]);
    assert.deepEqual(met(7, 3), [false, true]);
    assert.deepEqual(met(6, 4), [true, false]);
  });
});

describe("the verdict on archiving's share in a pause", () => {
  it("compares the runs of one round, and counts those that failed", () => {
    const rounds = [
      { on: run(2, 3), off: run(2, 2) },
      { on: run(4, 4), off: { failed: "no cluster" } },
    ];
    const [, ratios] = archivingTables(rounds);
    assert.deepEqual(ratios?.rows, [
      ["pooled", 1, 1.5, 1.5, 1.5],
      ["direct", 1, 1, 1, 1],
    ]);
    assert.deepEqual(
      archivingGoals(rounds).map(({ met }) => met),
      [false, true, false, true],
    );
  });

  it("is met by pauses that are hardly longer, and missed by a lost row", () => {
    const met = (on: ArmRun) => archivingGoals([{ on, off: run(2, 2) }]).map((goal) => goal.met);
    assert.deepEqual(met(run(2.6, 2.5)), [true, true, true, true]);
    const lost = { verdicts: { a: damaged, b: clean, c: clean } };
    assert.deepEqual(met(run(2, 2, lost)), [true, false, true, true]);
  });
});

describe("what reading metrics costs", () => {
  const arm = (tps: number, scrapes = 0) => ({ tps, scrapes, latencyMs: 1, failedTransactions: 0 });
  const cost = (read: number, more: Partial<Cost> = {}): Cost => ({
    rounds: {
      warmUp: { scraped: arm(1), silent: arm(1000) },
      counted: [1, 2, 3].map(() => ({ scraped: arm(read, 2), silent: arm(1000) })),
    },
    scrapes: [0.1, 0.2, 0.5].map((seconds) => ({ seconds, series: 3000, statements: 20 })),
    largest: [["io", 66]],
    top: 20,
    ...more,
  });
  const met = (one: Cost) => exporterGoals(one).map((goal) => goal.met);

  it("is judged by the limits, at their edges", () => {
    assert.deepEqual(met(cost(980)), [true, true, true, true]);
    assert.deepEqual(met(cost(979)), [false, true, true, true]);
    assert.deepEqual(met(cost(980, { scrapes: [{ seconds: 0.51, series: 3001, statements: 21 }] })), [
      true,
      false,
      false,
      false,
    ]);
  });

  it("isn't met by an exporter that says nothing, nor by runs that were refused", () => {
    assert.deepEqual(met(cost(980, { scrapes: [{ seconds: 0.1, series: 0, statements: 0 }] })), [
      true,
      true,
      false,
      false,
    ]);
    const refused = { ...arm(0), refused: "too many clients" };
    const rounds = {
      warmUp: { scraped: refused, silent: refused },
      counted: [{ scraped: refused, silent: arm(9) }],
    };
    assert.equal(met(cost(1, { rounds }))[0], false);
    assert.deepEqual(exporterTables(cost(1, { rounds }))[0]?.rows[0]?.slice(1), [
      0,
      "refused",
      "refused",
      "–",
    ]);
  });

  it("counts what a Prometheus keeps, by the names of both exporters", () => {
    const text = `# HELP pgplatform_a A\n# TYPE pgplatform_a gauge\npgplatform_a{x="1"} 1\ncnpg_pgplatform_b 2\ngo_threads 3\ncnpg_collector_up 1\n`;
    assert.deepEqual(samplesIn(text), ["pgplatform_a", "pgplatform_b"]);
  });
});
