import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { entries, settingsReference } from "../../settings/schema/reference";
import { everything } from "../support/settings";

const file = join(__dirname, "..", "..", "docs", "settings.md");

/** Paths of everything that a value holds, with `[]` for each element of a list. */
function paths(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => paths(inner, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, path === "" ? key : `${path}.${key}`));
}

describe("the settings reference", () => {
  it("is what the schema says today (if not: npm run docs:settings)", () => {
    assert.ok(readFileSync(file, "utf8") === settingsReference(), "docs/settings.md is stale");
  });

  it("has every setting that the settings with everything in use have", () => {
    const known = entries().map(({ path }) => path);
    const missing = new Set(
      paths(everything()).filter((path) => !known.some((one) => path === one || path.startsWith(`${one}.`))),
    );
    assert.deepEqual([...missing], []);
  });

  it("names the default that the schema has", () => {
    for (const { path, value, byDefault } of entries()) {
      if (value === undefined || typeof value === "object") continue;
      assert.equal(byDefault?.split(/[;,]/)[0], String(value as string | number | boolean), path);
    }
  });

  it("says of every list and group with a default that leaving it out is allowed", () => {
    for (const { path, value, byDefault } of entries())
      if (typeof value === "object") assert.ok(byDefault !== undefined, path);
  });

  it("has each path once, and words that end", () => {
    const all = entries();
    assert.equal(new Set(all.map(({ path }) => path)).size, all.length);
    for (const { path, means, change } of all) {
      assert.match(means, /\.$/, path);
      assert.match(change, /\.$/, path);
    }
  });
});
