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

/** An engine's operator, or the Prometheus Operator. */
export type ManifestName = OperatedEngine | "monitoring";

/** Keys of the pinned files of which a manifest is made. */
export const manifestParts = {
  cnpg: ["cnpg", "barmanPlugin"],
  zalando: ["zalando"],
  monitoring: ["prometheusOperator"],
} as const satisfies Record<ManifestName, readonly (keyof typeof pins.manifests)[]>;

export const hasParts = (name: string): name is ManifestName => name in manifestParts;

/** Raise it when the conversion in local/manifests.ts changes, so that files are converted again. */
const CONVERSION = "2";

const versionOf = (name: ManifestName): string =>
  name === "monitoring" ? pins.monitoring.operator : pins.operators[name];

/** The file of a manifest: other released files, and another conversion, have another. */
function fileName(name: ManifestName): string {
  const sums = manifestParts[name].flatMap((part) => Object.values(pins.manifests[part]));
  const key = createHash("sha256")
    .update([CONVERSION, ...sums].join())
    .digest("hex")
    .slice(0, 8);
  return `${name}-${versionOf(name)}-${key}.json`;
}

/** Where set-up leaves a manifest for the program. */
export const manifestPath = (name: ManifestName): string => join(cacheDir, "manifests", fileName(name));

/** Folder of the manifests in the npm package, below its compiled code. */
export const packedManifests = join("releases", "manifests");

/** Where a program that imports the package finds them. */
const packedPath = (name: ManifestName): string => join(__dirname, "manifests", fileName(name));

const found = (name: ManifestName, pathOf = manifestPath): string | undefined =>
  [packedPath(name), pathOf(name)].find((path) => existsSync(path));

/** Whether a manifest is there. */
export const hasManifest = (name: ManifestName): boolean => found(name) !== undefined;

/** Released objects; they are read from a file, so that a preview needs no cluster. */
function manifest(name: ManifestName, pathOf = manifestPath): KubernetesObject[] {
  const path = found(name, pathOf);
  if (path === undefined)
    throw new UserError([
      `The operator's manifest is not at ${pathOf(name)}: run \`make tools\`, which puts it there.`,
    ]);
  return JSON.parse(readFileSync(path, "utf8")) as KubernetesObject[];
}

/** The released objects of an engine's operator. */
export const operatorManifest = (engine: string, pathOf = manifestPath): KubernetesObject[] =>
  isOperated(engine) ? manifest(engine, pathOf) : [];

/** The released objects of the Prometheus Operator. */
export const monitoringManifest = (): KubernetesObject[] => manifest("monitoring");

/** Names of the manifests that a stack takes. */
export const manifestsOf = ({
  cluster,
  monitoring,
}: {
  readonly cluster: { readonly engine: string };
  readonly monitoring: { readonly prometheus: string };
}): ManifestName[] => [
  ...(isOperated(cluster.engine) ? [cluster.engine] : []),
  ...(monitoring.prometheus === "install" ? (["monitoring"] as const) : []),
];
