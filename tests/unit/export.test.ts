import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportTo, fileOf } from "../../operations/export";
import { Kubectl } from "../../operations/kubectl";
import { foundOf } from "../support/onCall";

/** A stand-in for kubectl: a script that lists a pod, the databases, and dumps that say what they are of. */
const script = (dump: string) => `#!/bin/sh
case "$*" in
  *"get pods"*) cat <<'END'
{"items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"main-1","labels":{"cnpg.io/instanceRole":"primary"}}}]}
END
;;
  *json_agg*) echo '["app","an odd/name"]' ;;
  *pg_dumpall*) echo 'CREATE ROLE app;' ;;
  *pg_dump*) ${dump} ;;
  *"pg_restore --list"*) sed -n 's/^dump/1; dump/p' ;;
esac
`;

describe("pgp export, with a stand-in for kubectl", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "pgp-export-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (dump: string) => {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/kubectl"), script(dump));
    chmodSync(join(folder, "bin/kubectl"), 0o755);
    const found = foundOf("cnpg");
    const kubectl = new Kubectl({ kubeconfig: undefined, context: "none" }, [join(folder, "bin")]);
    const subject = { ...found.subject!, kubectl };
    const said: string[] = [];
    const context = { detail: () => undefined, say: (text: string) => said.push(text) };
    const exported = exportTo(
      { ...found, subject, platform: subject },
      join(folder, "out"),
      context,
      new AbortController().signal,
    );
    return { exported, said };
  };

  it("has each database, the roles and the settings, for this user alone", async () => {
    const { exported, said } = run("echo \"dump of $(printf '%s' \"$*\" | sed 's/.*--dbname //')\"");
    const { databases } = await exported;
    assert.deepEqual(
      databases.map(({ name, entries }) => [name, entries]),
      [
        ["app", 1],
        ["an odd/name", 1],
      ],
    );
    assert.equal(fileOf("an odd/name"), "an%20odd%2Fname.dump");
    assert.equal(readFileSync(join(folder, "out/an%20odd%2Fname.dump"), "utf8"), "dump of an odd/name\n");
    assert.match(readFileSync(join(folder, "out/roles.sql"), "utf8"), /CREATE ROLE app/);
    assert.match(readFileSync(join(folder, "out/settings.yaml"), "utf8"), /engine: cnpg/);
    assert.equal(statSync(join(folder, "out/app.dump")).mode & 0o077, 0);
    assert.match(said[0] ?? "", /^app: 1 entries, \d+ bytes$/);
  });

  it("fails with the program's words, and where a dump has no contents", async () => {
    await assert.rejects(run("echo 'pg_dump: error: no' >&2; exit 1").exported, {
      message: "`pg_dump` in main-1 failed: pg_dump: error: no",
    });
    rmSync(join(folder, "bin"), { recursive: true });
    await assert.rejects(run("true").exported, /The dump of app has no contents/);
  });
});
