import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectDir } from "../../shell/paths";
import { faultsOf, possibleFaults } from "../faults/list";
import { checked, smallest } from "../support/settings";

const script = readFileSync(join(projectDir, ".ci/run"), "utf8");
const parts = [...script.matchAll(/^engine (\S+) (\S+)(?: "\|(.*)")?$/gm)].map(([, name, faults, more]) => ({
  name: name as keyof typeof planners,
  faults: faults?.split(",") ?? [],
  more,
}));
/** The suites that the whole check runs where the hour has room for them. */
const optional = [...script.matchAll(/^(?:short|long)_ones=\((.*)\)$/gm)].flatMap(([, list = ""]) =>
  [...list.matchAll(/"(.*?) (\d+)"/g)].map(([, suite = "", seconds]) => ({
    suite,
    seconds: Number(seconds),
  })),
);

describe("the short end-to-end sets of the whole check", () => {
  it("are one for each engine but the one that has all suites", () => {
    const { engine: whole } = checked(smallest()).cluster;
    const others = Object.keys(planners).filter((name) => name !== whole);
    assert.deepEqual(parts.map(({ name }) => name).sort(), others.sort());
  });

  it("name faults that their engine can have", () => {
    for (const { name, faults } of parts)
      assert.deepEqual(possibleFaults(faultsOf(faults), planners[name], "standard").excluded, [], name);
  });

  it("name suites and cases that there are", () => {
    const { spec } = JSON.parse(readFileSync(join(projectDir, "tests/e2e/mocharc.json"), "utf8")) as {
      spec: string[];
    };
    const titles = spec.flatMap((path) => {
      const source = readFileSync(join(projectDir, path), "utf8");
      const [, suite] = /^(?:describe|suite)\("(.*?)", /m.exec(source) ?? [];
      return [...source.matchAll(/\bit\(["`](.*?)["`], /g)]
        .map(([, title]) => `${suite} ${title}`)
        .concat(suite ?? []);
    });
    const [, short = ""] = /^short="(.*)"$/m.exec(script) ?? [];
    const [, core = ""] = /^core="(.*)"$/m.exec(script) ?? [];
    const wanted = [short, core, ...parts.flatMap(({ more }) => more ?? [])]
      .flatMap((text) => text.split("|"))
      .concat(optional.map(({ suite }) => suite));
    assert.ok(wanted.length > 15);
    for (const each of wanted)
      assert.ok(
        titles.some((title) => new RegExp(`^${each}`).test(title)),
        each,
      );
  });
});

/** The script alone, among commands that only say that they were called; nothing of a cluster. */
describe("the whole check's verdict", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ci-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs it; a command whose line, the engine included, has `failing` in it fails, and says so as mocha does or not at all. */
  function verdict(
    failing: string,
    says = "",
    minutes = "600",
  ): { code: number | null; last: string | undefined; calls: string[]; stdout: string } {
    rmSync(join(folder, "calls"), { force: true });
    for (const name of ["make", "npm", "go"]) {
      const path = join(folder, name);
      writeFileSync(
        path,
        `#!/bin/sh
line="${name} $* \${ENGINE:-}"
echo "$line" >> '${folder}/calls'
case "$line" in *'${failing}'*) echo '${says}'; exit 1 ;; esac
echo '  2 passing (3s)'
`,
      );
      chmodSync(path, 0o755);
    }
    const { status, stdout } = spawnSync(join(projectDir, ".ci/run"), {
      encoding: "utf8",
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        PGP_STATE: folder,
        PGP_CACHE: folder,
        TMPDIR: folder,
        CI_MINUTES: minutes,
      },
    });
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    return { code: status, last: stdout.trim().split("\n").pop(), calls, stdout };
  }
  const downs = (calls: readonly string[]) => calls.filter((call) => / down\b/.test(call)).length;

  it("counts what has passed, and deletes the cluster at the end", () => {
    const { code, last, calls } = verdict("no such command");
    assert.deepEqual([code, last], [0, "22 passed, 0 failed"]);
    assert.match(calls.at(-1) ?? "", /^make .*down/);
    assert.equal(downs(calls), 2);
  });

  it("leaves out what the hour has no room for, and says so", () => {
    const suites = (calls: readonly string[]) => calls.find((call) => call.includes("health check")) ?? "";
    const { calls, stdout } = verdict("no such command");
    for (const { suite } of optional) assert.ok(suites(calls).includes(`|${suite}`), suite);
    assert.doesNotMatch(stdout, /NOT RUN/);
    const none = verdict("no such command", "", "0");
    const [, omitted] = /^=== e2e: NOT RUN, since 0 minutes have passed: (.*)$/m.exec(none.stdout) ?? [];
    assert.deepEqual(omitted?.split(", ").sort(), optional.map(({ suite }) => suite).sort());
    assert.match(suites(none.calls), /faults\|destroy\)/);
  });

  it("is a failure when any part fails, counted by mocha or not", () => {
    for (const part of [
      "lint",
      "make --no-print-directory test",
      "policy",
      "netpol",
      "wal-tools",
      "strict-store",
      "make --no-print-directory up",
      "e2e -- -g ^(make up|topology|refusal|strict validation|health",
      "cluster",
    ]) {
      const { code, last } = verdict(part);
      assert.deepEqual([part, code, last], [part, 1, "20 passed, 1 failed"]);
    }
    const { code, last } = verdict("policy", "  3 failing");
    assert.deepEqual([code, last], [1, "20 passed, 3 failed"]);
  });

  it("is a failure when an engine's part fails, after which the next one finds no cluster", () => {
    for (const { name } of parts) {
      const { code, last, calls } = verdict(` ${name}`);
      assert.deepEqual([code, last], [1, "20 passed, 1 failed"]);
      assert.equal(downs(calls), 3);
      assert.equal(
        calls.filter((call) => call.startsWith("npm") && call.includes("e2e -- -g")).length,
        1 + parts.length,
      );
    }
  });
});

describe("the end-to-end suites", () => {
  it("are all in the list by which they run, in its order", () => {
    const { spec } = JSON.parse(readFileSync(join(projectDir, "tests/e2e/mocharc.json"), "utf8")) as {
      spec: string[];
    };
    const files = readdirSync(join(projectDir, "tests/e2e")).filter((file) => file.endsWith(".test.ts"));
    assert.deepEqual(spec.toSorted(), files.map((file) => `tests/e2e/${file}`).sort());
  });
});
