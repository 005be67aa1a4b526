import assert from "node:assert/strict";
import { areas, testFilesOf } from "../mutants/areas";

describe("the areas of a mutation run", () => {
  for (const [name, area] of Object.entries(areas))
    it(`has tests that are there: ${name}`, () => assert.ok(testFilesOf(area).length > 0));
});
