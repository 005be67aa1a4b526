import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../components/engine";
import { pins } from "../local/pins";
import { cacheDir } from "../operations/paths";
import { UserError } from "./userError";

/** Engines that have an operator. */
export type OperatedEngine = keyof typeof pins.operators;

export const isOperated = (engine: string): engine is OperatedEngine => engine in pins.operators;

/** Where set-up leaves the manifest of an engine's operator for the program. */
export const manifestPath = (engine: OperatedEngine): string =>
  join(cacheDir, "manifests", `${engine}-${pins.operators[engine]}.json`);

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
