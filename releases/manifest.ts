import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
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

/** Raise it when the conversion in local/manifests.ts changes, so that files are converted again. */
const CONVERSION = "2";

/** The file of an engine's manifest: other released files, and another conversion, have another. */
function manifestName(engine: OperatedEngine): string {
  const sums = manifestParts[engine].flatMap((part) => Object.values(pins.manifests[part]));
  const key = createHash("sha256")
    .update([CONVERSION, ...sums].join())
    .digest("hex")
    .slice(0, 8);
  return `${engine}-${pins.operators[engine]}-${key}.json`;
}

/** Where set-up leaves the manifest of an engine's operator for the program. */
export const manifestPath = (engine: OperatedEngine): string =>
  join(cacheDir, "manifests", manifestName(engine));

/** Folder of the manifests in the npm package, below its compiled code. */
export const packedManifests = join("releases", "manifests");

/** Where a program that imports the package finds them. */
const packedPath = (engine: OperatedEngine): string => join(__dirname, "manifests", manifestName(engine));

const found = (engine: OperatedEngine, pathOf = manifestPath): string | undefined =>
  [packedPath(engine), pathOf(engine)].find((path) => existsSync(path));

/** Whether the manifest of an engine's operator is there. */
export const hasManifest = (engine: OperatedEngine): boolean => found(engine) !== undefined;

/** The released objects of an engine's operator; they are read from a file, so that a preview needs no cluster. */
export function operatorManifest(engine: string, pathOf = manifestPath): KubernetesObject[] {
  if (!isOperated(engine)) return [];
  const path = found(engine, pathOf);
  if (path === undefined)
    throw new UserError([
      `The operator's manifest is not at ${pathOf(engine)}: run \`make tools\`, which puts it there.`,
    ]);
  return JSON.parse(readFileSync(path, "utf8")) as KubernetesObject[];
}
