import assert from "node:assert/strict";
import { environment } from "./kit/environment";
import { firstUp } from "./kit/setup";
import { make } from "./kit/make";
import { say } from "./kit/wait";

/**
 * The two commands that a user begins with, run through the Makefile.
 * This doesn't prove that `make up` works from nothing: it starts from the state in which the machine is (.ci/run starts
 * from a clean clone). On the built-in cluster the images are built here from Debian's packages; the upstream images are
 * never run.
 */
describe("make up (images built here, not the upstream ones)", () => {
  it("ends with exit code 0 and one clear line", async () => {
    const { exitCode, lastLine } = firstUp();
    assert.equal(exitCode, 0);
    const { name, namespace, instances } = (await environment()).settings.cluster;
    const what =
      instances > 1
        ? `${instances} instances in namespace ${namespace}; a row was written through the pooler and read on a standby.`
        : `1 instance in namespace ${namespace}; a row was written through the pooler.`;
    assert.equal(lastLine, `PostgreSQL ${name} is up: ${what}`);
  });

  it("says how to connect, and prints no password", () => {
    const text = firstUp().lines.join("\n");
    assert.match(text, /how to connect/);
    assert.match(text, /verify-full/);
    assert.doesNotMatch(text, /postgres(ql)?:\/\/[^\s:/]+:[^\s@]+@/, "a URI with a password in it");
  });

  it("changes nothing when everything is there already", async () => {
    const again = await make("up");
    assert.equal(again.exitCode, 0);
    assert.ok(
      again.lines.some((line) => /pulumi up: (no changes|\d+ unchanged)$/.test(line)),
      "a second `make up` says that nothing changed",
    );
    assert.match(again.lastLine, /is up: /);
    say(`it took ${again.seconds.toFixed(0)} s`);
  });

  it("shows no changes in `make preview`, which compares with the live objects", async () => {
    const preview = await make("preview");
    assert.equal(preview.exitCode, 0);
    assert.equal(preview.lastLine, "No changes.");
  });
});
