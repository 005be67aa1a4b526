import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { check, sentence } from "../../checks/index";
import { groups } from "../../settings/schema/groups";
import { entries, grouped, settingsReference } from "../../settings/schema/reference";
import { everything, smallest } from "../support/settings";

const file = join(__dirname, "..", "..", "docs", "settings.md");

/** Paths of everything that a value holds, with `[]` for each element of a list. */
function paths(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => paths(inner, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, path === "" ? key : `${path}.${key}`));
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One value over another: objects are merged, all else is replaced. */
function over(base: unknown, value: unknown): unknown {
  if (!isFields(base) || !isFields(value)) return value;
  const merged = Object.entries(value).map(([key, inner]) => [key, over(base[key], inner)]);
  return { ...base, ...(Object.fromEntries(merged) as Fields) };
}

/** Values as the program gets them: Pulumi has decrypted what stands below `secure`. */
function decrypted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decrypted);
  if (!isFields(value)) return value;
  if (typeof value.secure === "string") return value.secure;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decrypted(inner)]));
}

/** An example of a stack file as settings, over the smallest ones. */
function settingsOf(example: string): unknown {
  const config = Object.entries(parse(example) as Fields).map(([key, value]) => {
    assert.match(key, /^pgplatform:/);
    return [key.slice("pgplatform:".length), decrypted(value)];
  });
  return over(smallest(), Object.fromEntries(config));
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

  it("has each setting in one group, and no group without one", () => {
    const all = grouped();
    assert.deepEqual(
      all.flatMap(({ entries: own }) => own.map(({ path }) => path)).sort(),
      entries()
        .map(({ path }) => path)
        .sort(),
    );
    for (const { group, entries: own } of all) assert.ok(own.length > 0, group.title);
    const headings = [...settingsReference().matchAll(/^### `(.+)`$/gm)].map(([, path]) => path);
    assert.equal(headings.length, new Set(headings).size);
  });

  it("refuses a setting that no group claims", () => {
    const [first] = entries();
    assert.ok(first);
    assert.throws(() => grouped([{ ...first, path: "novelty.enabled" }]), /novelty\.enabled is in no group/);
  });

  for (const { title, example } of groups)
    it(`has an example that passes the settings check: ${title}`, () => {
      const checked = check(settingsOf(example));
      assert.deepEqual("problems" in checked ? checked.problems.map(sentence) : [], []);
    });
});
