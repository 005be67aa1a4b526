import { readFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../shell/paths";
import { CommandError, run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { cached } from "../cache";

/** The wheels that Checkov consists of, each of one version with the sums of its files. */
const requirements = join(__dirname, "checkov.txt");

export interface Scanner {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Checkov of exactly the pinned version, installed in the cache by pip, which compares each wheel with its sums. */
export async function checkov(): Promise<Scanner> {
  const python = (await run("python3", ["-c", "import sys; print(sys.version_info[:2])"])).stdout;
  const folder = await cached(
    "linters/checkov",
    [await readFile(requirements), python, platform(), arch()],
    async (target) => {
      const only = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--no-compile"];
      await run(
        "python3",
        ["-m", "pip", "install", "--quiet", "--no-input", ...only, "--target", target, "-r", requirements],
        { env: { PIP_ROOT_USER_ACTION: "ignore", PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
      ).catch((error: unknown) => {
        if (!(error instanceof CommandError)) throw error;
        const said = error.tail.findLast((line) => line.startsWith("ERROR")) ?? error.message;
        throw new UserError([
          `pip can't install Checkov for ${platform()} on ${arch()} with Python ${python.trim()}: ${said}. Its wheels are pinned for Linux on Intel with Python 3.11.`,
        ]);
      });
    },
    cacheDir,
  );
  return { command: "python3", args: ["-m", "checkov.main"], env: { PYTHONPATH: folder } };
}
