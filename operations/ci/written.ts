import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Outcome } from "../command/spec";
import { issueOf } from "./markdown";

/** Writes a text into a file and the folders above it, where one is named. */
export async function writeText(file: string | undefined, text: string): Promise<void> {
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Exit code of a look that found something. */
const FOUND = 5;

/** What a look found: an issue's text in a file, and an answer. */
export async function writeIssue(
  file: string | undefined,
  about: string,
  title: string,
  lines: readonly string[],
  fix: string,
): Promise<Outcome> {
  await writeText(file, issueOf(about, title, lines, fix));
  return {
    line:
      lines.length === 0
        ? `${title}: nothing.`
        : [`${title}:`, ...lines.map((line) => `  ${line}`)].join("\n"),
    data: { title, found: lines },
    exit: lines.length === 0 ? 0 : FOUND,
  };
}
