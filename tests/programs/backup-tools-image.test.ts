import assert from "node:assert/strict";
import { spawn, type ChildProcess, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseResults } from "../../plan/backup/results";
import { cacheDir, projectDir } from "../../shell/paths";
import { builtImage } from "../support/builtImages";

/**
 * The scripts that look into stores, in the root file system of the image in which they run (BusyBox and rclone, built here) and against versitygw.
 * Only as root, and where both were built before: `make up` with a backup does.
 */

const START = "000000010000000000000002";
const NEXT = "000000010000000000000003";
const BASE = "20261129T100000";

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

function versitygw(): string | undefined {
  const folder = join(cacheDir, "go/versitygw");
  const keys = existsSync(folder)
    ? readdirSync(folder).filter((key) => existsSync(join(folder, key, ".made")))
    : [];
  return keys[0] === undefined ? undefined : join(folder, keys[0], "versitygw");
}

describe("scripts in the content of the image backup-tools (built here, with BusyBox and rclone; against versitygw)", function () {
  this.timeout(120_000);
  let folder = "";
  let root = "";
  let store: ChildProcess | undefined;
  let env: Record<string, string>;

  const inside = (command: readonly string[], more: Record<string, string> = {}, input = "") =>
    spawnSync("chroot", [root, ...command], { env: { ...env, ...more }, encoding: "utf8", input });
  const script = (name: string, more: Record<string, string> = {}, ...args: string[]) => {
    const { status, stdout, stderr } = inside(["sh", `/scripts/${name}`, ...args], more);
    return { status, stdout, all: stdout + stderr };
  };
  const put = (path: string, content: string) => {
    const { status, stderr } = inside(["rclone", "rcat", `target1:near/main/gen1/${path}`], {}, content);
    assert.equal(status, 0, stderr);
  };

  before(async function () {
    const image = await builtImage("backupTools");
    const program = versitygw();
    if (process.getuid?.() !== 0 || image === undefined || program === undefined) return this.skip();
    folder = mkdtempSync(join(tmpdir(), "pgp-backup-tools-"));
    root = join(folder, "root");
    for (const path of [
      "root/scripts",
      "root/dev",
      "root/work",
      "root/state",
      "root/dumps",
      "store/near",
      "store/far",
    ])
      mkdirSync(join(folder, path), { recursive: true });
    spawnSync("sh", ["-c", 'tar -xOf "$1" "$2" | tar -C "$3" -xf -', "unpack", image.tar, image.layer, root]);
    cpSync(join(projectDir, "plan/backup/scripts"), join(root, "scripts"), { recursive: true });
    if (spawnSync("mknod", ["-m", "666", join(root, "dev/null"), "c", "1", "3"]).status !== 0)
      return this.skip();
    const port = await freePort();
    store = spawn(program, ["posix", join(folder, "store")], {
      stdio: "ignore",
      env: {
        ROOT_ACCESS_KEY_ID: "key",
        ROOT_SECRET_ACCESS_KEY: "secret",
        VGW_PORT: `127.0.0.1:${port}`,
        VGW_REGION: "local",
        VGW_QUIET: "true",
      },
    });
    const options = {
      TYPE: "s3",
      PROVIDER: "Other",
      REGION: "local",
      ENDPOINT: `http://127.0.0.1:${port}`,
      FORCE_PATH_STYLE: "true",
      NO_CHECK_BUCKET: "true",
      ACCESS_KEY_ID: "key",
      SECRET_ACCESS_KEY: "secret",
    };
    env = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/tmp",
      RCLONE_CONFIG: "/dev/null",
      ARCHIVE_ID: "gen1",
      TARGETS: "2",
      TARGET_1: "near",
      PLACE_1: "target1:near/main",
      TARGET_2: "far",
      PLACE_2: "target2:far/main",
      NUMBER: "1",
      WORK: "/work",
      STATE: "/state",
      ...Object.fromEntries(
        [1, 2].flatMap((number) =>
          Object.entries(options).map(([name, value]) => [`RCLONE_CONFIG_TARGET${number}_${name}`, value]),
        ),
      ),
    };
    while (inside(["rclone", "lsf", "target1:near"]).status !== 0) {
      assert.equal(store.exitCode, null, "versitygw has ended: does the temporary folder have user xattrs?");
      await delay(100);
    }
    const times = ["begin_time=2026-11-29 10:00:00.123+00:00", "end_time=2026-11-29 10:01:00.5+00:00"];
    put(`base/${BASE}/data.tar`, "x".repeat(100_000));
    put(`base/${BASE}/backup.info`, ["status=DONE", `begin_wal=${START}`, ...times, ""].join("\n"));
    for (const name of [START, NEXT]) put(`wals/0000000100000000/${name}.gz`, "wal");
  });

  after(() => {
    store?.kill();
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  it("list what is there", () => {
    const { status, stdout, all } = script("list.sh");
    assert.equal(status, 0, all);
    assert.deepEqual(
      parseResults(stdout, "wal", "base").map((result) => result.kind),
      ["wal", "base"],
    );
    assert.match(stdout, new RegExp(`"segment":"${NEXT}"`));
  });

  it("copy it to the second store, and nothing twice", () => {
    for (const again of [false, true]) {
      const { status, all } = script("copy.sh");
      assert.equal(status, 0, all);
      assert.match(all, new RegExp(`copied from near to far: WAL until ${NEXT}`));
      assert.equal(all.includes("There was nothing to transfer"), again);
    }
  });

  it("watch both stores", async () => {
    const watcher = spawn("chroot", [root, "sh", "/scripts/watch.sh"], { env, stdio: "ignore" });
    const seen = join(root, "state/status.txt");
    while (!existsSync(seen) || readFileSync(seen, "utf8") === "") await delay(100);
    watcher.kill("SIGKILL");
    assert.deepEqual(
      parseResults(readFileSync(seen, "utf8"), "answers").map(({ kind }) => kind),
      ["answers", "answers"],
    );
    const metrics = readFileSync(join(root, "state/metrics.txt"), "utf8");
    assert.match(metrics, /^pgplatform_backup_target_up\{target="far",archive_id="gen1"\} 1$/m);
    assert.match(
      metrics,
      /^pgplatform_backup_base_timestamp_seconds\{target="near",archive_id="gen1"\} \d{10}$/m,
    );
  });

  it("choose what to restore, and report it with a dump", () => {
    const { status, all } = script("choose.sh", { WAIT_SECONDS: "5" });
    assert.equal(status, 0, all);
    assert.equal(readFileSync(join(root, "work/backup"), "utf8").trim(), BASE);
    assert.deepEqual(readFileSync(join(root, "work/segments"), "utf8").trim().split("\n"), [START, NEXT]);
    writeFileSync(join(root, "work/passed"), "");
    writeFileSync(join(root, "work/expired"), "done\n");
    writeFileSync(join(root, "work/result"), "rto_seconds 3\nrpo_seconds 1\nbytes 100\nschema app abc\n");
    writeFileSync(join(root, "dumps/app.dump"), "a dump");
    const report = script("report.sh", { EXPIRY_SECONDS: "5", DUMPS: "/dumps", WINDOW_DAYS: "7" });
    assert.equal(report.status, 0, report.all);
    const [result] = parseResults(report.stdout, "report");
    assert.equal(result?.kind, "report");
    assert.match(report.stdout, /"result":"passed".*"dump":"\d{8}T\d{6}"/);
    assert.match(script("list.sh").stdout, /"kind":"dump"/);
  });

  it("find what is to be restored, and say which archives there are where it isn't", () => {
    const asked = {
      SOURCE: "target1:near/main/gen1",
      ARCHIVE_ID: "new1",
      WAIT_SECONDS: "5",
      WORDS: "/work/words",
    };
    assert.match(script("source.sh", asked).stdout, new RegExp(`base backup ${BASE} is there`));
    const wrong = script("source.sh", { ...asked, SOURCE: "target1:near/main/gen2" });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stdout, /"kind":"absent","archiveIds":\["gen1"\]/);
  });

  it("delete an archive", () => {
    const { status, all } = script("forget.sh", { ARCHIVE_ID: "other" }, "far", "gen1");
    assert.equal(status, 0, all);
    assert.equal(inside(["rclone", "lsf", "-R", "target2:far"]).stdout, "");
    assert.match(inside(["rclone", "lsf", "-R", "target1:near"]).stdout, /backup\.info/);
  });
});
