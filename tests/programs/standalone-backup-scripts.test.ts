import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run } from "../../shell/process";

const pod = join(__dirname, "..", "..", "plan", "engines", "standalone", "pod");
const segment = "000000010000000000000007";

/**
 * The scripts of backups and restores with real bash, Python and files, and with programs of PostgreSQL's and Barman's names that only write
 * down what they are told, and answer as they are told. What the real ones do the end-to-end tests show.
 */
describe("the scripts of a standalone server that back up and restore", function () {
  this.timeout(60_000);
  let folder: string;
  let server: Server | undefined;
  const at = (...path: string[]) => join(folder, ...path);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "standalone-"));
    await mkdir(at("bin"));
    await cp(pod, at("config"), { recursive: true });
    await writeFile(at("config", "archiveId"), "aaaaaaaaaa\n");
  });
  afterEach(async () => {
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function program(name: string, text: string): Promise<void> {
    await writeFile(at("bin", name), `#!/bin/bash\n${text}\n`);
    await chmod(at("bin", name), 0o755);
  }
  async function start(command: string, args: readonly string[], env: Record<string, string>) {
    const { exitCode, stderr, stdout } = await run(command, args, {
      env: { PATH: `${at("bin")}:${process.env.PATH}`, ...env },
      allowFailure: true,
    });
    return { status: exitCode, said: stderr, out: stdout };
  }
  const bash = (script: string, args: readonly string[], env: Record<string, string>) =>
    start("/bin/bash", [at("config", script), ...args], env);

  /** Answers requests for WAL files with these lines, one after the other; returns the port, and what was asked. */
  async function archiver(answers: readonly string[]): Promise<{ port: string; asked: string[] }> {
    const asked: string[] = [];
    server = createServer((socket) => {
      socket.on("data", (text) => {
        asked.push(text.toString().trim());
        socket.end(`${answers[asked.length - 1] ?? answers.at(-1)}\n`);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: String((server.address() as AddressInfo).port), asked };
  }

  describe("archive.sh with a store", () => {
    const archive = async (answers: readonly string[]) => {
      await mkdir(at("archive"), { recursive: true });
      await writeFile(at("segment"), "content");
      const { port, asked } = await archiver(answers);
      const env = { ARCHIVE: at("archive"), STORE_PORT: port };
      return { ...(await bash("archive.sh", [at("segment"), segment], env)), asked };
    };

    it("has archived a segment when it is on the volume and in the store", async () => {
      const { status, asked } = await archive(["0 archived"]);
      assert.deepEqual([status, asked], [0, [`archive ${segment}`]]);
      assert.deepEqual(await readdir(at("archive")), [`${segment}.gz`]);
    });

    it("hasn't when the store refuses, and says why; what is on the volume is sent again", async () => {
      const { status, said } = await archive(["4 barman-cloud-wal-archive ended with status 4"]);
      assert.notEqual(status, 0);
      assert.match(said, new RegExp(`archive ${segment}: barman-cloud-wal-archive ended with status 4`));
      server?.close();
      assert.equal((await archive(["0 archived"])).status, 0);
    });

    it("hasn't when no server answers", async () => {
      const { port } = await archiver([]);
      server?.close();
      await mkdir(at("archive"));
      await writeFile(at("segment"), "content");
      const { status, said } = await bash("archive.sh", [at("segment"), segment], {
        ARCHIVE: at("archive"),
        STORE_PORT: port,
      });
      assert.notEqual(status, 0);
      assert.match(said, /the container archiver doesn't answer/);
    });
  });

  describe("fetch.sh", () => {
    const fetch = async (answers: readonly string[]) => {
      await writeFile(at("fetched"), "log");
      const { port, asked } = await archiver(answers);
      return { ...(await bash("fetch.sh", [segment, at("wanted")], { STORE_PORT: port })), asked };
    };

    it("puts a file where PostgreSQL wants it, and ends with 1 where the store has none", async () => {
      assert.equal((await fetch([`0 ${at("fetched")}`])).status, 0);
      assert.equal(await readFile(at("wanted"), "utf8"), "log");
      server?.close();
      assert.equal((await fetch(["1 not there"])).status, 1);
    });

    it("takes an error for nothing else: it asks again", async () => {
      const { status, asked } = await fetch(["4 refused", "4 refused", `0 ${at("fetched")}`]);
      assert.deepEqual([status, asked.length], [0, 3]);
    });
  });

  it("unpack.sh says that there is no more log only where there is none", async () => {
    await mkdir(at("wal"));
    await writeFile(at("wal", `${segment}.gz`), gzipSync("log"));
    const unpack = async (name: string) =>
      (await bash("unpack.sh", [at("wal"), name, at("wanted")], {})).status;
    assert.equal(await unpack(segment), 0);
    assert.equal(await readFile(at("wanted"), "utf8"), "log");
    assert.equal(await unpack("000000010000000000000008"), 1);
    await writeFile(at("wal", `${segment}.gz`), "damaged");
    assert.equal(await unpack(segment), 255);
  });

  describe("keep.sh", () => {
    /** Starts it, waits until it has looked at the archive, and ends it. */
    const looked = async (well: "t" | "f"): Promise<string> => {
      await mkdir(at("state"), { recursive: true });
      await program(
        "psql",
        `case "$*" in *last_archived_time*) echo ${well} ;; *system_identifier*) echo 42 ;; *) echo ${segment} ;; esac`,
      );
      await writeFile(at("config", "expiry"), "30 7\n");
      await writeFile(at("config", "expire.sh"), `echo "$*" > ${at("expired")}\n`);
      const names = ["CONFIG", "TLS", "SQL", "PASSWORDS", "LOG", "ARCHIVE_VOLUME"];
      const child = spawn("/bin/bash", [at("config", "keep.sh")], {
        env: {
          PATH: `${at("bin")}:${process.env.PATH}`,
          ...Object.fromEntries(names.map((name) => [name, at("config")])),
          STATE: at("state"),
        },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", (text: Buffer) => (said += text.toString()));
      while (!said.includes("archived")) await once(child.stderr, "data");
      child.kill("SIGTERM");
      await once(child, "exit");
      return said;
    };

    it("marks whether WAL gets into the archive, for the pod's readiness, and says when it doesn't", async () => {
      await looked("t");
      assert.deepEqual(await readdir(at("state")), ["archiving"]);
      assert.match(await looked("f"), new RegExp(`WAL is not archived: ${segment} is tried again and again`));
      assert.deepEqual(await readdir(at("state")), []);
    });

    it("has the archive volume cleared, by the days that its configuration gives", async () => {
      await looked("t");
      assert.equal(await readFile(at("expired"), "utf8"), "42 30 7\n");
    });
  });

  describe("expire.sh", () => {
    const now = Date.now();
    const DAY = 86_400_000;
    const ago = (days: number) => new Date(now - days * DAY);
    const nameOf = (days: number) => `${ago(days).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    const base = (...path: string[]) => at("archive", "base", "42", ...path);
    const expire = async (...days: number[]) => {
      await program("pg_archivecleanup", `echo "$*" > ${at("cleaned")}`);
      await mkdir(at("archive", "wal", "42"), { recursive: true });
      for (const age of days) {
        await mkdir(base(nameOf(age)), { recursive: true });
        await writeFile(base(nameOf(age), "start"), `from-${age}\n`);
      }
      const { status } = await bash("expire.sh", ["42", "30", "7"], { ARCHIVE_VOLUME: at("archive") });
      assert.equal(status, 0);
      const left = await readdir(base()).catch((): string[] => []);
      const cleaned = await readFile(at("cleaned"), "utf8").catch(() => "nothing");
      return {
        left: days.filter((age) => left.includes(nameOf(age))),
        cleaned: cleaned.trim().split(" ").at(-1),
        count: left.length,
      };
    };

    it("keeps WAL from the newest base backup before its days on", async () => {
      assert.deepEqual(await expire(40, 31, 20, 9, 8, 3, 0), {
        left: [20, 9, 8, 3, 0],
        cleaned: "from-8",
        count: 5,
      });
    });

    it("never deletes the newest, nor what the days of log begin with", async () => {
      assert.deepEqual(await expire(50, 40), { left: [40], cleaned: "from-40", count: 1 });
    });

    it("keeps what is older than both where nothing else begins the days of log", async () => {
      assert.deepEqual((await expire(45, 2)).left, [45, 2]);
    });

    it("keeps all log since the oldest while that is younger", async () =>
      assert.deepEqual(await expire(3, 1), { left: [3, 1], cleaned: "from-3", count: 2 }));

    it("deletes nothing where the base backups can't be listed: that isn't having none", async () => {
      const old = at("archive", "wal", "42", "old.gz");
      await mkdir(base(), { recursive: true });
      await mkdir(at("archive", "wal", "42"), { recursive: true });
      await writeFile(old, "");
      await utimes(old, ago(90), ago(90));
      await program(
        "find",
        'case "$*" in *base/*) echo "find: Input/output error" >&2; exit 1 ;; esac; exec /usr/bin/find "$@"',
      );
      const { status } = await bash("expire.sh", ["42", "30", "7"], { ARCHIVE_VOLUME: at("archive") });
      assert.notEqual(status, 0);
      assert.ok(existsSync(old));
    });

    it("deletes by age while there is none, but no timeline's history", async () => {
      await mkdir(at("archive", "wal", "42"), { recursive: true });
      for (const [name, age] of [
        ["1.gz", 9],
        ["00000002.history.gz", 9],
        ["2.gz", 1],
      ] as const) {
        await writeFile(at("archive", "wal", "42", name), "");
        await utimes(at("archive", "wal", "42", name), ago(age), ago(age));
      }
      assert.equal((await expire()).cleaned, "nothing");
      assert.deepEqual((await readdir(at("archive", "wal", "42"))).sort(), ["00000002.history.gz", "2.gz"]);
    });

    it("leaves what belonged to another database cluster", async () => {
      await mkdir(at("archive", "base", "41", nameOf(99)), { recursive: true });
      await expire(2);
      assert.deepEqual(await readdir(at("archive", "base", "41")), [nameOf(99)]);
    });
  });

  describe("base.sh", () => {
    const label = `START WAL LOCATION: 0/7000028 (file ${segment})\nCHECKPOINT LOCATION: 0/7000060\n`;
    const base = async (
      size: string,
      copy = `cd ${at("made")} && tar -czf "$folder/base.tar.gz" backup_label PG_VERSION`,
    ) => {
      await mkdir(at("made"), { recursive: true });
      await mkdir(at("archive"), { recursive: true });
      await writeFile(at("made", "backup_label"), label);
      await writeFile(at("made", "PG_VERSION"), "x".repeat(3_000_000));
      await program(
        "psql",
        `case "$*" in *IDENTIFY_SYSTEM*) echo '42|1|0/7000000|' ;; *) echo ${size} ;; esac`,
      );
      await program(
        "pg_basebackup",
        `echo "$*" > ${at("told")}; for a; do case $a in --pgdata=*) folder=\${a#*=} ;; esac; done; mkdir "$folder" && ${copy}`,
      );
      return bash("base.sh", [], { ARCHIVE_VOLUME: at("archive") });
    };
    const made = async () =>
      (await readdir(at("archive", "base", "42"))).filter((name) => !name.startsWith("."));

    it("is there under its name with the segment that a recovery from it begins with", async () => {
      const { status, said } = await base("1000");
      assert.equal(status, 0, said);
      const [name = ""] = await made();
      assert.match(name, /^\d{8}T\d{6}Z$/);
      assert.equal(await readFile(at("archive", "base", "42", name, "start"), "utf8"), `${segment}\n`);
      assert.match(
        await readFile(at("told"), "utf8"),
        /--format=tar --compress=client-gzip:1 --wal-method=stream --checkpoint=fast/,
      );
    });

    it("isn't begun where it might fill the volume", async () => {
      const { status, said } = await base("99999999999999999");
      assert.equal(status, 1);
      assert.match(
        said,
        /raise pgplatform:cluster\.storage\.archiveSize, or lower backup\.volume\.baseBackupDays/,
      );
      assert.deepEqual(await made(), []);
    });

    it("leaves nothing under a name when it breaks off, and starts again", async () => {
      assert.notEqual((await base("1000", 'echo half > "$folder/base.tar.gz"; exit 1')).status, 0);
      assert.deepEqual(await made(), []);
      assert.equal((await base("1000")).status, 0);
      assert.equal((await made()).length, 1);
    });
  });

  describe("recover.sh", () => {
    const recover = async (decision: string) => {
      for (const name of ["20260101T020000Z", "20260102T020000Z"]) {
        const backup = at("archive", "base", "42", name);
        await mkdir(backup, { recursive: true });
        await mkdir(at("made", "pg_wal"), { recursive: true });
        await writeFile(at("made", "which"), name);
        await writeFile(at("made", "pg_wal", segment), "log");
        await run("tar", ["-C", at("made"), "-czf", join(backup, "base.tar.gz"), "which"]);
        await run("tar", ["-C", at("made", "pg_wal"), "-czf", join(backup, "pg_wal.tar.gz"), "."]);
      }
      await mkdir(at("data"), { recursive: true });
      await writeFile(at("archive", "restore"), `${decision}\n`);
      return bash("recover.sh", [], {
        PGDATA: at("data", "pgdata"),
        ARCHIVE_VOLUME: at("archive"),
        CONFIG: at("config"),
      });
    };
    const which = () => readFile(at("data", "pgdata", "which"), "utf8");
    const told = () => readFile(at("data", "pgdata", "postgresql.auto.conf"), "utf8");

    it("begins with the newest base backup for the newest that was archived", async () => {
      assert.equal((await recover("latest")).status, 0);
      assert.equal(await which(), "20260102T020000Z");
      assert.match(
        await told(),
        new RegExp(`restore_command = '.*/unpack\\.sh ${at("archive", "wal", "42")} `),
      );
      assert.doesNotMatch(await told(), /recovery_target_time =/);
      assert.deepEqual((await readdir(at("data", "pgdata"))).sort(), [
        "pg_wal",
        "postgresql.auto.conf",
        "recovery.signal",
        "which",
      ]);
    });

    it("begins with the newest before a moment, which it writes as PostgreSQL reads it there", async () => {
      assert.equal((await recover("2026-01-02T01:00:00.5+01:00")).status, 0);
      assert.equal(await which(), "20260101T020000Z");
      assert.match(await told(), /recovery_target_time = '2026-01-02 00:00:00\.500000\+00'/);
    });

    it("says which there are where none is old enough, and restores nothing", async () => {
      const { status, said } = await recover("2025-01-01T00:00:00Z");
      assert.equal(status, 1);
      assert.match(said, /no base backup ended before 2025-.*there are 20260101T020000Z 20260102T020000Z/);
      await assert.rejects(which());
    });

    it("leaves the data to be made again where an operator says so", async () => {
      assert.equal((await recover("new")).status, 0);
      await assert.rejects(which());
    });
  });

  describe("store.py", () => {
    before(async function () {
      try {
        await run("python3", ["--version"]);
      } catch {
        this.skip();
      }
    });
    const backups = [
      {
        backup_id: "20260101T020000",
        status: "DONE",
        end_time_iso: "2026-01-01T02:05:00+00:00",
        end_xlog: "0/5000000",
      },
      {
        backup_id: "20260102T020000",
        status: "DONE",
        end_time_iso: "2026-01-02T02:05:00+00:00",
        end_xlog: "1/0",
      },
      { backup_id: "20260103T020000", status: "FAILED" },
    ];
    const place = (prefix: string) =>
      Object.fromEntries(
        Object.entries({
          LOCATION: "s3://bucket/shop/main",
          REGION: "eu-1",
          ACCESS_KEY_ID: "id",
          SECRET_ACCESS_KEY: "key",
          ENDPOINT: "https://store:7070",
          CA: "/ca.crt",
          PLAIN_CHECKSUMS: "yes",
        }).map(([name, value]) => [`${prefix}_${name}`, value]),
      );
    const calls = () => readFile(at("calls"), "utf8").catch(() => "");
    const write = `echo "\${0##*/} $*" >> "$CALLS"; env | grep ^AWS | sort > "$CALLS.env"`;

    const restore = async (target: object, more: Record<string, string> = {}) => {
      await mkdir(at("data"), { recursive: true });
      await program(
        "barman-cloud-backup-list",
        `${write}; echo '${JSON.stringify({ backups_list: backups })}'`,
      );
      await program(
        "barman-cloud-restore",
        `${write}; mkdir -p "\${@: -1}" && echo 17 > "\${@: -1}/PG_VERSION" && echo old > "\${@: -1}/postgresql.auto.conf"`,
      );
      return start("python3", [at("config", "store.py"), "restore"], {
        ...place("ORIGIN"),
        ORIGIN_SERVER: "bbbbbbbbbb",
        PGDATA: at("data", "pgdata"),
        TARGET: JSON.stringify(target),
        MAJOR: "17",
        FETCH: "fetch it's",
        CALLS: at("calls"),
        ...more,
      });
    };
    const restored = async () => /barman-cloud-restore .* (\S+) \S+\n/.exec(await calls())?.[1];

    const cases: [title: string, target: object, backup: string][] = [
      ["the newest", {}, "20260102T020000"],
      ["a moment", { time: "2026-01-02T03:04:59+01:00" }, "20260101T020000"],
      ["the moment at which a base backup ended", { time: "2026-01-02T02:05:00Z" }, "20260102T020000"],
      ["an LSN", { lsn: "0/FFFFFFFF" }, "20260101T020000"],
      ["a restore point, which is somewhere behind the oldest", { name: "before" }, "20260101T020000"],
    ];
    for (const [title, target, backup] of cases)
      it(`restores to ${title} from the right base backup, never from one that failed`, async () => {
        const { status, said } = await restore(target);
        assert.equal(status, 0, said);
        assert.equal(await restored(), backup);
      });

    it("has the server recover as it was told, and forget what an earlier recovery was told", async () => {
      await restore({ time: "2026-01-02T02:05:00.25Z" });
      assert.equal(
        await readFile(at("data", "pgdata", "postgresql.auto.conf"), "utf8"),
        [
          "restore_command = 'fetch it''s'",
          "recovery_target_timeline = 'latest'",
          "recovery_target_action = 'promote'",
          "hot_standby = 'off'",
          "recovery_target_time = '2026-01-02 02:05:00.250000+00:00'",
          "",
        ].join("\n"),
      );
      assert.ok((await readdir(at("data", "pgdata"))).includes("recovery.signal"));
      assert.match(
        await calls(),
        /^barman-cloud-backup-list --cloud-provider aws-s3 --endpoint-url https:\/\/store:7070 --format json s3:\/\/bucket\/shop\/main bbbbbbbbbb$/m,
      );
      assert.deepEqual((await readFile(at("calls.env"), "utf8")).trim().split("\n"), [
        "AWS_ACCESS_KEY_ID=id",
        "AWS_CA_BUNDLE=/ca.crt",
        "AWS_DEFAULT_REGION=eu-1",
        "AWS_EC2_METADATA_DISABLED=true",
        "AWS_REGION=eu-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION=when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION=when_required",
        "AWS_SECRET_ACCESS_KEY=key",
      ]);
    });

    it("leaves a key that is empty to the tools, which take it for none, and passes on what tells them of a role (a fake tool)", async () => {
      const none = { ORIGIN_ACCESS_KEY_ID: "", ORIGIN_SECRET_ACCESS_KEY: "" };
      const role = { AWS_ROLE_ARN: "a role", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" };
      const { status, said } = await restore({}, { ...none, ...role });
      assert.equal(status, 0, said);
      const told = (await readFile(at("calls.env"), "utf8")).split("\n");
      for (const [name, value] of Object.entries({
        ...role,
        AWS_ACCESS_KEY_ID: "",
        AWS_SECRET_ACCESS_KEY: "",
      }))
        assert.ok(told.includes(`${name}=${value}`), name);
    });

    it("never touches data that are there", async () => {
      await mkdir(at("data", "pgdata"), { recursive: true });
      const { status, said } = await restore({});
      assert.equal(status, 0);
      assert.match(said, /there are data: nothing is restored/);
      assert.equal(await calls(), "");
    });

    it("starts again where an earlier try broke off", async () => {
      await mkdir(at("data", "pgdata.new", "half"), { recursive: true });
      assert.equal((await restore({})).status, 0);
      assert.ok(!(await readdir(at("data", "pgdata"))).includes("half"));
    });

    it("says what there is where nothing is old enough", async () => {
      const { status, said } = await restore({ time: "2025-01-01T00:00:00Z" });
      assert.equal(status, 1);
      assert.match(
        said,
        /s3:\/\/bucket\/shop\/main\/bbbbbbbbbb has no base backup to begin with .* there are 20260101T020000 \(DONE\)/,
      );
    });

    it("refuses data of another major version, and leaves none", async () => {
      const { status, said } = await restore({}, { MAJOR: "16" });
      assert.equal(status, 1);
      assert.match(said, /is of PostgreSQL 17: set pgplatform:cluster\.postgresVersion to it/);
      assert.ok(!(await readdir(at("data"))).includes("pgdata"));
    });

    it("answers for WAL: done, not there, or what went wrong, which is never the same", async () => {
      const port = await archiver([]).then(({ port }) => port);
      server?.close();
      for (const name of ["barman-cloud-wal-archive", "barman-cloud-wal-restore"])
        await program(name, `${write}; exit $(cat "$CALLS.exit")`);
      const child = spawn("python3", [at("config", "store.py"), "serve"], {
        env: {
          PATH: `${at("bin")}:${process.env.PATH}`,
          ...place("ARCHIVE"),
          ...place("ORIGIN"),
          ORIGIN_SERVER: "bbbbbbbbbb",
          PGDATA: at("data"),
          SPOOL: at("spool"),
          COMPRESSION: "zstd",
          PORT: port,
          CALLS: at("calls"),
        },
        stdio: ["ignore", "ignore", "pipe"],
      });
      try {
        await once(child.stderr, "data");
        const ask = async (verb: string, exit: number, name = segment) => {
          await writeFile(at("calls.exit"), String(exit));
          return (await bash("ask.sh", [verb, name], { STORE_PORT: port })).status;
        };
        assert.deepEqual(
          [await ask("archive", 0), await ask("archive", 1), await ask("archive", 2)],
          [0, 4, 4],
        );
        assert.deepEqual(
          [await ask("fetch", 0), await ask("fetch", 1), await ask("fetch", 2), await ask("fetch", 127)],
          [0, 1, 4, 4],
        );
        assert.match(
          await calls(),
          new RegExp(
            `wal-archive .* --zstd s3://bucket/shop/main aaaaaaaaaa ${at("data")}/pg_wal/${segment}\n`,
          ),
        );
        assert.match(
          await calls(),
          new RegExp(
            `wal-restore .* s3://bucket/shop/main bbbbbbbbbb ${segment} ${at("spool")}/${segment}\n`,
          ),
        );
        const before = await calls();
        assert.equal(await ask("archive", 0, "../../etc/passwd"), 4);
        assert.equal(await calls(), before);
      } finally {
        child.kill("SIGTERM");
        assert.deepEqual((await once(child, "exit"))[0], 0);
      }
    });
  });
});
