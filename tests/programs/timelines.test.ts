import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/**
 * Whether the newest base backup reaches the archive's end, by the histories of timelines beside it (plan/backup/scripts/timelines.sh), over files as PostgreSQL
 * and Barman's tools write them and a FAKE of rclone over folders.
 */

const scripts = join(__dirname, "../../plan/backup/scripts");
const fakes = join(__dirname, "../fakes/walg");

interface Archive {
  /** Barman's backup.info of the newest base backup. */
  readonly info: Readonly<Record<string, string>>;
  /** Histories by their timelines' numbers: `<parent> <LSN>` each. */
  readonly histories?: Readonly<Record<number, readonly string[]>>;
  /** The newest segment's timeline. */
  readonly segment?: number;
  /** Identifier of the cluster that runs. */
  readonly system?: string;
  /** Of the base backup, where it is WAL-G's. */
  readonly id?: string;
}

const digits = (number: number) => number.toString(16).toUpperCase().padStart(8, "0");
const base = (timeline: number, end: string, more: Record<string, string> = {}) => ({
  status: "DONE",
  timeline: String(timeline),
  begin_wal: `${digits(timeline)}0000000000000005`,
  end_xlog: end,
  systemid: "7411111111111111111",
  ...more,
});
const historyText = (entries: readonly string[]) =>
  entries.map((entry) => `${entry.replace(" ", "\t")}\tno recovery target specified\n\n`).join("");

describe("the newest base backup and the archive's timelines (a FAKE of rclone)", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-timelines-"));
    mkdirSync(join(folder, "now/wals"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const ask = ({ info, segment, system = "", id = "20260101T000000" }: Archive) => {
    writeFileSync(
      join(folder, "info"),
      Object.entries(info)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
    );
    const places = readFileSync(join(scripts, "places.sh"), "utf8");
    const timelines = readFileSync(join(scripts, "timelines.sh"), "utf8");
    // With it the base backup begins.
    wal(info.timeline === undefined ? 10 : Number(info.timeline), 5, id);
    if (segment !== undefined) wal(segment, 9, id);
    const script = `${places}\n${timelines}\nhistories now state ${id} && identify now ${id} info && unrestorable info state/known "$(orphan now state)" "${system}"`;
    const { stdout, stderr } = spawnSync("dash", ["-c", script], {
      cwd: folder,
      env: { PATH: `${fakes}:${process.env.PATH}` },
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    return stdout.trim();
  };
  /** A segment in the archive. */
  const wal = (timeline: number, number: number, id = "") => {
    const name = `${digits(timeline)}00000000${digits(number)}`;
    const at = join(folder, "now", id.startsWith("base_") ? "wal_005" : `wals/${name.slice(0, 16)}`);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, `${name}.gz`), "");
  };
  const put = (
    histories: Archive["histories"] = {},
    {
      log = "wals",
      pack = (text: string): Buffer => gzipSync(text),
      ending = ".gz",
    }: { log?: string; pack?: (text: string) => Buffer | string; ending?: string } = {},
  ) => {
    mkdirSync(join(folder, "now", log), { recursive: true });
    for (const [timeline, entries] of Object.entries(histories))
      writeFileSync(
        join(folder, "now", log, `${digits(Number(timeline))}.history${ending}`),
        pack(historyText(entries)),
      );
  };
  const refused = /requested timeline 3 is not a child of this server's history/;

  const cases: [title: string, archive: Archive, said: RegExp | ""][] = [
    ["an archive of one timeline", { info: base(1, "0/6000100"), segment: 1 }, ""],
    [
      "a base backup from before two promotions",
      {
        info: base(1, "0/6000100"),
        histories: { 2: ["1 0/7000000"], 3: ["1 0/7000000", "2 0/9000000"] },
        segment: 3,
      },
      "",
    ],
    [
      "one from between them",
      {
        info: base(2, "0/8000100"),
        histories: { 2: ["1 0/7000000"], 3: ["1 0/7000000", "2 0/9000000"] },
        segment: 3,
      },
      "",
    ],
    [
      "places of different lengths, which are numbers and no texts",
      { info: base(1, "F/FFFFFFFF"), histories: { 2: ["1 10/0"] }, segment: 2 },
      "",
    ],
    [
      "timelines beyond nine, which are hexadecimal in names and decimal in histories",
      {
        info: base(10, "0/6000100"),
        histories: { 11: ["10 0/7000000"], 12: ["10 0/7000000", "11 0/8000000"] },
        segment: 12,
      },
      "",
    ],
    [
      "an archive that began on a later timeline, whose history was never archived",
      { info: base(5, "0/6000100"), segment: 5 },
      "",
    ],
    [
      "a major upgrade into the same archive, two promotions later: the one history is the former cluster's",
      {
        info: base(1, "0/B000100"),
        histories: { 2: ["1 0/C000000"], 3: ["1 0/7000000", "2 0/9000000"] },
        segment: 3,
      },
      /the histories of the timelines 2 and 3 contradict each other: two database clusters have archived there/,
    ],
    [
      "the same after the first promotion, when the next history is the former cluster's alone",
      { info: base(1, "0/B000100"), histories: { 3: ["1 0/7000000", "2 0/9000000"] }, segment: 3 },
      /a restore ends on timeline 1: the archive has the history of timeline 3 and not that of timeline 2/,
    ],
    [
      "a base backup that ends behind the place where the newest timeline left its own",
      {
        info: base(1, "0/B000100"),
        histories: { 2: ["1 0/7000000"], 3: ["1 0/7000000", "2 0/9000000"] },
        segment: 3,
      },
      refused,
    ],
    [
      "a base backup of a timeline that the newest one doesn't come from",
      {
        info: base(2, "0/8000100"),
        histories: { 2: ["1 0/7000000"], 3: ["1 0/7800000"] },
        segment: 3,
      },
      refused,
    ],
    [
      "a missing history in the middle",
      { info: base(1, "0/6000100"), histories: { 3: ["1 0/7000000", "2 0/9000000"] }, segment: 3 },
      /a restore ends on timeline 1/,
    ],
    [
      "WAL of a timeline without its history",
      { info: base(1, "0/6000100"), histories: { 2: ["1 0/7000000"] }, segment: 4 },
      /the archive has WAL of timeline 4 and not its history/,
    ],
    [
      "the cluster that the base backup is of",
      { info: base(1, "0/6000100"), system: "7411111111111111111", segment: 1 },
      "",
    ],
    [
      "another database cluster, whose identifier differs in the last of nineteen digits",
      { info: base(1, "0/6000100"), system: "7411111111111111112", segment: 1 },
      /it is of the database cluster 7411111111111111111, and 7411111111111111112 runs/,
    ],
    [
      "a base backup whose tool says no identifier",
      { info: base(1, "0/6000100", { systemid: "" }), system: "7411111111111111112", segment: 1 },
      "",
    ],
  ];
  for (const [title, archive, said] of cases)
    it(`${said === "" ? "restores" : "doesn't restore"}: ${title}`, () => {
      put(archive.histories);
      if (said === "") assert.equal(ask(archive), "");
      else assert.match(ask(archive), said);
    });

  it("reads histories that aren't compressed, and WAL-G's folder, and takes of others the names alone", () => {
    const archive = { info: base(2, "0/8000100"), segment: 3 };
    const foreign = { 2: ["1 0/7000000"], 3: ["1 0/7800000"] };
    put(foreign, { pack: (text) => text, ending: "" });
    assert.match(ask(archive), refused);
    rmSync(join(folder, "now/wals"), { recursive: true });
    put(foreign, { log: "wal_005" });
    assert.match(ask({ ...archive, id: "base_000000020000000000000005" }), refused);
    rmSync(join(folder, "now/wal_005"), { recursive: true });
    put(foreign, { pack: () => "lz4's own", ending: ".lz4" });
    assert.equal(ask(archive), "");
    rmSync(join(folder, "now/wals/00000003.history.lz4"));
    assert.match(ask(archive), /WAL of timeline 3 and not its history/);
  });

  it("reads them again once they are others", () => {
    const archive = { info: base(1, "0/6000100"), segment: 2 };
    put({ 2: ["1 0/7000000"] });
    assert.equal(ask(archive), "");
    put({ 2: ["1 0/5000000"], 3: ["1 0/5000000", "2 0/9000000"] });
    assert.match(ask(archive), refused);
  });

  it("knows of a base backup by WAL-G which database cluster it is of, and where it ended, by what WAL-G writes last", () => {
    const id = "base_0000000A0000000000000005";
    put({ 11: ["10 1/7000000"] }, { log: "wal_005" });
    mkdirSync(join(folder, "now/basebackups_005"));
    const sentinel = (more: object) =>
      writeFileSync(
        join(folder, `now/basebackups_005/${id}_backup_stop_sentinel.json`),
        // The identifier has more digits than a number of JavaScript's.
        JSON.stringify({ LSN: 4378853416, PgVersion: 170004, FinishLSN: 0x1_0600_0100, ...more }).replace(
          "}",
          ',"SystemIdentifier": 7411111111111111111,"Spec":{"a":null}}',
        ),
      );
    const info = { status: "DONE", begin_wal: "0000000A0000000000000005" };
    sentinel({});
    assert.equal(ask({ info, id, segment: 11, system: "7411111111111111111" }), "");
    assert.match(
      ask({ info, id, segment: 11, system: "7411111111111111112" }),
      /and 7411111111111111112 runs/,
    );
    sentinel({ FinishLSN: 0x1_0800_0100 });
    assert.match(
      ask({ info, id, segment: 11 }),
      /it ends at 1\/8000100, and that timeline left timeline 10 at 1\/7000000/,
    );
  });

  it("takes no notice of what an upgrade left there of the former cluster: its last segment, on a higher timeline", () => {
    const newest = (id = "") => {
      const places = readFileSync(join(scripts, "places.sh"), "utf8");
      const tool = id === "" ? "" : "walg";
      const script = `${places}\nTOOL=${tool}; newest_segment now; segments now ${digits(1)}00000000${digits(5)}`;
      const { stdout } = spawnSync("dash", ["-c", script], {
        cwd: folder,
        env: { PATH: `${fakes}:${process.env.PATH}` },
        encoding: "utf8",
      });
      const [first = "", ...all] = stdout.trim().split("\n");
      return [first.split(";")[0]?.slice(-18), all.map((name) => name.slice(-2)).join()];
    };
    for (const id of ["", "base_000000010000000000000005"]) {
      rmSync(join(folder, "now/wals"), { recursive: true, force: true });
      const archive = { info: base(1, "0/6000100"), ...(id !== "" && { id }) };
      // The former cluster's, before the segment with which the new one begins.
      wal(3, 4, id);
      for (const number of [5, 6]) wal(1, number, id);
      assert.equal(ask(archive), "", id);
      assert.deepEqual(newest(id), ["010000000000000006", "05,06"]);
      // One that the restore would need is another matter.
      wal(3, 7, id);
      assert.match(
        ask(archive),
        /a restore ends on timeline 1: the archive has WAL of timeline 3 and not its history/,
      );
      put({ 2: ["1 0/7000000"], 3: ["1 0/7000000", "2 0/7000000"] }, id === "" ? {} : { log: "wal_005" });
      assert.equal(ask(archive), "");
      assert.deepEqual(newest(id), ["030000000000000007", "05,06,07"]);
    }
  });

  it("takes the timeline of a base backup by WAL-G out of its name", () => {
    put({ 11: ["10 0/7000000"] });
    const info = { status: "DONE", begin_wal: `${digits(10)}0000000000000005` };
    assert.equal(ask({ info, segment: 11 }), "");
    assert.match(ask({ info, segment: 12 }), /WAL of timeline 12/);
  });
});
