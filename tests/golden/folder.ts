import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";

/** Where the expected files of a stack are. */
export const goldenFolder = (stack: string): string => join(__dirname, stack);

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const mostLines = 300;

/** What differs between two texts of a file, as lines with what stands around them. */
function patch(file: string, expected: string, actual: string): string {
  const { hunks } = structuredPatch(file, file, expected, actual, "", "", { context: 3 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  const left = lines.length - mostLines;
  return [
    `--- ${file} (expected)`,
    "+++ rendered now",
    ...lines.slice(0, mostLines),
    ...(left > 0 ? [`… and ${left} more lines`] : []),
  ].join("\n");
}

/** Each file that isn't what is rendered now: its name and the difference, or that there is only one of both. */
export function differences(folder: string, rendered: ReadonlyMap<string, string>): string[] {
  const kept = filesIn(folder);
  const names = [...new Set([...kept, ...rendered.keys()])].sort();
  return names.flatMap((name) => {
    const file = join(folder, name);
    const actual = rendered.get(name);
    if (actual === undefined) return [`${file}: no component makes this file any more`];
    if (!kept.includes(name)) return [`${file}: a component makes this file, and it isn't there`];
    const expected = readFileSync(file, "utf8");
    return expected === actual ? [] : [patch(file, expected, actual)];
  });
}

/** Makes a folder hold exactly the rendered files; says what it did. */
export function write(folder: string, rendered: ReadonlyMap<string, string>): string[] {
  mkdirSync(folder, { recursive: true });
  const kept = filesIn(folder);
  const gone = kept.filter((name) => !rendered.has(name));
  for (const name of gone) rmSync(join(folder, name));
  const changed = [...rendered].filter(
    ([name, text]) => !kept.includes(name) || readFileSync(join(folder, name), "utf8") !== text,
  );
  for (const [name, text] of changed) writeFileSync(join(folder, name), text);
  return [
    ...changed.map(([name]) => `wrote ${join(folder, name)}`),
    ...gone.map((name) => `deleted ${join(folder, name)}`),
  ];
}
