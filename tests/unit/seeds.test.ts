import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { entries } from "../../settings/schema/reference";

const root = join(__dirname, "..", "..");
const page = readFileSync(join(root, "docs", "seeds.md"), "utf8");

/** Rows of the page's tables: item, requirement, setting, where, test. */
const rows = page
  .split("\n")
  .filter((line) => /^\| (?!Item|-)/.test(line))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

/** How many lines each document has on the project's list. */
const documents = { Z: 18, V: 10, K: 9, C: 21, S: 18 };

describe("the page of seeds", () => {
  it("has each item once, in order", () => {
    const items = rows.map(([item = ""]) => item).filter((item) => item !== "");
    const expected = Object.entries(documents).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    assert.deepEqual(items, expected);
  });

  it("has five cells in each row, and says where it is or that it isn't there yet", () => {
    for (const row of rows) {
      assert.equal(row.length, 5, row.join(" | "));
      const [, what = "", setting = "", where = "", test = ""] = row;
      assert.notEqual(where, "", what);
      if (!where.startsWith("**not yet**"))
        assert.ok(setting !== "" && (test !== "" || /^no effect/.test(where)), what);
    }
  });

  it("names settings that there are", () => {
    const known = new Set(entries().map(({ path }) => path));
    for (const [, what, setting = ""] of rows)
      for (const name of names(setting)) assert.ok(known.has(name), `${what}: ${name}`);
  });

  it("names files that there are", () => {
    for (const [, what, , where = ""] of rows)
      for (const name of names(where).filter((one) => /[/]|\.(md|yaml)$/.test(one)))
        assert.ok(existsSync(join(root, name)), `${what}: ${name}`);
  });

  it("names tests that there are", () => {
    for (const [, what, , , test = ""] of rows)
      for (const [, file = "", title = ""] of test.matchAll(/`([\w/-]+)` "([^"]+)"/g)) {
        const path = join(root, "tests", `${file}.test.ts`);
        assert.ok(existsSync(path), `${what}: ${file}`);
        assert.ok(readFileSync(path, "utf8").includes(title), `${what}: ${file} has no test ${title}`);
      }
    for (const [, what, , , test = ""] of rows)
      assert.equal(names(test).length, [...test.matchAll(/`[\w/-]+` "[^"]+"/g)].length, what);
  });
});
