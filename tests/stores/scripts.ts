import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The scripts of the pods, by their names. */
export function originalScripts(
  folder = join(__dirname, "../../plan/backup/scripts"),
): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}
