import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

const pod = join(__dirname, "..", "..", "plan", "engines", "standalone", "pod");

/** The scripts with real bash and files, and with programs of PostgreSQL's names that only write down what they are told. */
describe("the scripts in the pod of a standalone server", function () {
  this.timeout(60_000);
  let folder: string;
  const running: ChildProcess[] = [];
  const at = (...path: string[]) => join(folder, ...path);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "standalone-"));
  });
  afterEach(async () => {
    // Each is the head of its group; the fake server is in one of its own, and ends with its parent.
    for (const { pid } of running.splice(0))
      try {
        process.kill(-Number(pid), "SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    await rm(folder, { recursive: true, force: true });
  });

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await delay(50)) if (await holds()) return;
    assert.fail(`${what} did not happen`);
  }

  const start = (script: string, args: readonly string[], env: Record<string, string>) => {
    const child = spawn("/bin/bash", [join(pod, script), ...args], {
      env: { PATH: `${at("bin")}:${process.env.PATH}`, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    running.push(child);
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    return { child, said: () => said, end: once(child, "exit") as Promise<[number | null]> };
  };

  describe("archive.sh", () => {
    const archive = async (content: string, name = "000000010000000000000001") => {
      await writeFile(at("segment"), content);
      const { end, said } = start("archive.sh", [at("segment"), name], { ARCHIVE: at("archive") });
      const [status] = await end;
      return { status, said: said() };
    };
    const stored = async () => gunzipSync(await readFile(at("archive", "000000010000000000000001.gz")));

    beforeEach(() => mkdir(at("archive")));

    it("puts a segment there, compressed, and nothing else", async () => {
      assert.equal((await archive("one")).status, 0);
      assert.equal((await stored()).toString(), "one");
      assert.deepEqual(await readdir(at("archive")), ["000000010000000000000001.gz"]);
    });

    it("takes the same segment again, and refuses another one under its name", async () => {
      await archive("one");
      assert.equal((await archive("one")).status, 0);
      const { status, said } = await archive("two");
      assert.equal(status, 1);
      assert.match(said, /000000010000000000000001\.gz is there and holds something else/);
      assert.equal((await stored()).toString(), "one");
    });

    it("starts again where an earlier try broke off", async () => {
      await writeFile(at("archive", ".000000010000000000000001.part"), "half");
      assert.equal((await archive("one")).status, 0);
      assert.equal((await stored()).toString(), "one");
    });

    it("fails when it can't write, and leaves nothing under the name", async () => {
      await rm(at("archive"), { recursive: true });
      assert.notEqual((await archive("one")).status, 0);
    });
  });

  describe("run.sh", () => {
    const program = async (name: string, text: string) => {
      await mkdir(at("bin"), { recursive: true });
      await writeFile(at("bin", name), `#!/bin/bash\n${text}\n`);
      await chmod(at("bin", name), 0o755);
    };
    const log = async () => readFile(at("calls"), "utf8").catch(() => "");

    beforeEach(async () => {
      for (const name of ["data", "log", "wal", "archive", "socket"]) await mkdir(at(name));
      await program(
        "initdb",
        `echo initdb >> ${at("calls")}; for a; do case $a in --pgdata=*) mkdir -p "\${a#*=}/pg_wal"; echo segment > "\${a#*=}/pg_wal/1"; echo 17 > "\${a#*=}/PG_VERSION" ;; esac; done`,
      );
      await program("pg_controldata", "echo 'Database system identifier:           42'");
      await program(
        "postgres",
        [
          '[ "$1" = --version ] && { echo "postgres (PostgreSQL) 17.6"; exit; }',
          `trap 'echo INT >> ${at("calls")}; exit 0' INT`,
          `trap 'echo TERM >> ${at("calls")}; exit 0' TERM`,
          `echo "postgres $*" >> ${at("calls")}`,
          "while kill -0 $PPID; do sleep 0.1; done",
        ].join("\n"),
      );
    });

    const server = (more: Record<string, string> = {}) =>
      start("run.sh", [], {
        PGDATA: at("data", "pgdata"),
        WAL_VOLUME: "",
        ARCHIVE_VOLUME: at("archive"),
        CONFIG: "/config",
        LOG: at("log"),
        SOCKET: at("socket"),
        ...more,
      });
    const started = (times = 1) =>
      until(`start number ${times}`, async () => (await log()).split("postgres -D").length === times + 1);

    it("makes the data once, and an archive folder for them", async () => {
      const first = server();
      await started();
      assert.match(
        await log(),
        new RegExp(
          `^initdb\\npostgres -D ${at("data", "pgdata")} -c config_file=/config/postgresql.conf\\n$`,
        ),
      );
      assert.deepEqual(await readdir(at("archive", "wal")), ["42"]);
      first.child.kill("SIGTERM");
      await first.end;
      const second = server();
      await started(2);
      assert.equal((await log()).split("initdb").length, 2);
      second.child.kill("SIGTERM");
      await second.end;
    });

    it("leaves data of another major version as it is, and says so", async () => {
      await mkdir(at("data", "pgdata", "pg_wal"), { recursive: true });
      await writeFile(at("data", "pgdata", "PG_VERSION"), "16\n");
      const { end, said } = server({ WAL_VOLUME: at("wal") });
      assert.deepEqual(await end, [1, null]);
      assert.match(said(), /the data is of PostgreSQL 16, which PostgreSQL 17 of this image can't read/);
      assert.equal(await log(), "");
      assert.deepEqual(await readdir(at("wal")), []);
    });

    it("throws half-made data away, and keeps whole ones", async () => {
      await mkdir(at("data", "pgdata.new", "half"), { recursive: true });
      server();
      await started();
      assert.deepEqual(await readdir(at("data")), ["lock", "pgdata"]);
      assert.deepEqual(await readdir(at("data", "pgdata")), ["PG_VERSION", "pg_wal"]);
    });

    it("removes what a killed server left, whose numbers may be those of other processes by now", async () => {
      await mkdir(at("data", "pgdata", "pg_wal"), { recursive: true });
      await writeFile(at("data", "pgdata", "PG_VERSION"), "17\n");
      await writeFile(at("data", "pgdata", "postmaster.pid"), String(process.pid));
      await writeFile(at("socket", ".s.PGSQL.5432.lock"), String(process.pid));
      server();
      await started();
      assert.deepEqual(await readdir(at("socket")), []);
      assert.deepEqual(await readdir(at("data", "pgdata")), ["PG_VERSION", "pg_wal"]);
    });

    it("answers SIGTERM with a fast shutdown, and ends with the server", async () => {
      const { child, end } = server();
      await started();
      child.kill("SIGTERM");
      assert.deepEqual((await end)[0], 0);
      assert.match(await log(), /INT\n$/);
      assert.doesNotMatch(await log(), /TERM/);
    });

    it("waits while another one holds the data, and continues when that is gone", async () => {
      const first = server();
      await started();
      const second = server();
      await until("the wait", () => Promise.resolve(/another pod still uses the data/.test(second.said())));
      await delay(300);
      assert.equal((await log()).split("postgres -D").length, 2);
      first.child.kill("SIGTERM");
      await first.end;
      await started(2);
    });

    it("leaves a server that can't stay up to Kubernetes", async () => {
      await program("postgres", '[ "$1" = --version ] && echo "postgres 17.6" && exit; exit 3');
      const { end, said } = server();
      assert.equal((await end)[0], 1);
      assert.match(said(), /the server ended with status 3/);
    });

    it("moves the WAL to its volume once, and continues where it broke off", async () => {
      const first = server();
      await started();
      first.child.kill("SIGTERM");
      await first.end;
      const second = server({ WAL_VOLUME: at("wal") });
      await started(2);
      second.child.kill("SIGTERM");
      await second.end;
      assert.equal(await readFile(at("wal", "pg_wal", "1"), "utf8"), "segment\n");
      assert.deepEqual(await readdir(at("data", "pgdata")), ["PG_VERSION", "pg_wal"]);
      // The moment between the move and the link.
      await rm(at("data", "pgdata", "pg_wal"));
      server({ WAL_VOLUME: at("wal") });
      await started(3);
      assert.equal(await readFile(at("data", "pgdata", "pg_wal", "1"), "utf8"), "segment\n");
    });

    it("doesn't start without WAL that was on a volume", async () => {
      const first = server({ WAL_VOLUME: at("wal") });
      await started();
      first.child.kill("SIGTERM");
      await first.end;
      await rm(at("wal"), { recursive: true });
      const { end, said } = server();
      assert.equal((await end)[0], 1);
      assert.match(said(), /the server had a volume for it, and needs it/);
    });
  });
});
