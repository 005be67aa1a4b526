import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../plan/objects";
import { pins } from "./pins";
import { cacheDir } from "../shell/paths";
import { UserError } from "../shell/userError";

/** Engines that have an operator. */
export type OperatedEngine = keyof typeof pins.operators;

export const isOperated = (engine: string): engine is OperatedEngine => engine in pins.operators;

/** Keys of the pinned files of which an engine's manifest is made. */
export const manifestParts = {
  cnpg: ["cnpg", "barmanPlugin"],
  zalando: ["zalando"],
} as const satisfies Record<OperatedEngine, readonly (keyof typeof pins.manifests)[]>;

/** Where set-up leaves the manifest of an engine's operator for the program: each version of the project has its own. */
export function manifestPath(engine: OperatedEngine): string {
  const sums = manifestParts[engine].flatMap((part) => Object.values(pins.manifests[part]));
  const key = createHash("sha256").update(sums.join()).digest("hex").slice(0, 8);
  return join(cacheDir, "manifests", `${engine}-${pins.operators[engine]}-${key}.json`);
}

/** The released objects of an engine's operator; they are read from a file, so that a preview needs no cluster. */
export function operatorManifest(engine: string, folderOf = manifestPath): KubernetesObject[] {
  if (!isOperated(engine)) return [];
  const path = folderOf(engine);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UserError([
      `The operator's manifest is not at ${path}: run \`make tools\`, which puts it there.`,
    ]);
  }
  return JSON.parse(text) as KubernetesObject[];
}
