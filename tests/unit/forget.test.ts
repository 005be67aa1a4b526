import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forget } from "../../operations/forget";
import { type Subject } from "../../operations/health";
import { parseResults } from "../../plan/backup/results";
import { Progress } from "../../shell/progress";
import { checked, smallest } from "../support/settings";

const scripts = join(__dirname, "../../plan/backup/scripts");
const fakes = join(__dirname, "../fakes/walg");

const odd = String.raw`AccessDenied: "locked" by \a;b\n`;
const now = "0123456789";
const before = "abcdef0123";
const base = {
  kind: "base",
  target: "near",
  id: "20260101T000000",
  status: "DONE",
  begin: "2026-01-01 00:00",
  end: "2026-01-01 00:01",
  bytes: 1048576,
};

describe("an archive that has ended", () => {
  /** What is said, and which commands ran in the watcher, when a target has these lines. */
  async function forgotten(
    archiveId: string | undefined,
    { target = "near", verdict = "passed", seen = "", more = "", answer = "", FORCE = "1", near = {} } = {},
  ) {
    const calls: string[] = [];
    const lines = [
      { kind: "wal", target: "near", archiveId: now, segment: "04", at: "2026-01-01 00:00:09" },
      { ...base, archiveId: now, verdict },
      { kind: "wal", target: "near", archiveId: before },
      { ...base, archiveId: before, verdict: "passed" },
      { kind: "wal", target: "far", archiveId: "fedcba9876" },
    ].map((row) => JSON.stringify(row));
    const status = ["near", "far"].map((target) =>
      JSON.stringify({ kind: "answers", target, archiveId: now }),
    );
    const kubectl = {
      run: (args: readonly string[]) => {
        const command = args.slice(args.indexOf("--") + 1).join(" ");
        calls.push(command);
        const stdout = command.includes("status.txt")
          ? seen || `${status.join("\n")}\n`
          : command.includes("list.sh")
            ? [...lines, more].join("\n")
            : answer;
        return Promise.resolve({ exitCode: stdout === answer && answer !== "" ? 1 : 0, stdout, stderr: "" });
      },
    };
    const local = (name: string) => ({ name, kind: "local" });
    const settings = checked({
      ...smallest(),
      backup: { targets: [{ ...local("near"), ...near }, local("far")], copy: { schedule: "0 * * * *" } },
    });
    const shown: string[] = [];
    const kept = process.env.FORCE;
    process.env.FORCE = FORCE;
    try {
      const subject = { kubectl, settings } as unknown as Subject;
      const said = await forget(subject, target, archiveId, new Progress((line) => shown.push(line)));
      return { said, shown, calls };
    } catch (error) {
      return { said: (error as Error).message, shown, calls };
    } finally {
      if (kept === undefined) delete process.env.FORCE;
      else process.env.FORCE = kept;
    }
  }
  const deleted = (calls: readonly string[]) => calls.filter((call) => call.includes("forget.sh"));

  it("is shown and deleted", async () => {
    const { said, shown, calls } = await forgotten(before);
    assert.equal(said, `Archive ${before} is gone from target near.`);
    assert.match(
      shown.join("\n"),
      new RegExp(`near {2}${before} {2}no WAL\n.*near {2}${before} {2}20260101`),
    );
    assert.deepEqual(deleted(calls), [`sh /scripts/forget.sh near ${before}`]);
  });

  it("may stay as versions where the bucket keeps them, which is said", async () => {
    const near = {
      kind: "s3",
      bucket: "shop-live",
      endpoint: "https://s3.example.com",
      credentials: { accessKeyId: "an identifier", secretAccessKey: "a secret key" },
    };
    assert.match(
      (await forgotten(before, { near })).said,
      /is gone from target near; where its bucket keeps versions, they stay/,
    );
    assert.match(
      (await forgotten(before, { near: { ...near, preset: "r2" } })).said,
      /is gone from target near\.$/,
    );
  });

  it("stays where the target didn't answer all that was asked: less is shown then than would be deleted", async () => {
    for (const of of [{}, { archiveId: before }, { archiveId: now }]) {
      const more = JSON.stringify({ kind: "refused", target: "near", why: "timeout", ...of });
      const { said, calls } = await forgotten(before, { more });
      const what = "archiveId" in of ? `near  ${of.archiveId}  can't be read` : "near  can't be read";
      assert.match(said, new RegExp(`^${what}: timeout; nothing was deleted: run it again`));
      assert.deepEqual(deleted(calls), []);
    }
    const another = JSON.stringify({ kind: "refused", target: "near", archiveId: "fedcba9876", why: "cold" });
    assert.match((await forgotten(before, { more: another })).said, /is gone from target near/);
  });

  it("stays without a yes", async () => {
    const { said, calls } = await forgotten(before, { FORCE: "" });
    assert.match(said, /^This deletes archive abcdef0123 from target near, for good\. .*FORCE=1/);
    assert.deepEqual(deleted(calls), []);
  });

  type Given = NonNullable<Parameters<typeof forgotten>[1]>;
  const refused: [title: string, archiveId: string | undefined, given: Given, sentence: RegExp][] = [
    [
      "the one that the cluster archives as",
      now,
      {},
      /ARCHIVE_ID: "0123456789" is not allowed: the cluster archives under it\. Allowed: one of target near that has ended \(abcdef0123\)\. Fix: /,
    ],
    [
      "another target's",
      "fedcba9876",
      {},
      /ARCHIVE_ID: "fedcba9876" is not allowed\. Allowed: .*\(abcdef0123\)\. Fix: name/,
    ],
    ["one in a target that has none but the present", before, { target: "far" }, /\(fedcba9876\)/],
    ["none", undefined, {}, /ARCHIVE_ID: "" is not allowed\. Allowed: /],
    ["what is no name", "../main", {}, /ARCHIVE_ID: "\.\.\/main" is not allowed\. Allowed: /],
    ["no target", before, { target: "" }, /TARGET: "" is not allowed\. Allowed: near or far\. Fix: name/],
    [
      "a target that isn't one",
      before,
      { target: "moon" },
      /TARGET: "moon" is not allowed\. Allowed: near or far\./,
    ],
    [
      "one of a store that is away",
      before,
      { seen: JSON.stringify({ kind: "refused", target: "near", why: "403" }) },
      /target near can't be read: 403/,
    ],
    [
      "one that may be the last good one",
      before,
      { verdict: "failed" },
      /archive abcdef0123 of target near stays: no backup of the present archive 0123456789 was found good/,
    ],
  ];
  for (const [title, archiveId, given, sentence] of refused)
    it(`is not deleted: ${title}`, async () => {
      const { said, calls } = await forgotten(archiveId, given);
      assert.match(said, sentence);
      assert.deepEqual(deleted(calls), []);
    });

  it("that the store keeps is said with the store's words, or with those of a script that failed", async () => {
    const why = 'AccessDenied: "it" is \\locked;\nfor good';
    for (const answer of [why, JSON.stringify({ kind: "kept", why })]) {
      const said = answer === why ? "for good" : why;
      assert.equal(
        (await forgotten(before, { answer: `a line\n${answer}\n` })).said,
        `archive abcdef0123 isn't deleted whole from target near: ${said}; run it again once that is fixed`,
      );
    }
  });

  it("is shown with what isn't understood", async () => {
    const { shown } = await forgotten(before, { more: "near;abcdef0123;log;none" });
    assert.match(shown.join("\n"), /the watcher says what isn't understood: near;abcdef0123;log;none/);
    assert.equal(
      (await forgotten(before, { seen: "answers;near;0123456789;none;none" })).said,
      "target near can't be read: the watcher says what isn't understood: answers;near;0123456789;none;none; nothing was deleted: run it again once `make status` sees it.",
    );
  });
});

describe("the script that deletes an archive (a FAKE of rclone)", () => {
  let folder: string;
  const put = (path: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), "");
  };
  const ran = (archiveId: string, more: NodeJS.ProcessEnv = {}, target = "near") =>
    spawnSync("dash", [join(folder, "forget.sh"), target, archiveId], {
      env: {
        PATH: `${fakes}:${process.env.PATH}`,
        TARGETS: "2",
        TARGET_1: "far",
        PLACE_1: join(folder, "other"),
        REPORTS_1: join(folder, "reports/other"),
        TARGET_2: "near",
        PLACE_2: join(folder, "shop"),
        REPORTS_2: join(folder, "reports/shop"),
        ARCHIVE_ID: "now",
        ...more,
      },
      encoding: "utf8",
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-forget-"));
    for (const name of ["forget.sh", "json.sh", "places.sh"])
      writeFileSync(
        join(folder, name),
        readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
      );
    for (const archiveId of ["now", "old"])
      for (const object of ["base/1/backup.info", "base/1/data.tar", "wals/1/1.gz", "dumps/1/dump.json"])
        put(`shop/${archiveId}/${object}`);
    for (const archiveId of ["now", "old"]) put(`reports/shop/${archiveId}/newest.json`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("leaves the others", () => {
    assert.equal(ran("old").status, 0);
    assert.ok(!existsSync(join(folder, "shop/old")));
    assert.ok(!existsSync(join(folder, "reports/shop/old")));
    assert.ok(existsSync(join(folder, "reports/shop/now/newest.json")));
    assert.ok(existsSync(join(folder, "shop/now/base/1/data.tar")));
  });

  it("goes by the target's name, whatever order the settings have by now, and by no unknown one", () => {
    put("other/old/base/1/backup.info");
    assert.equal(ran("old").status, 0);
    assert.ok(existsSync(join(folder, "other/old/base/1/backup.info")));
    const { status, stdout } = ran("now", {}, "elsewhere");
    assert.deepEqual(
      [status, parseResults(stdout, "kept")],
      [1, [{ kind: "kept", why: "no target elsewhere is known here" }]],
    );
  });

  it("never deletes the present one", () => {
    const { status, stdout } = ran("now");
    assert.deepEqual(
      [status, parseResults(stdout, "kept")],
      [1, [{ kind: "kept", why: "it is the one that the cluster archives as" }]],
    );
    assert.ok(existsSync(join(folder, "shop/now/wals/1/1.gz")));
  });

  it("that ends in the middle says why", () => {
    const { status, stdout } = ran("old", { FAKE_REFUSES: "delete", FAKE_WORDS: odd });
    assert.deepEqual([status, parseResults(stdout, "kept")], [1, [{ kind: "kept", why: odd }]]);
  });

  for (const left of ["data.tar", "1.gz"])
    it(`isn't done where the store says so and keeps ${left}; what is left doesn't look whole`, () => {
      const { status, stdout } = ran("old", { FAKE_KEEPS: left });
      const [result] = parseResults(stdout, "kept");
      assert.equal(status, 1);
      assert.match(
        result?.kind === "kept" ? result.why : "",
        new RegExp(`${left} is still there though it was deleted`),
      );
      assert.ok(!existsSync(join(folder, "shop/old/base/1/backup.info")));
      assert.ok(!existsSync(join(folder, "shop/old/dumps/1/dump.json")));
    });
});
