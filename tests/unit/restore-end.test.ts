import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { planner as zalando } from "../../plan/engines/zalando/planner";
import { liveReaderOf } from "../../plan/engines/select";
import { begunSince, missedBy, missedSentence, whileJudgingEnd } from "../../operations/restoreEnd";
import type { Subject } from "../../operations/health";
import { changed, checked, smallest } from "../support/settings";

const time = "2026-01-31T23:59:00Z";
const failover = "1\t0/3000000\tno recovery target specified\n";
const history = (...reasons: string[]) =>
  reasons.map((reason, index) => `${index + 1}\t0/${index + 3}000000\t${reason}\n\n`).join("");
const none = "no recovery target specified";

describe("where a restore ended, by the newest timeline's history", () => {
  const cases: [title: string, history: string, to: object, missed: string | undefined][] = [
    ["at the first commit after the moment", history("before 2026-01-31 23:59:00.5+00"), { time }, undefined],
    ["at that very moment", history("before 2026-01-31 23:59:00+00"), { time }, undefined],
    [
      "in another time zone of the server",
      history("before 2026-02-01 05:29:01.123456+05:30"),
      { time },
      undefined,
    ],
    [
      "and there were failovers before and after it",
      history(none, "before 2026-02-01 01:00:01+00", none, none),
      { time },
      undefined,
    ],
    ["at the end of the WAL", history(none), { time }, none],
    ["at the end of the WAL, after failovers", history(none, none, none), { time }, none],
    [
      "at the end of the WAL, where what was restored had been restored to an earlier moment itself",
      history("before 2026-01-15 00:00:00+00", none),
      { time },
      none,
    ],
    ["at another kind of place", history("reached consistency"), { time }, "reached consistency"],
    ["at a transaction", history("before transaction 2026"), { time }, "before transaction 2026"],
    ["at an LSN", history("after LSN 0/3000148"), { lsn: "0/3000148" }, undefined],
    ["at the next record's", history("after LSN 1/3000200"), { lsn: "0/3000148" }, undefined],
    ["at an LSN before it", history("after LSN 0/30000F8"), { lsn: "0/3000148" }, "after LSN 0/30000F8"],
    ["short of an LSN", history(none), { lsn: "0/3000148" }, none],
    ["at a named point", history('at restore point "fair"'), { name: "fair" }, undefined],
    ["at another one", history('at restore point "fairy"'), { name: "fair" }, 'at restore point "fairy"'],
    ["on the first timeline, as after pg_upgrade", "", { time }, undefined],
  ];
  for (const [title, text, to, missed] of cases)
    it(`${missed === undefined ? "good" : "missed"}: ${title}`, () =>
      assert.equal(missedBy(text, to), missed));

  it("isn't judged by data that was begun after the cluster was made, as pg_upgrade's is", () => {
    const begun = (moment: string) => `${Date.parse(moment) / 1000}\n${history(none)}`;
    const made = "2026-02-01T10:00:00Z";
    assert.equal(begunSince(begun("2026-03-01T00:00:00Z"), made), true);
    assert.equal(begunSince(begun("2025-03-01T00:00:00Z"), made), false);
    assert.equal(begunSince(begun("2026-03-01T00:00:00Z"), undefined), false);
    assert.equal(begunSince(history(none), made), false);
  });

  it("is told in a sentence that names setting, value and what to do", () =>
    assert.equal(
      missedSentence({ target: "near", archiveId: "0123456789", to: { time }, stage: "all" }, none),
      'pgplatform:restore.to.time: "2026-01-31T23:59:00Z" was not reached: PostgreSQL ended recovery elsewhere ("no recovery target specified"), so rows from before ' +
        "it may be missing, and rows from after it there. Allowed: a restore that ends where it was told to. Fix: run `make destroy`, and restore again when target near has the " +
        "WAL up to there without a gap and answers; or keep what came back, and remove restore.",
    ));
});

describe("an update that restores", () => {
  /** The primary answers these, one after the other, and the last one again and again; `undefined`: not at all. */
  async function updated(
    answers: (string | undefined)[],
    to: object = { time },
    worksMs = 500,
    made?: string,
  ) {
    const settings = checked({
      ...changed(smallest(), "cluster.engine", "zalando"),
      backup: { targets: [{ name: "near", kind: "local" }] },
      restore: { target: "near", archiveId: "0123456789", to },
    });
    let looks = 0;
    const kubectl = {
      list: () => Promise.resolve([{ metadata: { name: "main-0" } }]),
      run: (args: string[]) => {
        if (args.includes("get"))
          return Promise.resolve({
            exitCode: 0,
            stdout: made === undefined ? "" : JSON.stringify({ metadata: { creationTimestamp: made } }),
          });
        const answer = answers[Math.min(looks++, answers.length - 1)];
        return Promise.resolve({ exitCode: answer === undefined ? 1 : 0, stdout: answer ?? "", stderr: "" });
      },
    };
    const said: string[] = [];
    let began = false;
    let aborted = false;
    const ended = await whileJudgingEnd(
      {
        kubectl,
        settings,
        engine: zalando,
        live: liveReaderOf(settings),
        plan: zalando.plan(settings),
      } as unknown as Subject,
      { say: (text: string) => said.push(text), detail: () => undefined },
      new AbortController().signal,
      async (signal) => {
        began = true;
        await delay(worksMs, undefined, { signal }).catch(() => (aborted = true));
        signal.throwIfAborted();
      },
      { everyMs: 5 },
    ).then(
      () => "well",
      (error: Error) => error.message,
    );
    return { ended, looks, said, began, aborted };
  }

  it("is ended as soon as the primary says that it ended elsewhere", async () => {
    const { ended, began, aborted } = await updated(
      [undefined, "recovering\n", undefined, "recovering\n", failover],
      { time },
      60_000,
    );
    assert.deepEqual([began, aborted], [true, true]);
    assert.match(ended, /^pgplatform:restore\.to\.time: "2026-01-31T23:59:00Z" was not reached: /);
  });

  it("doesn't begin again where that is known", async () => {
    const { ended, began } = await updated([failover]);
    assert.equal(began, false);
    assert.match(ended, /was not reached/);
  });

  it("continues where a later pg_upgrade and failover left another history", async () => {
    const begun = `${Date.parse("2026-02-02T00:00:00Z") / 1000}\n${failover}`;
    assert.equal((await updated([begun], { time }, 1, "2026-02-01T00:00:00Z")).ended, "well");
    assert.match((await updated([begun], { time }, 1, "2026-02-03T00:00:00Z")).ended, /was not reached/);
  });

  it("continues where it ended well, and asks no more then", async () => {
    const good = "1\t0/3000000\tbefore 2026-01-31 23:59:01+00\n";
    const { ended, looks, said } = await updated([undefined, "recovering", good]);
    assert.deepEqual([ended, looks, said], ["well", 3, ["the restore ended where it was told to"]]);
  });

  it("asks nothing where everything that was archived comes back", async () => {
    const { ended, looks } = await updated([failover], {}, 1);
    assert.deepEqual([ended, looks], ["well", 0]);
  });
});
