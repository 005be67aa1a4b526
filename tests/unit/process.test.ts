import assert from "node:assert/strict";
import { run } from "../../shell/process";

describe("commands that are run", () => {
  it("are many at once, all ended by one signal, without a warning of a leak", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on("warning", listen);
    const end = new AbortController();
    let started = 0;
    const onLine = () => {
      if (++started === all.length) end.abort();
    };
    const all: Promise<unknown>[] = Array.from({ length: 12 }, () =>
      run("sh", ["-c", "echo; exec sleep 600"], { signal: end.signal, onLine }),
    );
    const ended = await Promise.allSettled(all);
    // A warning comes with the next turn.
    await new Promise((next) => setImmediate(next));
    process.off("warning", listen);
    assert.deepEqual(
      ended.map(({ status }) => status),
      all.map(() => "rejected"),
    );
    assert.deepEqual(warnings, []);
  });
});
