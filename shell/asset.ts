import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The text of a file that is part of the program, such as a script that a plan puts into a ConfigMap. */
export const asset = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");

/** Names of the files in a folder that is part of the program, sorted. */
export const assetNames = (folder: string): string[] => readdirSync(folder).sort();
