import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseResults } from "../../plan/backup/results";

/**
 * The verification's scripts for archives by WAL-G, with a FAKE of WAL-G and one of rclone (tests/fakes/walg): what they ask, and what they make of
 * the answers. That WAL-G does what it is asked is not shown.
 */

const scripts = join(__dirname, "../../plan/backup/scripts");
const fakes = join(__dirname, "../fakes/walg");
/** What a store may say, and what a shell, sed or JSON would read in it. */
const odd = String.raw`"AccessDenied": \a;b\n $(c) é`;
const DAY = 86_400_000;
const segment = (number: number) =>
  `0000000100000000000000${number.toString(16).toUpperCase().padStart(2, "0")}`;

describe("a verification of what WAL-G wrote (FAKES of WAL-G and rclone)", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const work = (name: string) => join(folder, "work", name);
  const read = (name: string) => readFileSync(work(name), "utf8").trim();
  const calls = () =>
    existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n") : [];
  const run = (script: string) => spawnSync("sh", [join(folder, script)], { env, encoding: "utf8" });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-walg-"));
    for (const name of ["work", "log", "place/gen/wal_005"])
      mkdirSync(join(folder, name), { recursive: true });
    for (const name of readdirSync(scripts))
      writeFileSync(
        join(folder, name),
        readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
      );
    env = {
      PATH: `${fakes}:${process.env.PATH}`,
      TZ: "UTC",
      TOOL: "walg",
      WORK: join(folder, "work"),
      DATA: join(folder, "data"),
      NUMBER: "1",
      TARGETS: "1",
      TARGET_1: "near",
      PLACE_1: join(folder, "place"),
      REPORTS_1: join(folder, "reports"),
      ARCHIVE_ID: "gen",
      WAIT_SECONDS: "1",
      WINDOW_DAYS: "7",
      FAKE_CALLS: join(folder, "calls"),
      FAKE_STORE: join(folder, "log"),
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A base backup of some days ago that begins at a segment; one that isn't finished has no sentinel. */
  function base(first: number, days: number, more = "", finished = true): string {
    const id = `base_${segment(first)}${more}`;
    const place = join(folder, "place/gen/basebackups_005");
    mkdirSync(join(place, id, "tar_partitions"), { recursive: true });
    if (finished) {
      const sentinel = join(place, `${id}_backup_stop_sentinel.json`);
      writeFileSync(sentinel, "{}");
      const at = new Date(Date.now() - days * DAY);
      utimesSync(sentinel, at, at);
    }
    return id;
  }
  const archived = (...numbers: number[]) =>
    numbers.forEach((number) =>
      writeFileSync(join(folder, "place/gen/wal_005", `${segment(number)}.br`), ""),
    );

  it("chooses the newest finished base backup, a difference too, the WAL from there on, and the oldest one that the window takes", () => {
    base(2, 20);
    const oldest = base(4, 9);
    base(6, 5);
    const newest = base(8, 1, `_D_${segment(6)}`);
    base(10, 0, "", false);
    archived(2, 3, 4, 5, 6, 7, 8, 9, 10);
    writeFileSync(join(folder, "place/gen/wal_005", "00000002.history.br"), "");
    const { stdout, status } = run("choose.sh");
    assert.equal(status, 0);
    assert.deepEqual([read("backup"), read("oldest")], [newest, oldest], stdout);
    assert.deepEqual(read("segments").split("\n"), [segment(8), segment(9), segment(10)]);
    assert.match(stdout, new RegExp(`3 segments from ${segment(8)} to ${segment(10)}`));
    assert.ok(!existsSync(work("failed")));
  });

  it("finds nothing to delete while no base backup is older than the window", () => {
    base(2, 6);
    archived(2);
    run("choose.sh");
    assert.equal(read("oldest"), "");
  });

  it("fails where the segment is missing with which the base backup begins, and where there is no base backup", () => {
    const id = base(2, 1);
    archived(3);
    run("choose.sh");
    assert.equal(
      read("failed"),
      `the segment ${segment(2)}, with which the base backup ${id} begins, is missing in the target near`,
    );
    rmSync(join(folder, "place/gen/basebackups_005"), { recursive: true });
    rmSync(work("failed"));
    run("choose.sh");
    assert.equal(read("failed"), "the target near has no finished base backup of archive gen");
  });

  it("fails where the newest base backup is of another database cluster than the one that runs", () => {
    const id = base(2, 1);
    archived(2, 3);
    writeFileSync(
      join(folder, `place/gen/basebackups_005/${id}_backup_stop_sentinel.json`),
      '{"SystemIdentifier":7411111111111111111,"FinishLSN":1}',
    );
    writeFileSync(work("system"), "7411111111111111111\n");
    run("choose.sh");
    assert.ok(!existsSync(work("failed")));
    writeFileSync(work("system"), "7411111111111111112\n");
    run("choose.sh");
    assert.equal(
      read("failed"),
      `the newest base backup ${id} in the target near is of the database cluster 7411111111111111111, and 7411111111111111112 runs: begin an archive of its own (backup.archiveNumber)`,
    );
  });

  it("restores it, and says why it can't", () => {
    writeFileSync(work("backup"), "base_whole\n");
    run("restore.sh");
    assert.equal(readFileSync(join(folder, "data/restored"), "utf8"), "base_whole\n");
    assert.deepEqual(calls(), [`backup-fetch ${env.DATA} base_whole`]);
    assert.ok(!existsSync(work("failed")));
    writeFileSync(work("backup"), "base_broken\n");
    run("restore.sh");
    assert.equal(read("failed"), "the base backup base_broken can't be restored: ERROR: a part is damaged");
  });

  describe("serves the scratch server", () => {
    let server: ChildProcess;
    beforeEach(async () => {
      server = spawn("sh", [join(folder, "serve.sh")], { env, stdio: "ignore" });
      await until(() => existsSync(work("log")));
    });
    afterEach(() => server.kill());

    const until = async (done: () => boolean) => {
      const end = Date.now() + 20_000;
      while (!done() && Date.now() < end) await delay(20);
      assert.ok(done());
    };
    const answer = async (name: string) => {
      writeFileSync(work(`asked/${name}`), "");
      await until(() => existsSync(work(`answered/${name}`)));
      return read(`answered/${name}`);
    };

    it("with log, with none where there is none, and with an error that isn't mistaken for that", async () => {
      writeFileSync(join(folder, "log", segment(1)), "log");
      assert.equal(await answer(segment(1)), "0");
      assert.equal(read(`log/${segment(1)}`), "log");
      assert.equal(await answer(segment(2)), "1");
      assert.equal(await answer(segment(0xee)), "2");
      assert.match(read("fetch.log"), /ERROR: the store refuses$/);
    });

    it("and then deletes what lies before the oldest one that is needed, if there is one", async () => {
      writeFileSync(work("oldest"), "base_4\n");
      writeFileSync(work("passed"), "");
      await until(() => existsSync(work("expired")));
      assert.equal(read("expired"), "done");
      assert.deepEqual(calls(), ["delete before FIND_FULL base_4 --confirm"]);
    });

    it("deletes nothing while nothing is older", async () => {
      writeFileSync(work("oldest"), "");
      writeFileSync(work("passed"), "");
      await until(() => existsSync(work("expired")));
      assert.deepEqual([read("expired"), calls()], ["done", []]);
    });

    it("says so where its key may not delete", async () => {
      writeFileSync(join(folder, "log/locked"), "");
      writeFileSync(work("oldest"), "base_4\n");
      writeFileSync(work("passed"), "");
      await until(() => existsSync(work("expired")));
      assert.equal(read("expired"), "ERROR: AccessDenied");
    });
  });
});

describe("a verification of what Barman wrote (a FAKE of Barman's tools)", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-barman-"));
    for (const name of ["work", "bin"]) mkdirSync(join(folder, name));
    for (const name of readdirSync(scripts))
      writeFileSync(
        join(folder, name),
        readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
      );
    for (const tool of ["restore", "wal-restore", "backup-keep", "backup-delete"])
      writeFileSync(
        join(folder, "bin", `barman-cloud-${tool}`),
        `#!/bin/sh\necho "${tool} $*" >>'${folder}/calls'\n`,
        {
          mode: 0o755,
        },
      );
    env = {
      PATH: `${folder}/bin:${process.env.PATH}`,
      WORK: join(folder, "work"),
      DATA: join(folder, "data"),
      DESTINATION: "s3://b/p",
      ARCHIVE_ID: "gen",
      ENDPOINT: "https://s3.example.com",
      WINDOW_DAYS: "7",
    };
    mkdirSync(join(folder, "data"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("restores, fetches log, keeps what was found good, releases the one before, and deletes by the window", async () => {
    const work = (name: string) => join(folder, "work", name);
    writeFileSync(work("backup"), "new\n");
    writeFileSync(work("kept"), "old\n");
    assert.equal(spawnSync("sh", [join(folder, "restore.sh")], { env }).status, 0);
    const server = spawn("sh", [join(folder, "serve.sh")], { env, stdio: "ignore" });
    try {
      const until = async (name: string) => {
        for (let count = 0; count < 500 && !existsSync(work(name)); count++) await delay(20);
      };
      await until("log");
      writeFileSync(work(`asked/${segment(1)}`), "");
      await until(`answered/${segment(1)}`);
      writeFileSync(work("passed"), "");
      await until("expired");
      assert.equal(readFileSync(work("expired"), "utf8"), "done\n");
      const at = "--endpoint-url https://s3.example.com";
      assert.deepEqual(readFileSync(join(folder, "calls"), "utf8").trim().split("\n"), [
        `restore ${at} s3://b/p gen new ${folder}/data`,
        `wal-restore ${at} s3://b/p gen ${segment(1)} ${folder}/work/log/${segment(1)}`,
        `backup-keep ${at} --status s3://b/p gen new`,
        `backup-keep ${at} --target full s3://b/p gen new`,
        `backup-keep ${at} --release s3://b/p gen old`,
        `backup-delete ${at} --retention-policy RECOVERY WINDOW OF 7 DAYS --minimum-redundancy 1 s3://b/p gen`,
      ]);
    } finally {
      server.kill();
    }
  });
});

describe("the source of a restore (a FAKE of rclone)", () => {
  let folder: string;
  const put = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const looked = (archiveId: string, more: NodeJS.ProcessEnv = {}) => {
    const { status } = spawnSync("dash", [join(folder, "source.sh")], {
      env: {
        PATH: `${fakes}:${process.env.PATH}`,
        TARGETS: "1",
        TARGET_1: "near",
        PLACE_1: join(folder, "shop"),
        REPORTS_1: join(folder, "reports"),
        ARCHIVE_ID: "new",
        SOURCE: join(folder, "shop", archiveId),
        WAIT_SECONDS: "0",
        WORDS: join(folder, "words"),
        ...more,
      },
      encoding: "utf8",
    });
    const words = join(folder, "words");
    const said = existsSync(words) ? readFileSync(words, "utf8") : "";
    return { passed: status === 0, words: parseResults(said, "absent", "unreadable") };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-source-"));
    for (const name of ["source.sh", "json.sh", "places.sh"])
      writeFileSync(
        join(folder, name),
        readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
      );
    put("shop/whole/base/20260102T000000/backup.info", "status=DONE\nend_time=2026-01-02 00:00:10.5+00:00\n");
    put("shop/half/base/20260103T000000/backup.info", "status=STARTED\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is there", () => assert.deepEqual(looked("whole"), { passed: true, words: [] }));

  it("isn't there: without a whole base backup, from before the moment, or at all; what is there is named", () => {
    const absent = { passed: false, words: [{ kind: "absent", archiveIds: ["half", "whole"] }] };
    assert.deepEqual(looked("half"), absent);
    assert.deepEqual(looked("none"), absent);
    const moment = (time: string) => ({ TO_SECONDS: String(Date.parse(time) / 1000) });
    assert.deepEqual(looked("whole", moment("2026-01-01T00:00:00Z")), absent);
    assert.equal(looked("whole", moment("2026-01-03T00:00:00Z")).passed, true);
  });

  it("can't be looked for in a store that refuses; what the store says comes through", () =>
    assert.deepEqual(looked("whole", { FAKE_REFUSES: "lsf", FAKE_WORDS: odd }), {
      passed: false,
      words: [{ kind: "unreadable", why: odd }],
    }));

  it("isn't missing because a store that has it didn't answer once, or the cluster's own store is away", () => {
    put("times", "1\n");
    const once = { FAKE_REFUSES: "lsf", FAKE_REFUSES_TIMES: join(folder, "times"), WAIT_SECONDS: "60" };
    const there = { passed: true, words: [] };
    assert.deepEqual(looked("whole", { ...once, FAKE_REFUSES_AT: "whole/base" }), there);
    put("times", "1\n");
    assert.deepEqual(looked("whole", { ...once, FAKE_REFUSES: "cat" }), there);
    for (const FAKE_REFUSES of ["lsf", "cat"])
      assert.deepEqual(looked("whole", { FAKE_REFUSES, FAKE_REFUSES_AT: "whole/base", FAKE_WORDS: odd }), {
        passed: false,
        words: [{ kind: "unreadable", why: odd }],
      });
    assert.equal(looked("whole", { FAKE_REFUSES: "lsf", FAKE_REFUSES_AT: "/new/" }).passed, true);
  });

  it("isn't asked for any more when the cluster archives", () => {
    put("shop/new/wals/0000000100000000/000000010000000000000001.gz", "");
    assert.equal(looked("none").passed, true);
  });
});

describe("what the scripts say (a FAKE of rclone)", () => {
  let folder: string;
  const target = `a "near" \\one\\n\tand\ntwo; $(x)`;
  const put = (path: string, text = "") => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    PATH: `${fakes}:${process.env.PATH}`,
    TARGETS: "1",
    TARGET_1: target,
    // Relative: what is before the first slash is the bucket.
    PLACE_1: "shop",
    REPORTS_1: "reports",
    ARCHIVE_ID: "now",
    STATE: join(folder, "state"),
    WORK: join(folder, "work"),
    NUMBER: "1",
    EXPIRY_SECONDS: "0",
    ...more,
  });
  const ran = (script: string, more: NodeJS.ProcessEnv = {}) =>
    spawnSync("dash", [join(folder, script)], { cwd: folder, env: env(more), encoding: "utf8" });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-says-"));
    for (const name of ["state", "work"]) mkdirSync(join(folder, name));
    for (const name of readdirSync(scripts))
      writeFileSync(
        join(folder, name),
        readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
      );
    put(
      "shop/now/base/20260102T000000/backup.info",
      "status=DONE\nbegin_time=2026-01-02 00:00:00\nend_time=2026-01-02 00:00:10\n",
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is JSON, whatever the texts are", () => {
    const controls = Array.from({ length: 31 }, (_, code) => String.fromCharCode(code + 1)).join("");
    const texts = [
      controls,
      '"',
      "\\",
      '\\"',
      "\\n",
      "",
      "\n\n",
      "a\n",
      "-f",
      "--",
      "a=1",
      "%s",
      "é🙂",
      target,
    ];
    const given = texts.flatMap((text, index) => [`key${index}`, text]);
    const script = `. "${join(scripts, "json.sh")}"; json "$@" number: 1.5 none: '' list: "$(printf 'a"\\nb\\\\\\n' | json_list)" empty: "$(json_list </dev/null)"`;
    for (const shell of ["dash", "bash"]) {
      const { stdout } = spawnSync(shell, ["-c", script, shell, ...given], { encoding: "utf8" });
      assert.match(stdout, /^[^\n]*\n$/);
      assert.deepEqual(JSON.parse(stdout), {
        ...Object.fromEntries(texts.map((text, index) => [`key${index}`, text])),
        number: 1.5,
        none: null,
        list: ['a"', "b\\"],
        empty: [],
      });
    }
  });

  /** The watcher's first status. */
  async function watched(more: NodeJS.ProcessEnv = {}) {
    const status = join(folder, "state/status.txt");
    rmSync(status, { force: true });
    const watcher = spawn("dash", [join(folder, "watch.sh")], {
      cwd: folder,
      env: env(more),
      stdio: "ignore",
    });
    try {
      for (let tries = 0; tries < 1000 && !existsSync(status); tries++) await delay(20);
      return parseResults(readFileSync(status, "utf8"), "answers", "refused");
    } finally {
      watcher.kill();
    }
  }

  it("of what is seen in a target, names it and what is there", async () => {
    const [seen, ...others] = await watched();
    assert.deepEqual(others, []);
    assert.ok(seen?.kind === "answers");
    assert.deepEqual([seen.target, seen.archiveId, seen.wal], [target, "now", undefined]);
    assert.equal(seen.base?.id, "20260102T000000");
    assert.match(seen.base.at, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    put(`shop/now/wals/0000000100000000/${segment(1)}.gz`);
    const [more] = await watched();
    assert.ok(more?.kind === "answers");
    assert.equal(more.wal?.segment, segment(1));
    assert.deepEqual(await watched({ FAKE_REFUSES: "lsf", FAKE_WORDS: odd }), [
      { kind: "refused", target, why: odd },
    ]);
  });

  it("of the primary, is how old the oldest write is that isn't archived; of its identifier, whether the base backup is its own", async () => {
    const info = "shop/now/base/20260102T000000/backup.info";
    put(
      info,
      "status=DONE\ntimeline=1\nbegin_wal=000000010000000000000001\nend_xlog=0/2000100\nsystemid=7411\n",
    );
    const more = { RPO_SECONDS: "60", TARGET_1: "near" };
    const now = () => Math.floor(Date.now() / 1000);
    const said = async (database: string, looked = now()) => {
      put("state/database", `${database} ${looked}\n`);
      const [seen] = await watched(more);
      assert.ok(seen?.kind === "answers");
      const kept = join(folder, "state/writes.txt");
      return {
        problem: seen.problem,
        writes: existsSync(kept) ? parseResults(readFileSync(kept, "utf8"), "writes")[0] : undefined,
        metrics: readFileSync(join(folder, "state/metrics.txt"), "utf8"),
      };
    };
    const kept = await said("7411 none");
    assert.equal(kept.problem, undefined);
    assert.deepEqual(kept.writes, { kind: "writes", system: "7411", unarchivedSeconds: 0, rpoSeconds: 60 });
    assert.match(kept.metrics, /^pgplatform_backup_unarchived_seconds 0$/m);
    assert.match(kept.metrics, /^pgplatform_backup_rpo_seconds 60$/m);
    assert.match(kept.metrics, /^pgplatform_backup_restorable\{.*\} 1$/m);
    const missed = await said(`7412 ${now() - 162}`);
    assert.ok(missed.writes?.kind === "writes" && missed.writes.unarchivedSeconds >= 162);
    assert.match(missed.problem ?? "", /it is of the database cluster 7411, and 7412 runs/);
    assert.match(missed.metrics, /^pgplatform_backup_restorable\{.*\} 0$/m);
    // A primary that can't be asked says nothing, and not that all is archived.
    const refused = await said("7412 none", now() - 62);
    assert.equal(refused.writes, undefined);
    assert.doesNotMatch(refused.metrics, /^pgplatform_backup_(unarchived|rpo)_seconds /m);
    assert.match(refused.problem ?? "", /7412 runs/);
    // The list says it too, of the present archive alone.
    mkdirSync(join(folder, "shop/old/base/20260101T000000"), { recursive: true });
    put("shop/old/base/20260101T000000/backup.info", "status=DONE\ntimeline=1\nsystemid=7400\n");
    const rows = parseResults(ran("list.sh").stdout, "wal", "base", "dump", "refused");
    const problems = rows.flatMap((row) =>
      row.kind === "wal" ? [[row.archiveId, row.problem !== undefined]] : [],
    );
    assert.deepEqual(problems, [
      ["now", true],
      ["old", false],
    ]);
  });

  it("of what lies in a target, names every object of every archive", () => {
    put("shop/now/base/20260103T000000/backup.info", 'status=FAILED "x"\nbegin_time=b\nend_time=\n');
    put("reports/now/20260102T000000.json", '{"kind":"report","result":"passed"}');
    put("shop/now/dumps/20260102T050000/dump.json", '{"base":"a","bytes":7}\n');
    // As it was written before.
    put("shop/now/dumps/20260101T050000/dump.json", '{ "base": "a", "bytes": 5 }\n');
    put("shop/now/dumps/20260103T050000/app.dump");
    mkdirSync(join(folder, "shop/old"));
    // What is left of a base backup whose objects were deleted, in a store that keeps versions.
    mkdirSync(join(folder, "shop/now/base/20260104T000000"));
    put("shop/now/base/20260105T000000/data.tar");
    const at = { target, archiveId: "now" };
    const base = { kind: "base", ...at, bytes: 1048576 };
    const rows = parseResults(ran("list.sh").stdout, "wal", "base", "dump", "refused");
    assert.deepEqual(
      new Set(rows),
      new Set([
        { kind: "wal", ...at },
        { ...base, id: "20260103T000000", status: 'FAILED "x"', begin: "b", end: "" },
        { ...base, id: "20260105T000000", status: "", begin: "", end: "" },
        {
          ...base,
          id: "20260102T000000",
          status: "DONE",
          begin: "2026-01-02 00:00:00",
          end: "2026-01-02 00:00:10",
          verdict: "passed",
        },
        { kind: "dump", ...at, id: "20260103T050000", bytes: null },
        { kind: "dump", ...at, id: "20260102T050000", bytes: 7 },
        { kind: "dump", ...at, id: "20260101T050000", bytes: 5 },
        { kind: "wal", target, archiveId: "old" },
      ]),
    );
    const { stdout } = ran("list.sh", { FAKE_REFUSES: "lsf", FAKE_WORDS: odd });
    assert.deepEqual(parseResults(stdout, "refused"), [{ kind: "refused", target, why: odd }]);
  });

  it("of what a restore's source has, also says what each base backup takes", () => {
    const base = "shop/now/base/20260103T000000/backup.info";
    put(
      base,
      `status=DONE\nversion=170005\nbegin_wal=${segment(3)}\nbegin_time=b\nend_time=2026-01-03 00:00:10\n`,
    );
    put("shop/now/base/20260104T000000/backup.info", "status=STARTED\n");
    put("reports/now/20260103T000000.json", '{"kind":"report","result":"passed","rtoSeconds":42}');
    for (const number of [2, 3, 4, 5]) put(`shop/now/wals/0000000100000000/${segment(number)}.gz`);
    put("shop/now/wals/0000000100000000/00000002.history");
    const listed = ran("list.sh").stdout;
    const looked = (more: NodeJS.ProcessEnv) =>
      ran("look.sh", {
        // Whose archive it is, nobody knows there.
        ARCHIVE_ID: undefined,
        WAIT_SECONDS: "0",
        LIST: join(folder, "list.sh"),
        WORK: join(folder, "segments"),
        ...more,
      });
    mkdirSync(join(folder, "segments"));
    const { stdout } = looked({ ARCHIVE: "now" });
    const all = stdout.slice(stdout.lastIndexOf('{"kind":"looked"'));
    assert.deepEqual(parseResults(all, "looked"), [{ kind: "looked", target }]);
    assert.ok(stdout.startsWith(listed));
    assert.deepEqual(
      parseResults(stdout.slice(listed.length, -all.length), "replay").map((one) => ({ ...one })),
      [
        { kind: "replay", archiveId: "now", id: "20260103T000000", major: 17, segments: 3, rtoSeconds: 42 },
        {
          kind: "replay",
          archiveId: "now",
          id: "20260102T000000",
          major: null,
          segments: 4,
          rtoSeconds: null,
        },
      ],
    );
    assert.deepEqual(
      readdirSync(join(folder, "segments")).sort(),
      [2, 3, 4, 5].map((number) => `${segment(number)}.gz`),
    );
    assert.equal(looked({ ARCHIVE: "" }).stdout, listed + all, "nobody has named an archive");
    assert.equal(looked({ ARCHIVE: "none" }).stdout, listed + all, "there is no such archive");
    const refused = looked({ ARCHIVE: "now", FAKE_REFUSES: "lsf", FAKE_WORDS: odd });
    assert.deepEqual(parseResults(refused.stdout, "refused", "looked"), [
      { kind: "refused", target, why: odd },
      { kind: "looked", target },
    ]);
    assert.equal(refused.status, 0);
    // A store that doesn't answer all is asked again, and isn't one without base backups.
    put("times", "1\n");
    const once = { ARCHIVE: "now", FAKE_REFUSES_TIMES: join(folder, "times"), WAIT_SECONDS: "60" };
    assert.equal(looked({ ...once, FAKE_REFUSES: "lsf", FAKE_REFUSES_AT: "now/base" }).stdout, stdout);
    put("times", "2\n");
    assert.equal(looked({ ...once, FAKE_REFUSES: "cat", FAKE_REFUSES_AT: "backup.info" }).stdout, stdout);
    // Another archive that can't be read hides nothing of this one, and this one's trouble is told.
    put("shop/cold/base/20250101T000000/backup.info", "status=DONE\n");
    const cold = looked({
      ARCHIVE: "now",
      FAKE_REFUSES: "cat",
      FAKE_REFUSES_AT: "cold/base",
      FAKE_WORDS: odd,
    });
    assert.ok(cold.stdout.includes('"kind":"replay"'));
    assert.deepEqual(
      parseResults(cold.stdout, "refused").filter(({ kind }) => kind === "refused"),
      [{ kind: "refused", target, archiveId: "cold", why: odd }],
    );
    rmSync(join(folder, "shop/cold"), { recursive: true });
    // Without the newest segment none says when the last transaction was.
    rmSync(join(folder, "segments"), { recursive: true });
    mkdirSync(join(folder, "segments"));
    looked({ ARCHIVE: "now", FAKE_REFUSES: "cat", FAKE_REFUSES_AT: `${segment(5)}.gz` });
    assert.deepEqual(readdirSync(join(folder, "segments")), []);
    // What it can do without may be refused to its key.
    const unread = looked({ ARCHIVE: "now", FAKE_REFUSES: "cat", FAKE_REFUSES_AT: "reports/" });
    assert.doesNotMatch(unread.stdout, /"refused"/);
  });

  it("of a store that doesn't answer all, is why, and not that something is missing there", async () => {
    put(`shop/now/wals/0000000100000000/${segment(1)}.gz`);
    put("state/listed");
    for (const [FAKE_REFUSES, FAKE_REFUSES_AT] of [
      ["lsf", "now/base"],
      ["cat", "backup.info"],
      ["lsf", "now/wals"],
    ] as const) {
      const refusing = { FAKE_REFUSES, FAKE_REFUSES_AT, FAKE_WORDS: odd, TARGET_1: "near" };
      const refused = [{ kind: "refused", target: "near", why: odd }];
      assert.deepEqual(await watched(refusing), refused);
      assert.match(
        readFileSync(join(folder, "state/metrics.txt"), "utf8"),
        /^pgplatform_backup_target_up\{.*\} 0$/m,
      );
      assert.deepEqual(
        parseResults(ran("list.sh", refusing).stdout, "refused").filter(({ kind }) => kind === "refused"),
        [{ ...refused[0], archiveId: "now" }],
      );
      for (const [script, more] of [
        ["copy.sh", { PLACE_2: "other", TARGET_2: "far" }],
        ["choose.sh", {}],
      ] as const) {
        rmSync(join(folder, "work/failed"), { force: true });
        const { stdout, status } = ran(script, { ...refusing, ...more });
        assert.ok(stdout.includes(`the target near can't be read: ${odd}`), `${script}: ${stdout}`);
        assert.equal(status, script === "copy.sh" ? 1 : 0);
      }
    }
  });

  it("of a verification that doesn't learn what was kept before, is why: it would never be released", () => {
    put(
      "shop/now/base/20260102T000000/backup.info",
      `status=DONE\nbegin_wal=${segment(1)}\nbegin_time=b\nend_time=2026-01-02 00:00:10\n`,
    );
    put(`shop/now/wals/0000000100000000/${segment(1)}.gz`);
    const refusing = { FAKE_REFUSES: "cat", FAKE_REFUSES_AT: "/kept", FAKE_WORDS: odd, TARGET_1: "near" };
    ran("choose.sh", refusing);
    assert.equal(
      readFileSync(join(folder, "work/failed"), "utf8"),
      `the target near can't be read: ${odd}\n`,
    );
    rmSync(join(folder, "work/failed"));
    put("shop/now/verified/kept", "20251201T000000\n");
    ran("choose.sh");
    assert.equal(readFileSync(join(folder, "work/kept"), "utf8"), "20251201T000000\n");
    put("reports/now/kept", "20251202T000000\n");
    ran("choose.sh");
    assert.equal(readFileSync(join(folder, "work/kept"), "utf8"), "20251202T000000\n");
  });

  it("of a verification, is its report, and the same is kept beside the backup", () => {
    const work = (name: string, text: string) => put(`work/${name}`, text);
    work("backup", "20260102T000000\n");
    work("passed", "");
    work("expired", `${odd}\n`);
    work("note", `${target}\n`);
    work(
      "result",
      `rto_seconds 12\nsegment ${segment(1)}\nschema app a\nschema "s" b\\\nbytes 7\nquery one\n`,
    );
    const { stdout, status } = ran("report.sh");
    const [report] = parseResults(stdout, "report");
    assert.ok(report?.kind === "report", stdout);
    assert.equal(status, 0);
    const { at, ...rest } = report;
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(rest, {
      kind: "report",
      target,
      archiveId: "now",
      backup: "20260102T000000",
      to: "",
      result: "passed",
      why: "",
      note: target,
      rpoSeconds: null,
      rtoSeconds: 12,
      bytes: 7,
      pages: null,
      segment: segment(1),
      schemas: ["app a", '"s" b\\'],
      queries: ["one"],
      dump: "",
      dumpBytes: null,
      dumpNote: "",
      expiry: odd,
    });
    for (const name of ["20260102T000000", "newest"])
      assert.equal(readFileSync(join(folder, `reports/now/${name}.json`), "utf8"), stdout);
    // Whole and late: no pass, and a restore that was found good.
    work("late", `${target}\n`);
    const late = ran("report.sh");
    const [tardy] = parseResults(late.stdout, "report");
    assert.deepEqual(
      [late.status, tardy?.kind === "report" && [tardy.result, tardy.why]],
      [1, ["late", target]],
    );
    const metric = (name: string) => readFileSync(join(folder, `reports/now/${name}.prom`), "utf8");
    assert.match(metric("newest"), /^verification_passed\{.*\} 0$/ms);
    assert.match(metric("passed"), /^verified_timestamp_seconds/m);
    rmSync(join(folder, "work/passed"));
    work("failed", `${target}\n`);
    const failed = ran("report.sh");
    const [bad] = parseResults(failed.stdout, "report");
    assert.deepEqual(
      [failed.status, bad?.kind === "report" && [bad.result, bad.why]],
      [1, ["failed", target]],
    );
  });
});
