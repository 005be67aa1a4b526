import assert from "node:assert/strict";
import { majorOf, refuseMajor, withImage } from "../../operations/upgradeMinor";

/** That instances run the other image then is shown by tests/e2e/pgp.test.ts. */
describe("another minor version", () => {
  it("is that of an image whose tag begins with the major version", () => {
    for (const [image, major] of [
      ["ghcr.io/cloudnative-pg/postgresql:17.11-standard-trixie", "17"],
      ["registry.example.com:5000/pg:17", "17"],
      ["registry.example.com/pg:17.4@sha256:0123456789abcdef", "17"],
      ["registry.example.com/pg:pg16-ubuntu", "16"],
      ["registry.example.com:5000/pg", undefined],
      ["registry.example.com/pg:latest", undefined],
    ] as const)
      assert.equal(majorOf(image), major, image);
    refuseMajor("registry.example.com/pg:17.4", "17");
    assert.throws(
      () => refuseMajor("registry.example.com/pg:18.1", "17"),
      /is not allowed\. Allowed: an image of PostgreSQL 17, .* set cluster\.postgresVersion/,
    );
    assert.throws(
      () => refuseMajor("registry.example.com/pg:latest", "17"),
      /Fix: name one with such a tag\./,
    );
  });

  it("is written into the stack file, of which all else stays", () => {
    const file =
      "# The shop.\nconfig:\n  pgplatform:platform: cloud # ours\n  pgplatform:images: { registry: mirror.example.com }\n";
    assert.equal(
      withImage(file, "pg:17.11"),
      "# The shop.\nconfig:\n  pgplatform:platform: cloud # ours\n  pgplatform:images: { registry: mirror.example.com, postgresql: pg:17.11 }\n",
    );
    assert.match(
      withImage("config:\n  pgplatform:tier: dev\n", "pg:17.11"),
      /^ {2}pgplatform:images:\n {4}postgresql: pg:17\.11$/m,
    );
  });
});
