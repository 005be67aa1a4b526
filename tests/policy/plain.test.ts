import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectDir } from "../../shell/paths";
import { run, type RunResult } from "../../shell/process";
import { stacks } from "../golden/stacks";
import { Previews } from "./kit/preview";

/**
 * Pulumi by itself, as README says: a copy of what Git has, an empty home, an empty cache, and nothing that `make` made but Pulumi with its
 * plugins on PATH. There is no cluster: the provider plans without asking one.
 */
describe("plain Pulumi in a fresh clone, without a cluster", function () {
  this.timeout(300_000);
  let previews: Previews;
  let folder: string;
  const clone = () => join(folder, "clone");

  before(async () => {
    previews = await Previews.make();
    folder = await mkdtemp(join(tmpdir(), "pgp-plain-"));
    const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: projectDir,
    });
    for (const file of stdout.split("\0").filter((one) => one !== "")) {
      await mkdir(dirname(join(clone(), file)), { recursive: true });
      // A file that is deleted and not committed yet is listed, too.
      await copyFile(join(projectDir, file), join(clone(), file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
    await symlink(join(projectDir, "node_modules"), join(clone(), "node_modules"));
    for (const name of ["home", "state"]) await mkdir(join(folder, name));
  });
  after(async () => {
    await previews?.close();
    if (folder !== undefined) {
      // Go's module cache is read-only.
      await run("chmod", ["-R", "u+w", folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });

  const pulumi = (
    args: readonly string[],
    env: Record<string, string | undefined> = {},
  ): Promise<RunResult> =>
    run("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: clone(),
      allowFailure: true,
      env: {
        ...previews.tools,
        HOME: join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "x",
        GOMODCACHE: undefined,
        PGP_CACHE: undefined,
        PGP_STATE: undefined,
        XDG_CACHE_HOME: undefined,
        ...env,
      },
    });

  async function configured(): Promise<void> {
    const settings = {
      platform: "local",
      "cluster.name": "main",
      "cluster.namespace": "plain",
      "cluster.storage.size": "1Gi",
      "cluster.databases[0].name": "app",
      "cluster.databases[0].owner": "app",
      "kubernetes.kubeconfig": previews.kubeconfig,
    };
    assert.equal((await pulumi(["stack", "init", "try"])).exitCode, 0);
    for (const [path, value] of Object.entries(settings)) {
      const { exitCode, stderr } = await pulumi(["config", "set", "--path", `pgplatform:${path}`, value]);
      assert.equal(exitCode, 0, stderr);
    }
  }

  it("`stack init` adds its salt to a stack file, and changes nothing else of it", async () => {
    for (const stack of stacks) {
      const { exitCode, stderr } = await pulumi(["stack", "init", stack]);
      assert.equal(exitCode, 0, stderr);
      const name = `Pulumi.${stack}.yaml`;
      const lines = (await readFile(join(clone(), name), "utf8")).split("\n");
      assert.equal(
        lines.filter((line) => !line.startsWith("encryptionsalt: ")).join("\n"),
        await readFile(join(projectDir, name), "utf8"),
      );
    }
  });

  it("without a network, a preview ends with one sentence that names the command", async () => {
    await configured();
    const { exitCode, stdout, stderr } = await pulumi(["preview"], {
      GOPROXY: "off",
      HTTPS_PROXY: "http://127.0.0.1:9",
      https_proxy: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1,localhost",
      no_proxy: "127.0.0.1,localhost",
    });
    assert.notEqual(exitCode, 0);
    const said = stdout + stderr;
    assert.match(
      said,
      /The manifest of the operator of cnpg is not in the cache and can't be fetched: [^]*Run `make tools`/,
    );
    assert.doesNotMatch(said, /\n\s+at .*\.ts:/, "no stack trace");
  });

  it("`pulumi preview` fetches the operator's released manifest, checked by its sum, and plans", async () => {
    const { exitCode, stdout, stderr } = await pulumi(["preview"]);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /\+ \d+ to create/);
    assert.match(stdout, /host: "main-rw\.plain\.svc"/);
  });

  it("holds a stack to the pack as strictly as its tier asks", async () => {
    const preview = () => pulumi(["preview", "--policy-pack", "policy"]);
    const dev = await preview();
    assert.equal(dev.exitCode, 0, dev.stdout + dev.stderr);
    assert.match(dev.stdout, /\[advisory\].*wal-archiving/);
    assert.equal((await pulumi(["config", "set", "pgplatform:tier", "prod"])).exitCode, 0);
    const prod = await preview();
    assert.notEqual(prod.exitCode, 0);
    assert.match(prod.stdout, /\[mandatory\].*wal-archiving/);
  });
});
