import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(__dirname, "..", "..");

/** The text of a file of the project. */
export const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** The pages that users read. */
export const pages = [
  "README.md",
  "policy/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, "docs", "runbooks")).map((name) => `docs/runbooks/${name}`),
];
