import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asset } from "../../shell/asset";

/** database.sh with a FAKE of psql, whose primary says what a file says, and refuses where that is empty. */
describe("what isn't archived (a FAKE of psql)", () => {
  let folder: string;
  let watcher: ChildProcess;
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const read = (name: string) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8").trim() : "";
  const segment = (number: number) => `0000000100000000000000${number.toString().padStart(2, "0")}`;
  const primary = (current: number, next: number, archived: number) =>
    put("primary", `7411 ${segment(current)} ${next} ${segment(archived)}\n`);
  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 200 && !condition(); tries++) await delay(50);
    assert.ok(condition());
  };
  const since = () => read("database").split(" ")[1] ?? "";
  const looked = () => Number(read("database").split(" ")[2]);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-unarchived-"));
    put(
      "psql",
      `#!/bin/sh\nif grep -q "^checkpoint"; then echo asked >>${folder}/checkpoints; exit; fi\n[ -s ${folder}/primary ] && cat ${folder}/primary\n`,
    );
    chmodSync(join(folder, "psql"), 0o755);
    put(
      "database.sh",
      asset(__dirname, "../../plan/backup/scripts/database.sh").replace("sleep 5", "sleep 0.1"),
    );
    primary(5, 700, 4);
    watcher = spawn("bash", [join(folder, "database.sh")], {
      env: { PATH: `${folder}:${process.env.PATH}`, STATE: folder, ARCHIVE_SECONDS: "-4" },
      stdio: "ignore",
    });
  });
  afterEach(() => {
    watcher.kill();
    rmSync(folder, { recursive: true });
  });

  it("is asked for by a checkpoint while its segment is still written", async () => {
    await until(() => since() === "none");
    primary(5, 701, 4);
    await until(() => /^\d+$/.test(since()));
    await until(() => read("checkpoints") === "asked");
  });

  it("is waited for without one in segments that are whole, as while a store is away", async () => {
    await until(() => since() === "none");
    primary(5, 701, 4);
    await until(() => /^\d+$/.test(since()));
    primary(6, 701, 4);
    await delay(3000);
    assert.match(since(), /^\d+$/);
    assert.equal(read("checkpoints"), "");
    primary(6, 701, 5);
    await until(() => since() === "none");
  });

  it("isn't known of a primary that refuses: the last look grows old", async () => {
    await until(() => since() === "none");
    put("primary", "");
    await delay(200);
    const last = looked();
    await delay(2000);
    assert.equal(looked(), last);
    primary(5, 700, 4);
    await until(() => looked() > last);
  });
});
