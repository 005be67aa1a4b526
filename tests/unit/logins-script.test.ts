import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** What the monitor says of logins through the poolers. A stand-in for psql: a program that answers by the host. */
describe("the monitor's logins (a stand-in for psql)", () => {
  const script = join(__dirname, "../../plan/monitoring/scripts/logins.sh");

  it("say which pooler lets clients in, with the password as it is now, beside what certificates say", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgp-logins-"));
    const at = (name: string) => join(folder, name);
    writeFileSync(
      at("psql"),
      '#!/bin/bash\n[ "$PGPASSWORD" = "$(cat "${0%/*}/right")" ] || { echo "FATAL: password authentication failed" >&2; exit 2; }\ncase "$*" in *good*) echo 1 ;; *hangs*) exec sleep 60 ;; *) echo "FATAL: database \\"app\\" is not currently accepting connections" >&2; exit 2 ;; esac\n',
    );
    chmodSync(at("psql"), 0o755);
    writeFileSync(at("password"), "first");
    writeFileSync(at("right"), "first");
    writeFileSync(at("certificates.part"), "pgplatform_certificate_readable 1\n");
    const child = spawn("bash", [script], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        POOLERS: "app=good.postgres.svc shut=refuses.postgres.svc stuck=hangs.postgres.svc",
        PASSWORD: at("password"),
        STATE: folder,
        SECONDS_BETWEEN: "0.1",
        SECONDS_AT_MOST: "1",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let words = "";
    child.stderr.on("data", (text) => (words += String(text)));
    const metrics = () => (existsSync(at("metrics.txt")) ? readFileSync(at("metrics.txt"), "utf8") : "");
    const until = async (line: string) => {
      for (const end = Date.now() + 20_000; !metrics().includes(line); await delay(20))
        assert.ok(Date.now() < end, `${line} is waited for in vain:\n${metrics()}\n${words}`);
    };
    try {
      await until('pgplatform_pooler_login{pooler="app"} 1');
      assert.match(metrics(), /pgplatform_pooler_login\{pooler="shut"\} 0\n/);
      assert.match(metrics(), /pgplatform_pooler_login\{pooler="stuck"\} 0\n/);
      assert.match(metrics(), /^pgplatform_certificate_readable 1$/m);
      assert.match(words, /no login through the pooler shut: FATAL: database "app" is not currently/);
      assert.match(words, /no login through the pooler stuck: no answer within 1 s/);
      writeFileSync(at("right"), "second");
      await until('pgplatform_pooler_login{pooler="app"} 0');
      writeFileSync(at("password"), "second");
      await until('pgplatform_pooler_login{pooler="app"} 1');
      assert.doesNotMatch(words, /second/);
    } finally {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
