import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { down, status, up } from "../../../local/cluster/cluster";
import { leftovers, machineSnapshot } from "../../../local/cluster/snapshot";
import { waitFor } from "../../../local/cluster/wait";
import { projectDir } from "../../../shell/paths";
import { run } from "../../../shell/process";

/**
 * Real runs on this machine, as root; the cluster must be down before (its state stays). They don't prove that nothing
 * is left inside files, and a process that another program orphans meanwhile would count as left behind.
 */
const context = { detail: () => undefined, say: () => undefined };

describe("what the built-in cluster leaves behind", function () {
  this.timeout(600_000);

  before(async () => {
    await up(context);
    await down(context);
  });

  after(async () => {
    await down(context);
  });

  it("is nothing after up and down", async () => {
    const before = await machineSnapshot();
    await up(context);
    const during = leftovers(before, await machineSnapshot());
    for (const kind of ["link", "route", "nft table", "cgroup", "namespace", "process"]) {
      assert.ok(
        during.some((line) => line.startsWith(`+ ${kind}:`)),
        `the comparison sees no ${kind} of a running cluster`,
      );
    }
    await down(context);
    assert.deepEqual(leftovers(before, await machineSnapshot()), []);
  });

  it("shows in the comparison: a link and a process", async () => {
    const before = await machineSnapshot();
    await run("ip", ["link", "add", "pgp-planted", "type", "bridge"]);
    // The shell ends at once, and its child becomes an orphan.
    const { stdout } = await run("/bin/sh", ["-c", "sleep 300 > /dev/null 2>&1 & echo $!"]);
    const pid = Number(stdout.trim());
    try {
      const found = leftovers(before, await machineSnapshot());
      assert.ok(found.includes("+ link: pgp-planted"), found.join("\n"));
      assert.ok(found.includes(`+ process: ${pid} sleep 300`), found.join("\n"));
    } finally {
      process.kill(pid);
      await run("ip", ["link", "delete", "pgp-planted"]);
    }
  });

  for (const afterMs of [400, 1200, 2500, 4000, 6000]) {
    it(`is nothing when up was killed after ${afterMs} ms, and the next up converges`, async () => {
      const before = await machineSnapshot();
      const interrupted = spawn("npx", ["tsx", join(projectDir, "local/cluster/cli.ts"), "up"], {
        stdio: "ignore",
        detached: true,
      });
      const exited = once(interrupted, "exit");
      // The moment of the kill is the subject of the test, so that here time is what is waited for.
      await pause(afterMs);
      if (interrupted.exitCode === null && interrupted.pid !== undefined) {
        // Detached: the negative PID is the group of npx, node and what they have in hand, and nothing else.
        process.kill(-interrupted.pid, "SIGKILL");
      }
      await exited;
      await up(context);
      assert.equal((await status()).state, "running");
      await down(context);
      await waitFor(async () => leftovers(before, await machineSnapshot()).length === 0, {
        what: "A clean machine",
        timeoutMs: 5000,
        hint: async () => leftovers(before, await machineSnapshot()).join("; "),
      });
    });
  }
});
