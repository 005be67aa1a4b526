import assert from "node:assert/strict";
import { driversTable, finding } from "../clients/kit/drivers";
import { hikariProperties } from "../clients/languages";
import { read } from "../support/pages";
import { recipe } from "../support/recipes";

const page = "docs/drivers.md";

const rows = read(page)
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe("the page on drivers", () => {
  it("says of each driver what the suite with real clients expects", () => {
    for (const row of driversTable())
      assert.deepEqual(
        rows.find(([first]) => first === row[0]),
        row,
      );
  });

  it("says of no other driver that anything was run", () => {
    const known = new Set(driversTable().map(([first]) => first));
    const width = driversTable()[0]?.length;
    const others = rows.filter(
      (row) =>
        row.length === width && row[0] !== "Driver" && !/^-+$/.test(row[0] ?? "") && !known.has(row[0]),
    );
    for (const [name, ...cells] of others)
      assert.deepEqual(new Set(cells), new Set(["not run"]), `${name}: ${cells.join()}`);
  });

  it("has Spring's data source, which the suite hands to HikariCP", () => {
    const properties = hikariProperties(recipe(page, "spring"));
    assert.match(properties, /^jdbcUrl=jdbc:postgresql:\/\/\$\{POSTGRES_HOST\}:/);
    assert.match(properties, /^maximumPoolSize=10$/m);
    assert.match(properties, /^connectionTimeout=130000$/m);
  });
});

describe("what a client's program prints", () => {
  for (const [feature, text, expected] of [
    ["prepared", "10", "works"],
    ["prepared", "9", "9"],
    ["set", "1234ms", "reaches the next client"],
    ["set", "30s", "30s"],
    ["listen", "False", "silent"],
    ["searchPath", "FATAL: unsupported startup parameter in options: search_path", "refused"],
    ["searchPath", "FATAL: password authentication failed", "FATAL: password authentication failed"],
    ["copy", "0", "0"],
  ] as const)
    it(`${feature}: ${text}`, () => assert.equal(finding(feature, text), expected));
});
