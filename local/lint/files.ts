import { lstat, open } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { run } from "../../shell/process";

/** Languages of scripts that `make lint` has a linter for; ESLint and Prettier find their files themselves. */
export type Language = "shell" | "python";

const extensions: Readonly<Record<string, Language>> = {
  ".sh": "shell",
  ".bash": "shell",
  ".dash": "shell",
  ".ksh": "shell",
  ".py": "python",
  ".pyi": "python",
};
const eslints = [".ts", ".js", ".mjs", ".cjs"];

/** The program that a file's first line names, without its folder and version: `#!/usr/bin/env -S python3.11 -u` names `python`. */
export function interpreterOf(firstLine: string): string | undefined {
  if (!firstLine.startsWith("#!")) return undefined;
  const words = firstLine.slice(2).trim().split(/\s+/);
  const named =
    basename(words[0] ?? "") === "env"
      ? words.slice(1).find((word) => !word.startsWith("-") && !word.includes("="))
      : words[0];
  return basename(named ?? "").replace(/[0-9.]+$/, "");
}

/** What reads a file: a linter, none by intent, or a message where a linter is missing. */
export function languageOf(
  path: string,
  firstLine: string,
  executable: boolean,
): Language | { problem: string } | undefined {
  const interpreter = interpreterOf(firstLine);
  const extension = extname(path);
  if (interpreter === undefined)
    return (
      extensions[extension] ??
      (executable
        ? {
            problem: `${path} is executable, and nothing says what runs it: begin it with a line like #!/bin/sh`,
          }
        : undefined)
    );
  if (["sh", "bash", "dash", "ash", "ksh"].includes(interpreter)) return "shell";
  if (interpreter === "python") return "python";
  if (eslints.includes(extension)) return undefined;
  return {
    problem: `${path} is for ${interpreter}, which no linter reads: add one in local/lint, or rewrite it`,
  };
}

async function firstLineOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString("utf8", 0, bytesRead).split("\n")[0] ?? "";
  } finally {
    await file.close();
  }
}

export interface Scripts {
  shell: string[];
  python: string[];
  problems: string[];
}

/** Every script in a checkout, committed or new, whatever its name; what Git ignores isn't looked at. */
export async function scriptsIn(folder: string): Promise<Scripts> {
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: folder,
  });
  const found: Scripts = { shell: [], python: [], problems: [] };
  for (const path of [...new Set(stdout.split("\0"))].filter((name) => name !== "").sort()) {
    const status = await lstat(join(folder, path)).catch(() => undefined);
    if (status?.isFile() !== true) continue;
    const language = languageOf(path, await firstLineOf(join(folder, path)), (status.mode & 0o111) !== 0);
    if (typeof language === "object") found.problems.push(language.problem);
    else if (language !== undefined) found[language].push(path);
  }
  return found;
}
