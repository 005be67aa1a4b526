import { writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../shell/paths";
import { CommandError, run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { pins } from "../../releases/pins";
import { cached } from "../cache";
import { goBuild } from "../toolchain/go";

export type Linter = keyof typeof pins.linters;

export interface Surroundings {
  /** Where programs are looked for. @default - the environment's */
  path?: string;
  cache?: string;
}

/**
 * A program of exactly the pinned version: the one on PATH, or the one in the pinned wheel, which pip compares with the pinned sums and
 * which is kept in the cache. Another version would find other faults.
 */
export async function linter(name: Linter, { path, cache = cacheDir }: Surroundings = {}): Promise<string> {
  const { version, wheel, sha256 } = pins.linters[name];
  const env = path === undefined ? {} : { PATH: path };
  const answer = await run(name, ["--version"], { env, timeoutMs: 20_000 }).catch(() => undefined);
  if (/\d+\.\d+\.\d+/.exec(answer?.stdout ?? "")?.[0] === version) return name;

  const required = `${wheel} ${sha256.map((sum) => `--hash=sha256:${sum}`).join(" ")}\n`;
  const instead = `or have ${name} ${version} on PATH`;
  const folder = await cached(
    `linters/${name}`,
    [required, platform(), arch()],
    async (target) => {
      const pip = ["-m", "pip"];
      await run("python3", [...pip, "--version"], { env }).catch(() => {
        throw new UserError([
          `${name} ${version} comes as a Python wheel, and \`python3 -m pip\` doesn't run: install Python 3 with pip (Debian: python3-pip), ${instead}.`,
        ]);
      });
      const requirements = join(target, "requirements.txt");
      await writeFile(requirements, required);
      const only = ["--require-hashes", "--only-binary=:all:", "--no-deps"];
      const install = [
        ...pip,
        "install",
        "--quiet",
        "--no-input",
        ...only,
        "--target",
        target,
        "-r",
        requirements,
      ];
      await run("python3", install, {
        env: { ...env, PIP_ROOT_USER_ACTION: "ignore", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
      }).catch((error: unknown) => {
        if (!(error instanceof CommandError)) throw error;
        const said = error.tail.findLast((line) => line.startsWith("ERROR")) ?? error.message;
        throw new UserError([
          `pip can't install ${wheel} for ${platform()} on ${arch()}: ${said.replace(/\.$/, "")}. Fix that, ${instead}.`,
        ]);
      });
    },
    cache,
  );
  return join(folder, "bin", name);
}

/** actionlint, built from its pinned Go module. */
export const actionlint = (): Promise<string> =>
  goBuild({
    module: join(__dirname, "actionlint"),
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    binary: "actionlint",
  });
