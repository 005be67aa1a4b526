import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pages, read, root } from "../support/pages";

const LONGEST = 120;

/** Lines of prose: no tables, whose cells a formatter pads, and no code. */
const prose = (text: string): string[] =>
  text
    .replace(/^```[^]*?^```$/gm, "")
    .split("\n")
    .filter((line) => !/^\s*\|/.test(line));

/** Anchors as GitHub makes them of headings. */
const anchors = (text: string): string[] =>
  text
    .replace(/^```[^]*?^```$/gm, "")
    .split("\n")
    .flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? [])
    .map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

describe("the pages", () => {
  for (const page of pages) {
    it(`have no line of prose that is too long: ${page}`, () =>
      assert.deepEqual(
        prose(read(page)).filter((line) => line.length > LONGEST),
        [],
      ));

    it(`link to what is there: ${page}`, () => {
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
        if (anchor !== undefined) assert.ok(anchors(read(file)).includes(anchor), `${page}: ${target}`);
      }
    });
  }
});
