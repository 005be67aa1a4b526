import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exists, projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";

/** What a change is compared with: a folder, a stack file, or a commit of this repository. */

const git = (...args: string[]) => run("git", args, { cwd: projectDir, allowFailure: true });

async function commitOf(name: string): Promise<string | undefined> {
  if (name.startsWith("-")) return undefined;
  const { exitCode, stdout } = await git("rev-parse", "--verify", "--quiet", `${name}^{commit}`);
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Where this branch left `main`. */
async function branchPoint(): Promise<string | undefined> {
  for (const main of ["origin/main", "main"]) {
    const { exitCode, stdout } = await git("merge-base", "HEAD", main);
    if (exitCode === 0) return stdout.trim();
  }
  return undefined;
}

const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** Lays a commit out in a temporary folder; packages are this checkout's where it asks for the same ones. */
async function checkout(commit: string, folder: string): Promise<void> {
  const archive = join(folder, ".archive.tar");
  await run("git", ["archive", "--format=tar", `--output=${archive}`, commit], { cwd: projectDir });
  await run("tar", ["-xf", archive, "-C", folder]);
  await rm(archive);
  const locks = await Promise.all([folder, projectDir].map((one) => text(join(one, "package-lock.json"))));
  if (locks[0] === locks[1]) await symlink(join(projectDir, "node_modules"), join(folder, "node_modules"));
}

/**
 * Does `work` with the place that `against` names. @default - the commit at which this branch left `main`
 */
export async function withBase<T>(
  against: string | undefined,
  work: (place: string) => Promise<T>,
): Promise<T> {
  if (against !== undefined && (await exists(against))) return work(against);
  const commit = against === undefined ? await branchPoint() : await commitOf(against);
  if (commit === undefined)
    throw new UserError([
      against === undefined
        ? "--against: it isn't given, and this checkout has no branch main. Allowed: a folder, a stack file, or a commit. Fix: name what to compare with."
        : `--against: "${against}" is not there. Allowed: a folder with stack files, a stack file, or a commit of this repository. Fix: correct it, or fetch the commit.`,
    ]);
  const folder = await mkdtemp(join(tmpdir(), "pgp-base-"));
  try {
    await checkout(commit, folder);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a place has a stack's file; a file is the stack's own. */
export async function hasStack(stackName: string, place: string): Promise<boolean> {
  if ((await stat(place)).isFile()) return true;
  return exists(join(place, `Pulumi.${stackName}.yaml`));
}
