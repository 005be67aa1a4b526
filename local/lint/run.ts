import { join } from "node:path";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { scriptsIn } from "./files";
import { actionlint, linter } from "./linters";

/** `npm run scripts`: reads every shell script, every Python file and every workflow of the checkout; `--format` formats Python instead. */
async function main(): Promise<void> {
  const { shell, python, problems } = await scriptsIn(projectDir);
  if (problems.length > 0) throw new UserError(problems);
  const ruff = await linter("ruff");
  if (process.argv.includes("--format")) {
    await run(ruff, ["format", "--quiet", "--no-cache", ...python], {
      cwd: projectDir,
      onLine: console.error,
    });
    return;
  }
  const shellcheck = await linter("shellcheck");
  const checks: [string, string[]][] = [
    [shellcheck, shell],
    // Scripts in workflows are shellcheck's; Python's linters read none there.
    [await actionlint(), ["-no-color", "-shellcheck", shellcheck, "-pyflakes", ""]],
    // What only GitHub's API can tell isn't asked: pins are compared by a test.
    [
      await linter("zizmor"),
      ["--offline", "--no-progress", "--quiet", "--persona", "pedantic", ".github/workflows"],
    ],
    [ruff, ["check", "--quiet", "--no-cache", ...python]],
    [ruff, ["format", "--quiet", "--no-cache", "--check", ...python]],
    [join(projectDir, "node_modules/.bin/pyright"), python],
  ];
  const results = await Promise.all(
    checks.map(([program, args]) => run(program, args, { cwd: projectDir, allowFailure: true })),
  );
  for (const { exitCode, stdout, stderr } of results) {
    if (exitCode === 0) continue;
    process.stderr.write(`${stdout}${stderr}`);
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
