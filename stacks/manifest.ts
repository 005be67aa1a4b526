import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../components/engine";
import { pins } from "../local/pins";
import { cacheDir } from "../operations/paths";
import { UserError } from "./userError";

/** Where set-up leaves CloudNativePG's manifest for the program. */
export const cnpgManifestPath = join(cacheDir, "manifests", `cnpg-${pins.operators.cnpg}.json`);

/** The operator's released objects; they are read from a file, so that a preview needs no cluster. */
export function operatorManifest(path: string = cnpgManifestPath): KubernetesObject[] {
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
