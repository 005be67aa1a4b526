import assert from "node:assert/strict";
import { sentence } from "../../settings/problem";

describe("the message of a problem", () => {
  const said = (path: string, value: unknown) =>
    sentence({ path: `pgplatform:${path}`, value, allowed: "another", fix: "change it" });

  for (const key of ["secretAccessKey", "password"]) {
    it(`hides a value below a path with ${key}`, () =>
      assert.equal(
        said(`backup.targets[0].credentials.${key}`, "s3cr3t"),
        `pgplatform:backup.targets[0].credentials.${key}: (hidden) is not allowed. Allowed: another. Fix: change it.`,
      ));

    it(`hides ${key} inside a value`, () =>
      assert.equal(
        said("backup.targets[0]", { name: "far", [key]: "s3cr3t" }),
        `pgplatform:backup.targets[0]: {"name":"far","${key}":"(hidden)"} is not allowed. Allowed: another. Fix: change it.`,
      ));
  }

  for (const [what, value, brackets] of [
    ["the value", "weur", '("weur")'],
    ["no secret", { password: "s3cr3t" }, '({"password":"(hidden)"})'],
    ["that there is none", undefined, "(not set)"],
  ] as const)
    it(`begins with what must not be set, and shows ${what}`, () => {
      const problem = { path: "pgplatform:x", value, fix: "leave it out" };
      assert.equal(
        sentence({ ...problem, allowed: "must not be set with y" }),
        `pgplatform:x: must not be set with y ${brackets}. Fix: leave it out.`,
      );
      assert.equal(
        sentence({ ...problem, allowed: "must not be set: y does it" }),
        `pgplatform:x: must not be set ${brackets}: y does it. Fix: leave it out.`,
      );
    });

  it("says what else is wrong than the value", () =>
    assert.equal(
      sentence({ path: "pgplatform:x", value: 1, wrong: "no such setting", allowed: "y", fix: "remove it" }),
      "pgplatform:x: no such setting (1). Allowed: y. Fix: remove it.",
    ));

  it("shows what is no secret", () => {
    assert.equal(said("tier", "x"), 'pgplatform:tier: "x" is not allowed. Allowed: another. Fix: change it.');
    assert.match(said("cluster.parameters.password_encryption", "md5"), /: "md5" is not allowed\./);
  });
});
