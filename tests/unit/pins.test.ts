import assert from "node:assert/strict";
import { allPins, line, look, newer, type Pin } from "../../local/pins";
import { CommandError } from "../../shell/process";

describe("what is newer than a pin", () => {
  const pin = (pinned: string, more: Partial<Pin> = {}): Pin => ({
    name: "x",
    pinned,
    registry: { npm: "x" },
    ...more,
  });
  const cases: [Pin, string[], string | undefined][] = [
    [pin("1.75.1"), ["v1.74.0", "v1.76.0", "v1.75.2", "v2.0.0", "v1.77.0-beta.1"], "v1.76.0"],
    [pin("1.75.1"), ["v1.75.1", "v1.75.1-rc.1", "v1.9.0"], undefined],
    [pin("0.30.0"), ["0.31.0", "1.0.0"], "0.31.0"],
    [
      pin("17.11.0", { within: "17.x" }),
      ["17.9.0-beta.15", "17.12.0-beta.17", "18.6.0-beta.17"],
      "17.12.0-beta.17",
    ],
    [pin("1.34.1", { within: "~1.34.1" }), ["v1.34.4", "v1.35.0", "v1.34.5-rc.0"], "v1.34.4"],
    [pin("3.19"), ["3.19.1", "3.20.0rc1", "3.9", "nonsense"], "3.19.1"],
    [pin("0.11.0.1"), ["0.11.0.1", "0.10.0.2"], undefined],
    [pin("1.0.0"), [], undefined],
  ];
  for (const [one, versions, expected] of cases)
    it(`is ${expected ?? "nothing"} for ${one.pinned} among ${versions.join(" ")}`, () =>
      assert.equal(newer(one, versions), expected));

  it("is said in a line for each pin: newer, current, no answer with the registry's words, not asked", async () => {
    const said = async (one: Pin, from: () => Promise<string[]>) => (await look(one, from)).said;
    assert.equal(
      await said(pin("1.0.0", { note: "read this" }), () => Promise.resolve(["1.0.1"])),
      "1.0.1 is newer (read this)",
    );
    assert.equal(await said(pin("1.0.0"), () => Promise.resolve(["1.0.0"])), "current");
    assert.equal(await said(pin("1.0.0"), () => Promise.resolve([])), "the registry names no versions");
    const refused = new CommandError("go list", 1, ["first", "403 Forbidden", ""], "failed");
    assert.equal(
      await said(pin("1.0.0"), () => Promise.reject(refused)),
      "the registry gives no answer: 403 Forbidden",
    );
    const unasked = await look(pin("1.0.0", { registry: { none: "why" } }), () => assert.fail("asked"));
    assert.equal(unasked.said, "not asked: why");
    assert.match(line(unasked), /^x +1\.0\.0 +not asked: why$/);
  });

  it("has a pin for every PostgreSQL, operator and image that a stack runs upstream", () => {
    const names = allPins().map(({ name }) => name);
    for (const wanted of ["PostgreSQL 18", "CloudNativePG", "Zalando operator", "rclone", "versitygw"])
      assert.ok(names.includes(wanted), wanted);
    assert.equal(new Set(names).size, names.length);
  });
});
