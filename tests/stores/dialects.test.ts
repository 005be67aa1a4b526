import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseResults } from "../../plan/backup/results";
import { places } from "../../plan/backup/pods";
import { addressingStyle, botoVariables, locationOf, type Store, storesOf } from "../../plan/backup/store";
import type { Preset } from "../../settings/schema/targets";
import { changed, checked, smallest } from "../support/settings";
import {
  ARCHIVE_ID,
  at,
  keys,
  Loopback,
  narrow,
  read,
  scriptsFolder,
  shell,
  type Tools,
  tools,
  variables,
} from "./kit";

/**
 * The scripts of the pods with real clients (rclone, Barman's cloud tools, boto) against stores of the tests that behave as others do, by their dialect, on this machine's
 * loopback. No PostgreSQL runs: base backups are of random bytes, by Barman's own classes.
 *
 * Not proven here: R2, B2, AWS and all others themselves, which may refuse more.
 */

const PREFIX = "postgres/main";
const LOCK_SECONDS = 3600;
/** Longer than Barman takes, and shorter than the window. */
const OLD_DAYS = 3;

interface Case {
  readonly dialect: string;
  readonly preset: Preset;
  readonly versions?: true;
  readonly retained?: true;
  readonly lock?: true;
}

const cases: readonly Case[] = [
  { dialect: "r2", preset: "r2", lock: true },
  { dialect: "b2", preset: "b2", retained: true },
  { dialect: "aws", preset: "other", retained: true },
  { dialect: "minio", preset: "minio", versions: true },
  { dialect: "mega", preset: "mega" },
  { dialect: "oss", preset: "oss", versions: true },
];

/** Two stores of the kind s3, as the settings describe them. */
function stores(preset: Preset): [Store, Store] {
  const target = (name: string, more: object) => ({
    name,
    kind: "s3",
    bucket: name,
    endpoint: `https://${name}.example.com`,
    credentials: keys,
    ...more,
  });
  const settings = checked({
    ...changed(smallest(), "cluster.engine", "standalone"),
    ...{ cluster: { ...smallest().cluster, engine: "standalone", instances: 1, durability: "async" } },
    backup: { targets: [target("live", { preset: "minio" }), target("copies", { preset })] },
  });
  const [first, second] = storesOf(settings);
  assert.ok(first && second);
  return [first, second];
}

for (const { dialect, preset, versions, retained, lock } of cases)
  describe(`backups copied to a store that behaves as ${dialect} does (a stand-in before versitygw, real rclone and Barman)`, () => {
    let all: Tools;
    let live: Loopback;
    let copies: Loopback;
    let scripts: string;
    let both: [Store, Store];
    const virtual = dialect === "oss";

    before(async () => {
      all = await tools();
      scripts = scriptsFolder();
      live = await Loopback.start(all, { dialect: "minio", bucket: "live" });
      const prefixes = [`${PREFIX}/`, `_verified/${PREFIX}/`];
      copies = await Loopback.start(all, {
        dialect,
        bucket: "copies",
        narrow: prefixes,
        ...(versions && { versions }),
        ...(retained && { retained }),
        ...(virtual && { virtual }),
        ...(lock && { lock: { prefix: `${PREFIX}/`, seconds: LOCK_SECONDS } }),
      });
      const [first, second] = stores(preset);
      both = [at(first, live), at(second, copies)];
    });
    after(() => [live, copies].forEach((store) => store?.stop()));

    /** As the pods' containers have it: the second store by a key for this cluster's backups alone. */
    function env(work: string, number = 2): Record<string, string> {
      const second = variables(places(both)).RCLONE_CONFIG_TARGET2_ACCESS_KEY_ID;
      assert.equal(second, keys.accessKeyId);
      mkdirSync(join(work, "bin"), { recursive: true });
      execFileSync("ln", ["-sf", all.rclone, join(work, "bin/rclone")]);
      const store = both[number - 1]!;
      const told = variables(places(both));
      // Older scripts had no such options.
      if (process.env.SCRIPTS !== undefined) delete told.RCLONE_CONFIG_TARGET2_UPLOAD_CUTOFF;
      return {
        ...told,
        ...(number === 2 ? copies.python(narrow) : live.python()),
        RCLONE_CONFIG_TARGET2_ACCESS_KEY_ID: narrow.accessKeyId,
        RCLONE_CONFIG_TARGET2_SECRET_ACCESS_KEY: narrow.secretAccessKey,
        // The first store is beside the proxy.
        ...(virtual && { HTTP_PROXY: `http://127.0.0.1:${copies.port}`, NO_PROXY: "127.0.0.1" }),
        PATH: `${work}/bin:${all.barman}:${process.env.PATH}`,
        WORK: work,
        NUMBER: String(number),
        WINDOW_DAYS: "1",
        EXPIRY_SECONDS: "60",
        WAIT_SECONDS: "5",
        DESTINATION: locationOf(store),
        ENDPOINT: store.endpoint ?? "",
        ...botoVariables(store),
        ...(addressingStyle(store) && { ADDRESSING: "virtual" }),
        ...(process.env.SCRIPTS === undefined && { CONTENT_MD5: "yes" }),
      };
    }
    const folder = () => mkdtempSync(join(tmpdir(), "pgp-work-"));

    /** A base backup in the first store; days old, of so many MiB. */
    function base(id: string, days: number, size: number, compression = "gz"): void {
      const args = [join(__dirname, "base.py"), locationOf(both[0]), ARCHIVE_ID, id, String(days)];
      execFileSync(join(all.barman, "python"), [...args, compression, live.endpoint, String(size)], {
        env: { ...live.python(), AWS_REQUEST_CHECKSUM_CALCULATION: "when_required" },
        stdio: ["ignore", "inherit", "pipe"],
      });
    }

    /** A segment in the first store, by Barman's own program. */
    function segment(number: number, content: Buffer): string {
      const name = `0000000100000000000000${number.toString(16).toUpperCase().padStart(2, "0")}`;
      const file = join(folder(), name);
      writeFileSync(file, content);
      execFileSync(
        join(all.barman, "barman-cloud-wal-archive"),
        ["--gzip", "--endpoint-url", live.endpoint, locationOf(both[0]), ARCHIVE_ID, file],
        { env: { ...live.python(), AWS_REQUEST_CHECKSUM_CALCULATION: "when_required" } },
      );
      return name;
    }

    const copy = () => shell([join(scripts, "copy.sh")], env(folder()));
    /** What a verification does when the restored server was found good: keeps, releases, deletes, reports. */
    function verified(backup: string, number = 2) {
      const work = folder();
      const told = env(work, number);
      writeFileSync(join(work, "backup"), `${backup}\n`);
      writeFileSync(join(work, "chosen"), `${Math.floor(Date.now() / 1000)}\n`);
      writeFileSync(join(work, "passed"), "");
      const reports = told[`REPORTS_${number}`] ?? `${told[`PLACE_${number}`]}`;
      const kept = shell(
        ["-c", `rclone cat "${reports}/${ARCHIVE_ID}/kept" 2>/dev/null >"$WORK/kept"; :`],
        told,
      );
      assert.equal(kept.code, 0);
      const serve = `. ${scripts}/barman.sh; : >"$WORK/expiry.log"; if expire; then echo done >"$WORK/expired"; else tail -n 1 "$WORK/expiry.log" >"$WORK/expired"; fi`;
      shell(["-c", serve], told);
      const { code, said } = shell([join(scripts, "report.sh")], told);
      const [report] = parseResults(said, "report");
      return {
        code,
        said,
        expiry: report?.kind === "report" ? report.expiry : said,
        log: read(join(work, "expiry.log")),
        keeps: read(join(work, "keeps")).trim().split("\n"),
      };
    }
    const inCopies = (part: string) => copies.objects().filter((key) => key.includes(part));

    it("takes base backups and WAL, small ones and such as were stored in parts", () => {
      base("20260101T000000", OLD_DAYS, 17);
      base("20260102T000000", OLD_DAYS - 1, 0.1);
      base("20260103T000000", 0, 17);
      segment(1, randomBytes(16 << 20));
      segment(2, Buffer.alloc(16 << 20));
      const { code, said } = copy();
      assert.equal(code, 0, said);
      assert.deepEqual(inCopies("/"), live.objects());
      assert.deepEqual(copies.refusals(), []);
    });

    it("gets nothing twice", () => {
      const { code, said } = copy();
      assert.equal(code, 0, said);
      assert.doesNotMatch(said, /Copied/);
    });

    it("has the result of a verification, of the same backup again and again too", () => {
      for (let times = 0; times < 2; times++) {
        const { code, said, log } = verified("20260103T000000");
        assert.equal(code, 0, said + log);
        assert.doesNotMatch(said, /can't be written/);
        if (lock === undefined) {
          assert.match(said, /"expiry":"done"/);
          assert.deepEqual(copies.refusals(), [], log);
        }
      }
      assert.ok(inCopies("20260103T000000.json").length > 0);
      assert.ok(inCopies("newest.prom").length > 0);
    });

    if (lock === true)
      it("says while the lock holds what isn't deleted, and deletes it afterwards", () => {
        const early = verified("20260103T000000");
        assert.notEqual(early.expiry, "done");
        assert.ok(inCopies("base/20260101T000000/backup.info").length > 0);
        assert.ok(
          copies.refusals().some((line) => line.includes("locked by the bucket policy")),
          early.expiry + early.log,
        );
        copies.age(LOCK_SECONDS + 60);
        const late = verified("20260103T000000");
        assert.equal(late.expiry, "done", late.said + late.log);
      });

    it("has no longer what is outside of the window, but what that begins with", () => {
      assert.deepEqual(inCopies("base/20260101T000000"), []);
      assert.ok(inCopies("base/20260102T000000/backup.info").length > 0);
      assert.ok(inCopies("base/20260103T000000/backup.info").length > 0);
    });

    it("keeps what was verified last, and carries on what it can't release yet", () => {
      base("20260104T000000", -0.001, 0.1);
      assert.equal(copy().code, 0);
      const next = verified("20260104T000000");
      assert.ok(next.keeps.includes("20260104T000000"), next.log);
      assert.ok(inCopies("base/20260104T000000/annotations/keep").length > 0);
      copies.refusals();
    });

    it("is a store whose lock no key of ours opens", function () {
      if (lock !== true && retained !== true) return this.skip();
      const key = `${PREFIX}/${ARCHIVE_ID}/base/20260104T000000/backup.info`;
      const { code, said } = shell(
        ["-c", `rclone deletefile "$PLACE_2/${ARCHIVE_ID}/base/20260104T000000/backup.info" 2>&1`],
        env(folder()),
      );
      if (lock === true) assert.match(said, /ObjectLockedByBucketPolicy|locked by the bucket policy/);
      else {
        // It is a version now, which nobody may delete.
        assert.equal(code, 0, said);
        const program = `import boto3
client = boto3.client("s3", endpoint_url="${copies.endpoint}")
one = next(v for v in client.list_object_versions(Bucket="copies", Prefix="${key}")["Versions"])
try:
    client.delete_object(Bucket="copies", Key="${key}", VersionId=one["VersionId"])
except Exception as error:
    print(error)
client.copy_object(Bucket="copies", Key="${key}", CopySource={"Bucket": "copies", "Key": "${key}", "VersionId": one["VersionId"]})
`;
        assert.match(
          execFileSync(join(all.barman, "python"), ["-c", program], { env: copies.python() }).toString(),
          /AccessDenied|WORM|Object Lock|locked/i,
        );
      }
      copies.refusals();
    });

    it("is a store that a key of ours can do nothing else in", () => {
      const refused = (command: string) => {
        const { code, said } = shell(["-c", command], env(folder()));
        assert.notEqual(code, 0, command);
        assert.match(said, /403|AccessDenied|Forbidden/, command);
      };
      refused("echo x | rclone --retries 1 rcat target2:copies/other/cluster/a");
      refused("rclone --retries 1 lsf target2:");
      copies.refusals();
    });

    it("forgets an archive that has ended, and what a bucket with versions keeps can be got back", () => {
      copies.age(LOCK_SECONDS + 60);
      const told = { ...env(folder()), ARCHIVE_ID: "aaaaaaaaaa" };
      const { code, said } = shell([join(scripts, "forget.sh"), "copies", ARCHIVE_ID], told);
      assert.equal(code, 0, said);
      assert.deepEqual(inCopies(ARCHIVE_ID), []);
      if (versions === true || retained === true) {
        const program = `import boto3
from botocore.config import Config
client = boto3.client("s3", endpoint_url="${copies.endpoint}", config=Config(s3={"addressing_style": "${virtual ? "virtual" : "path"}"}))
print(len(client.list_object_versions(Bucket="copies", Prefix="${PREFIX}/${ARCHIVE_ID}/base/20260103T000000/")["Versions"]))
`;
        const kept = execFileSync(join(all.barman, "python"), ["-c", program], { env: copies.python() });
        assert.ok(Number(kept.toString()) > 0);
      }
    });
  });

describe("base backups in parts (Barman's own classes)", () => {
  let all: Tools;
  const archived = async (dialect: string, compression: string) => {
    all = await tools();
    const store = await Loopback.start(all, { dialect, bucket: "live" });
    try {
      const args = [
        join(__dirname, "base.py"),
        "s3://live/a",
        ARCHIVE_ID,
        "1",
        "0",
        compression,
        store.endpoint,
        "30",
      ];
      execFileSync(join(all.barman, "python"), args, {
        env: { ...store.python(), AWS_REQUEST_CHECKSUM_CALCULATION: "when_required" },
        stdio: ["ignore", "ignore", "pipe"],
      });
      return store.refusals();
    } catch (error) {
      return [...store.refusals(), (error as { stderr?: Buffer }).stderr?.toString() ?? String(error)];
    } finally {
      store.stop();
    }
  };
  for (const dialect of ["r2", "mega"]) {
    for (const compression of ["gz", "none"])
      it(`are of one size with ${compression}, which ${dialect} takes`, async () =>
        assert.deepEqual(await archived(dialect, compression), []));
    it(`are of different sizes with lz4, which ${dialect} refuses`, async () =>
      assert.match(
        (await archived(dialect, "lz4")).join("\n"),
        /All non-trailing parts must have the same length/,
      ));
  }
  it("are taken from lz4 by a store that takes parts of any size", async () =>
    assert.deepEqual(await archived("b2", "lz4"), []));
});
