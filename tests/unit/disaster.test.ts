import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { blocksIn, examplesIn, withValues } from "../support/blocks";
import { read } from "../support/pages";

/** The commands of docs/disaster.md are run by tests/e2e/disaster.test.ts; what can be said of them without a cluster is here. */

const blocks = blocksIn(read("docs/disaster.md"));
const commands = blocks.filter(({ language }) => language === "sh");

describe("the page on disasters", () => {
  it("has commands in every section that the end-to-end suite follows", () => {
    const followed = [
      ...["First", "Nothing to restore", "The cluster is gone", "Back to a moment", "Without this program"],
    ];
    assert.deepEqual([...new Set(commands.map(({ section }) => section))], followed);
    assert.match(read("tests/e2e/disaster.test.ts"), /leaves no block of the page out/);
    for (const section of followed)
      assert.ok(read("tests/e2e/disaster.test.ts").includes(`follow("${section}")`), section);
  });

  for (const { section, text } of commands)
    it(`has commands that a shell reads: ${section}, ${text.split("\n")[0]}`, () => {
      const { status, stderr } = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
      assert.equal(status, 0, stderr);
    });

  it("names no command or variable of make that there isn't", () => {
    const makefile = read("Makefile");
    for (const { text } of blocks)
      for (const [, target = "", rest = ""] of text.matchAll(/^make (\w+)(.*)$/gm)) {
        assert.match(makefile, new RegExp(`^${target}:`, "m"));
        for (const [, name = ""] of rest.matchAll(/\b([A-Z_]+)=/g))
          assert.match(makefile, new RegExp(`\\b${name}\\b`), name);
      }
  });

  it("takes a reader's values in the place of its examples, and of nothing that it computes", () => {
    const text = 'export A=1 # one\nexport B=2 C=3\nexport D=$(date)\necho "$A"\n';
    assert.deepEqual(examplesIn(text), ["A", "B", "C"]);
    const script = `${withValues(text, { A: "it's", C: "x y", D: "no" })}echo "$B $C"`;
    assert.equal(execFileSync("bash", ["-c", script], { encoding: "utf8" }), "it's\n2 x y\n");
  });
});
