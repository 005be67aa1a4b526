import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { amtool, promtool } from "../../local/toolchain/prometheusTools";
import { run } from "../../shell/process";

const rules = (expr: string): string =>
  JSON.stringify({ groups: [{ name: "one", rules: [{ alert: "One", expr }] }] });

const route = (receiver: string): string =>
  JSON.stringify({ route: { receiver }, receivers: [{ name: "one" }] });

describe("promtool and amtool", function () {
  // The first run fetches them.
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pgp-prometheus-"))));
  after(() => rmSync(folder, { recursive: true }));

  const answer = async (program: string, args: string[], text: string): Promise<number> => {
    const file = join(folder, "file.yaml");
    writeFileSync(file, text);
    return (await run(program, [...args, file], { allowFailure: true })).exitCode;
  };

  it("are there, and tell good rules from bad ones", async () => {
    const program = await promtool();
    assert.equal(await answer(program, ["check", "rules"], rules("up == 0")), 0);
    assert.notEqual(await answer(program, ["check", "rules"], rules("up ==")), 0);
  });

  it("are there, and tell good routes from bad ones", async () => {
    const program = await amtool();
    assert.equal(await answer(program, ["check-config"], route("one")), 0);
    assert.notEqual(await answer(program, ["check-config"], route("other")), 0);
  });
});
