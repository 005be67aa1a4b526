import assert from "node:assert/strict";
import { groups } from "../../settings/schema/groups";
import { pages, read } from "../support/pages";
import { found, words } from "../support/words";

/** Its texts are the settings' descriptions, which their own test is to hold. */
const generated = "docs/settings.md";

/** What may stay as it is, and why. Decisions (`docs/decisions`) are history and are not read. */
const exceptions: readonly { file: string; text: string; because: string }[] = [];

const excepted = (file: string, text: string): string =>
  exceptions.filter((one) => one.file === file).reduce((rest, one) => rest.replaceAll(one.text, ""), text);

describe("the project's words", () => {
  for (const file of [...pages.filter((page) => page !== generated), "stacks/outputs.ts"])
    it(`are the field's in ${file}`, () => assert.deepEqual(found(excepted(file, read(file))), []));

  it("are the field's in what opens each group of settings", () => {
    for (const { title, intro, example } of groups)
      assert.deepEqual(found([title, intro, example].join("\n")), []);
  });

  it("have no exception that no text needs", () => {
    for (const one of exceptions) {
      assert.ok(found(one.text).length > 0, one.text);
      assert.ok(read(one.file).includes(one.text), `${one.file}: ${one.text}`);
    }
  });

  it("are found in other forms, too, and not in what only looks like them", () => {
    const bad = [
      "the log is archived",
      "log and base backups",
      "keep logDays",
      "a server alone",
      "made anew",
      "Nobody reads it",
      "it is mended",
      "takes the volume away",
      "writes go on",
      "stands in the file",
      "asks the probes",
    ];
    for (const text of bad) assert.equal(found(text).length, 1, text);
    const good = [
      "the log of the container keeper",
      "cut off from the API server alone",
      "a stand-in for Spilo",
      "recommended",
      "the logs",
      "taken at once",
    ];
    for (const text of good) assert.deepEqual(found(text), [], text);
  });

  it("are each on the list once", () =>
    assert.equal(new Set(words.map(({ word }) => word)).size, words.length));
});
