import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { goldenFile, render } from "./render";
import { stacks } from "./stacks";

/** The first lines that differ, with their numbers. */
export function difference(expected: string, actual: string, most = 20): string[] {
  const [old, now] = [expected.split("\n"), actual.split("\n")];
  const lines: string[] = [];
  for (let index = 0; index < Math.max(old.length, now.length) && lines.length < most; index++)
    if (old[index] !== now[index])
      lines.push(
        `${index + 1}: expected ${old[index]?.trim() ?? "nothing"}, got ${now[index]?.trim() ?? "nothing"}`,
      );
  return lines;
}

const rendered = new Map<string, Promise<string>>();

/** A graph as text, made once. */
function once(stack: string): Promise<string> {
  const known = rendered.get(stack) ?? render(stack);
  rendered.set(stack, known);
  return known;
}

describe("golden graphs", () => {
  for (const stack of stacks)
    it(`the stack ${stack} is what it was (if it is to change: npm run golden, and read the difference)`, async function () {
      this.timeout(120_000);
      assert.deepEqual(difference(readFileSync(goldenFile(stack), "utf8"), await once(stack)), []);
    });

  it("shows one changed value", async function () {
    this.timeout(120_000);
    const actual = await once("local");
    const planted = actual.replace('"instances": 3', '"instances": 2');
    assert.notEqual(planted, actual);
    assert.equal(difference(actual, planted).length, 1);
  });
});
