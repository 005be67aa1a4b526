import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makePolicyPackage } from "../../../local/policyPackage";
import { projectDir } from "../../../shell/paths";

/** The package, copied to a place where nothing of the project is but the packages that it depends on. */
describe("the pack as a package", function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgp-pack-"));
    await makePolicyPackage(join(folder, "made"));
    await cp(join(folder, "made"), join(folder, "copied"), { recursive: true });
    await rm(join(folder, "made"), { recursive: true });
    await symlink(join(projectDir, "node_modules"), join(folder, "copied", "node_modules"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("loads, and says at which port it answers", async () => {
    const pack = spawn("node", ["."], { cwd: join(folder, "copied"), stdio: ["ignore", "pipe", "pipe"] });
    try {
      let failed = "";
      pack.stderr.on("data", (text: Buffer) => (failed += text.toString()));
      const [line] = await Promise.race([
        new Promise<string[]>((resolve) =>
          createInterface({ input: pack.stdout }).once("line", (text) => resolve([text])),
        ),
        new Promise<string[]>((resolve) => pack.once("exit", () => resolve([failed]))),
      ]);
      assert.match(line ?? "", /^\d+$/);
    } finally {
      pack.kill();
    }
  });

  it("asks for no package that its code doesn't use, and for those that it does", async () => {
    const code = await readFile(join(folder, "copied", "index.js"), "utf8");
    const used = new Set([...code.matchAll(/require\("([^"]+)"\)/g)].map(([, name = ""]) => name));
    const { dependencies } = JSON.parse(await readFile(join(folder, "copied", "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const packages = [...used].flatMap((name) =>
      name.startsWith("node:")
        ? []
        : [
            name
              .split("/")
              .slice(0, name.startsWith("@") ? 2 : 1)
              .join("/"),
          ],
    );
    assert.deepEqual([...new Set(packages)].sort(), Object.keys(dependencies).sort());
  });
});
