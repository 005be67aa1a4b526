import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** More than all pipes and buffers on the way hold. */
const LINES = 3000;

const handed =
  "2026-11-30 00:45:33.339 UTC [27] LOG C-0x55d0c8b7f2a0: peer-6241@198.18.0.12:6432 closing because: successfully sent cancel request (age=0s)";
const away =
  "2026-11-30 00:45:33.339 UTC [27] LOG S-0x55d0c8b7f2a0: app/app@198.18.0.1:5432 closing because: connect failed (age=0s)";
const other = "2026-11-30 00:45:33.339 UTC [27] LOG C-0x55d0c8b7f2a0: app/app@198.18.0.1:4321 login attempt";

/**
 * PgBouncer is one thread: while its log isn't read it answers nothing. The stand-ins for it and for psql do the same: psql gets its answer only
 * after PgBouncer has written everything.
 */
describe("the pooler's log (stand-ins for PgBouncer and psql)", function () {
  this.timeout(60_000);
  let folder: string;
  let child: ChildProcess | undefined;
  let pooler: number | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pooler-log-"));
    writeFileSync(
      join(folder, "pgbouncer"),
      `#!/bin/bash
echo $$ > "${folder}/id"
trap : HUP USR1 USR2
while read -r line; do
  echo "$line" >&2
done < "${folder}/first"
until [ ! -s "${folder}/first" ] || [ -e "${folder}/asked" ]; do sleep 0.05; done
while read -r line; do
  for ((number = 0; number < ${LINES}; number++)); do echo "$line" >&2; done
done < "${folder}/lines"
: > "${folder}/written"
while [ -d "${folder}" ]; do sleep 0.05; done
`,
    );
    writeFileSync(
      join(folder, "psql"),
      `#!/bin/bash
: > "${folder}/asked"
until [ -e "${folder}/written" ] || [ ! -d "${folder}" ]; do sleep 0.5; done
case $* in *PEER_POOLS*) : > "${folder}/answered" ;; *) echo t ;; esac
`,
    );
    for (const program of ["pgbouncer", "psql"]) chmodSync(join(folder, program), 0o755);
  });
  afterEach(async () => {
    // Programs on the way of the log are in PgBouncer's group, since the script has job control; the others in the script's.
    for (const group of [pooler, child?.pid])
      if (group !== undefined)
        try {
          process.kill(-group, "SIGKILL");
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
        }
    pooler = undefined;
    child = undefined;
    // What was killed may still write, also while its folder is being deleted.
    for (let look = 0; ; look++)
      try {
        return rmSync(folder, { recursive: true, force: true });
      } catch (error) {
        if (look === 50) throw error;
        await delay(100);
      }
  });

  async function start(first: readonly string[], lines: readonly string[]): Promise<void> {
    const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join("");
    writeFileSync(join(folder, "first"), text(first));
    writeFileSync(join(folder, "lines"), text(lines));
    child = spawn("bash", [join(__dirname, "..", "..", "plan", "pooler", "run.sh")], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        POOLER_CONFIG: "/some.ini",
        POOLER_FILES: "100",
        POOLER_FILES_SUM: "a sum",
        POOLER_WATCH: "",
        POOLER_WATCH_SECONDS: "60",
        POOLER_RUN: folder,
        POOLER_PORT: "6432",
        POOLER_PEERS: "nobody.invalid",
        POOLER_ADDRESS: "198.18.0.7",
        POOLER_LOG_ENDS: "false",
        POOLER_USERS: "/dev/null",
        POOLER_SERVER: "host=server",
        POOLER_LOGIN: "pgp_pooler",
        POOLER_QUESTION: "SELECT true",
      },
      stdio: "ignore",
      detached: true,
    });
    for (let tries = 0; pooler === undefined && tries < 200; tries++) {
      await delay(50);
      if (existsSync(join(folder, "id")))
        pooler = Number(readFileSync(join(folder, "id"), "utf8")) || undefined;
    }
  }

  const is = async (file: string, what: string) => {
    for (let tries = 0; tries < 400; tries++) {
      if (existsSync(join(folder, file))) return;
      await delay(50);
    }
    assert.fail(what);
  };

  for (const [what, first, lines] of [
    ["while it is asked for cancels that wait, and more go out", [handed], [handed]],
    ["while the server is away, and more logins fail", [away], [away]],
    ["while the server is away, and cancels go out", [away, handed], [handed, away]],
    ["of what nothing waits for", [], [other]],
  ] as const)
    it(`is read to its end ${what}`, async () => {
      await start(first, lines);
      await is("written", "PgBouncer hangs in its log");
    });

  it("ends what asks for cancels when PgBouncer ends, though the console doesn't answer", async () => {
    await start([], []);
    await is("written", "PgBouncer hangs in its log");
    rmSync(join(folder, "written"));
    const asks = spawn("bash", [join(__dirname, "../../plan/pooler/cancels.sh")], {
      env: { PATH: `${folder}:${process.env.PATH}`, POOLER_RUN: folder, POOLER_PORT: "6432" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    const ended = new Promise((resolve) => asks.once("exit", resolve));
    rmSync(join(folder, "asked"), { force: true });
    asks.stdin.write("a cancel went out\n");
    await is("asked", "nothing is asked");
    asks.stdin.end();
    await ended;
    // The question that hangs ends, too.
    writeFileSync(join(folder, "written"), "");
  });

  it("brings a question after the last cancel that went out", async () => {
    await start([handed], [handed]);
    await is("answered", "the console was not asked again");
  });
});
