import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { withAlerts } from "../../docs/alertsTable";
import { alerts, pageOf } from "../../plan/monitoring/alerts";
import { entries } from "../../settings/schema/reference";
import { read, root } from "../support/pages";

const folder = "docs/runbooks";
const files = readdirSync(join(root, folder)).filter((name) => name !== "README.md");
const first = read(`${folder}/README.md`);

/** What the page says to run. */
const commands = (text: string): string =>
  [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, code]) => code).join("\n");

/** Variables that a text uses, of the shell's; those that it sets itself and awk's or SQL's are none. */
const variables = (code: string): string[] =>
  [...code.matchAll(/\$\{?([A-Z][A-Z_]*)/g)].map(([, name = ""]) => name);

const known = new Set(entries().map(({ path }) => path));
const targets = new Set([...read("Makefile").matchAll(/^([a-z0-9-]+):/gm)].map(([, name = ""]) => name));

describe("runbooks", () => {
  it("are there for each alert, and for nothing else", () =>
    assert.deepEqual(files.sort(), alerts.map(pageOf).sort()));

  it("are named in lower-case words", () => {
    assert.equal(pageOf({ name: "PostgreSQLDown" }), "postgresql-down.md");
    assert.equal(pageOf({ name: "WALVolumeFullSoon" }), "wal-volume-full-soon.md");
    assert.equal(pageOf({ name: "SlotKeepsWAL" }), "slot-keeps-wal.md");
    assert.equal(pageOf({ name: "HighBufferBackendWrites" }), "high-buffer-backend-writes.md");
  });

  for (const alert of alerts)
    it(`say what to do: ${alert.name}`, () => {
      const text = read(`${folder}/${pageOf(alert)}`);
      const lines = text.split("\n");
      assert.equal(lines[0], `# ${alert.name}`);
      assert.deepEqual(
        lines.filter((line) => line.startsWith("## ")),
        ["## Meaning", "## Impact", "## Diagnosis", "## Remedy"],
      );
      assert.ok(lines.length <= 60, `${lines.length} lines`);
      for (const part of text.split(/^## .*$/m).slice(1)) assert.ok(part.trim().length > 10, part);

      const code = commands(text);
      assert.notEqual(code, "");
      const said = text.replace(/```[^]*?```/g, "");
      for (const name of variables(code))
        assert.ok(
          first.includes(`export ${name}=`) ||
            said.includes(`\`${name}\``) ||
            code.includes(`for ${name} in`),
          `$${name} isn't explained`,
        );
      for (const [, target = ""] of text.matchAll(/(?:`|^)make ([a-z]+)/gm))
        assert.ok(targets.has(target), `make ${target}`);
      for (const [, name = ""] of text.matchAll(/`thresholds\.(\w+)`/g))
        assert.ok(known.has(`monitoring.thresholds.${name}`), name);
      for (const [, path = ""] of text.matchAll(
        /`((?:cluster|backup|poolers|monitoring|operator|rotation)(?:\[\])?\.[\w.[\]]+)`/g,
      ))
        assert.ok(known.has(path) || [...known].some((one) => one.startsWith(`${path}.`)), path);
    });

  it("have commands that a shell can read", () => {
    const all = [first, ...files.map((name) => read(`${folder}/${name}`))].map(commands).join("\n");
    execFileSync("bash", ["-n"], { input: all });
    assert.throws(() => execFileSync("bash", ["-n"], { input: 'sql "select', stdio: "pipe" }));
  });
});

describe("the page of monitoring", () => {
  it("lists the alerts and the rules of inhibition as they are", async function () {
    // The formatter is loaded.
    this.timeout(60_000);
    const page = read("docs/monitoring.md");
    assert.equal(await withAlerts(page), page, "run npm run docs:alerts");
    await assert.rejects(async () => withAlerts("# Monitoring\n"), /no place for the alerts/);
  });
});
