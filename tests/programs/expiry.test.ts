import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
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
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseResults } from "../../plan/backup/results";

/** What the scripts say of what should be gone, and how often they look into a store, with a FAKE of rclone over folders. */

const scripts = join(__dirname, "../../plan/backup/scripts");
const fakes = join(__dirname, "../fakes/walg");
const DAY = 86_400;
const now = Math.floor(Date.now() / 1000);
const segment = (number: number) =>
  `0000000100000000000000${number.toString(16).toUpperCase().padStart(2, "0")}`;

let folder: string;
const put = (path: string, text = "", days = 0): void => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, now - days * DAY, now - days * DAY);
};
const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: `${fakes}:${process.env.PATH}`,
  TARGETS: "1",
  TARGET_1: "near",
  PLACE_1: "shop",
  REPORTS_1: "reports",
  ARCHIVE_ID: "now",
  STATE: join(folder, "state"),
  WORK: join(folder, "work"),
  NUMBER: "1",
  EXPIRY_SECONDS: "60",
  WINDOW_DAYS: "7",
  ...more,
});
const ran = (command: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  spawnSync("dash", command, { cwd: folder, env: env(more), encoding: "utf8" });

/** What a verification says of its expiry when the tool said that it was done. */
function expiry(keeps: readonly string[], more: NodeJS.ProcessEnv = {}): string {
  put("work/passed");
  put("work/expired", "done\n");
  put("work/chosen", `${now}\n`);
  put("work/backup", "newest\n");
  put("work/keeps", keeps.map((id) => `${id}\n`).join(""));
  const { stdout, stderr } = ran([join(folder, "report.sh")], more);
  const [report] = parseResults(stdout, "report");
  return report?.kind === "report" ? report.expiry : `${stdout}${stderr}`;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pgp-expiry-"));
  for (const name of ["state", "work"]) mkdirSync(join(folder, name));
  for (const name of readdirSync(scripts))
    writeFileSync(
      join(folder, name),
      readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
    );
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("an expiry that its tool calls done (a FAKE of rclone)", () => {
  /** Barman's base backup that ended so many days ago. */
  const base = (id: string, days: number, status = "DONE"): void => {
    const time = new Date((now - days * DAY) * 1000).toISOString().slice(0, 19).replace("T", " ");
    put(`shop/now/base/${id}/backup.info`, `status=${status}\nbegin_time=${time}\nend_time=${time}\n`);
  };

  it("is done when only what the window takes is left", () => {
    base("20260101T000000", 9);
    base("20260105T000000", 2);
    assert.equal(expiry([]), "done");
  });

  it("isn't where an older base backup is still there", () => {
    base("20260101T000000", 20);
    base("20260102T000000", 9);
    base("20260105T000000", 2);
    assert.equal(expiry([]), "the base backup 20260101T000000 is still there though it was deleted");
  });

  it("is where that one is kept, or was never whole", () => {
    base("20260101T000000", 20);
    base("20251231T000000", 21, "FAILED");
    base("20260102T000000", 9);
    base("20260105T000000", 2);
    assert.equal(expiry(["20260101T000000"]), "done");
  });

  it("is while no base backup is older than the window", () => {
    base("20260105T000000", 2);
    assert.equal(expiry([]), "done");
  });

  it("keeps the list of what is kept, also for a base backup that couldn't be released", () => {
    base("20260105T000000", 2);
    expiry(["20260105T000000", "20260101T000000"]);
    assert.equal(
      readFileSync(join(folder, "reports/now/kept"), "utf8"),
      "20260105T000000\n20260101T000000\n",
    );
  });

  describe("of WAL-G's, which hears no error of a single object", () => {
    const whole = (number: number, days: number, more = ""): string => {
      const id = `base_${segment(number)}${more}`;
      put(`shop/now/basebackups_005/${id}/tar_partitions/part`);
      put(`shop/now/basebackups_005/${id}_backup_stop_sentinel.json`, "{}", days);
      return id;
    };
    const log = (...numbers: number[]) =>
      numbers.forEach((number) => put(`shop/now/wal_005/${segment(number)}.br`));

    it("is done with all since the whole one that the window's difference begins with", () => {
      whole(4, 12);
      whole(6, 9, `_D_${segment(4)}`);
      whole(8, 2);
      log(4, 5, 6, 7, 8);
      assert.equal(expiry([], { TOOL: "walg" }), "done");
    });

    it("isn't where a base backup, or a segment, from before is still there", () => {
      const id = whole(2, 20);
      whole(4, 12);
      whole(8, 2);
      log(3, 4, 8);
      assert.equal(
        expiry([], { TOOL: "walg" }),
        `the base backup ${id} is still there though it was deleted`,
      );
      rmSync(join(folder, `shop/now/basebackups_005/${id}`), { recursive: true });
      rmSync(join(folder, `shop/now/basebackups_005/${id}_backup_stop_sentinel.json`));
      assert.equal(
        expiry([], { TOOL: "walg" }),
        `the segment ${segment(3)} is still there though it was deleted`,
      );
      rmSync(join(folder, `shop/now/wal_005/${segment(3)}.br`));
      assert.equal(expiry([], { TOOL: "walg" }), "done");
    });
  });
});

describe("how often a store is looked at (a FAKE of rclone)", () => {
  const paused = (more: NodeJS.ProcessEnv, missing = "no", hurried = 0, listed = 0): number => {
    const text = readFileSync(join(scripts, "watch.sh"), "utf8");
    const part = (pattern: RegExp) => pattern.exec(text)?.[0] ?? assert.fail(String(pattern));
    put("state/listed", "x\n".repeat(listed));
    const command = [
      part(/^LISTS=\d+$/m),
      part(/^HURRY=\d+$/m),
      part(/^pause\(\) \{\n[\s\S]*?^\}$/m),
      `LISTED=$STATE/listed missing=${missing} hurried=${hurried}; pause 1`,
    ].join("\n");
    const { stdout, stderr } = ran(["-uc", command], more);
    assert.equal(stderr, "");
    return Number(stdout);
  };

  it("is twice a minute, and more often while something is missing", () => {
    assert.equal(paused({}), 30);
    assert.equal(paused({}, "yes"), 10);
  });

  it("is as rarely as the store's requests last for a day, those for a long folder among them", () => {
    for (const allowed of [2000, 20_000, 25_000])
      for (const listed of [0, 900, 20_000]) {
        const seconds = paused({ LISTS_1: String(allowed) }, "no", 0, listed);
        const requests = 9 + 2 * Math.floor(listed / 1000);
        assert.ok((86_400 / (seconds + 1)) * requests <= allowed, `${allowed} ${listed} ${seconds}`);
        assert.ok(seconds >= 30);
      }
  });

  it("isn't often for ever where something is missing for long", () => {
    assert.equal(paused({ LISTS_1: "2000" }, "yes"), 10);
    assert.equal(paused({ LISTS_1: "2000" }, "yes", 1000), paused({ LISTS_1: "2000" }));
  });

  it("is at once when the operations ask", async () => {
    put("shop/now/wals/0000000100000000/000000010000000000000001.gz");
    put(
      "shop/now/base/20260102T000000/backup.info",
      "status=DONE\nbegin_time=2026-01-02 00:00:00\nend_time=2026-01-02 00:00:10\n",
    );
    const status = join(folder, "state/status.txt");
    const watcher = spawn("dash", [join(folder, "watch.sh")], {
      cwd: folder,
      env: env({ LISTS_1: "10" }),
      stdio: "ignore",
    });
    const appears = async () => {
      for (let tries = 0; tries < 1000 && !existsSync(status); tries++) await delay(20);
      assert.ok(existsSync(status));
    };
    try {
      await appears();
      rmSync(status);
      put("state/look");
      await appears();
      assert.ok(!existsSync(join(folder, "state/look")));
    } finally {
      watcher.kill();
    }
  });
});
