import assert from "node:assert/strict";
import { check, sentence } from "../../checks/index";
import { changed, smallest } from "../support/settings";
import { texts, useless } from "../support/texts";

/** That PostgreSQL itself says the same is shown by tests/sql/texts.test.ts. */
describe("parameters that are texts", () => {
  const said = (name: string, value: string): string[] => {
    const result = check({ ...changed(smallest(), "cluster.parameters", { [name]: value }) });
    return "problems" in result ? result.problems.map(sentence) : [];
  };

  for (const [name, { taken, refused }] of Object.entries(texts)) {
    for (const value of taken)
      it(`${name} is taken: "${value}"`, () => assert.deepEqual(said(name, value), []));
    for (const value of refused)
      it(`${name} is refused, with which no server would start: "${value}"`, () => {
        const [one = "", ...more] = said(name, value);
        assert.deepEqual(more, []);
        assert.ok(
          one.startsWith(`pgplatform:cluster.parameters.${name}: "${value}" is not allowed. Allowed: `),
          one,
        );
        assert.match(one, /Fix: correct it, or remove it\.$/);
      });
  }
  for (const [name, value] of useless)
    it(`${name} is refused, with which a server is of no use: "${value}"`, () =>
      assert.match(
        said(name, value).join(),
        /is not allowed\. Allowed: .* Fix: correct it, or remove it\.$/,
      ));

  it("session_preload_libraries takes what the image has", () =>
    assert.deepEqual(said("session_preload_libraries", "auto_explain"), []));
});
