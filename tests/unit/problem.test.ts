import assert from "node:assert/strict";
import { sentence } from "../../settings/problem";

describe("the sentence of a problem", () => {
  const said = (path: string, value: unknown) =>
    sentence({ path: `pgplatform:${path}`, value, allowed: "another", fix: "change it" });

  for (const key of ["secretAccessKey", "password"]) {
    it(`hides a value below a path with ${key}`, () =>
      assert.equal(
        said(`backup.targets[0].credentials.${key}`, "s3cr3t"),
        `pgplatform:backup.targets[0].credentials.${key} is (hidden), allowed is another: change it.`,
      ));

    it(`hides ${key} inside a value`, () =>
      assert.equal(
        said("backup.targets[0]", { name: "far", [key]: "s3cr3t" }),
        `pgplatform:backup.targets[0] is {"name":"far","${key}":"(hidden)"}, allowed is another: change it.`,
      ));
  }

  it("shows what is no secret", () => {
    assert.equal(said("tier", "x"), 'pgplatform:tier is "x", allowed is another: change it.');
    assert.match(said("cluster.parameters.password_encryption", "md5"), /is "md5"/);
  });
});
