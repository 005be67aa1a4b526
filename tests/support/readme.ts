import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** README's example of a program that uses the library. */
export async function readmeProgram(): Promise<string> {
  const text = await readFile(join(__dirname, "../../README.md"), "utf8");
  const program = /```ts\n([^]*?)```/.exec(text)?.[1];
  if (program === undefined) throw new Error("README has no program");
  return program;
}
