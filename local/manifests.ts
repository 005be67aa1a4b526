import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { cnpgManifestPath } from "../stacks/manifest";
import { cached } from "./cache";
import { pins } from "./pins";
import { downloadChecked } from "./toolchain/download";
import { goFits, goModuleFolder, installedGo } from "./toolchain/go";

/**
 * The operators' released manifests, as JSON that a Pulumi program reads in milliseconds (parsing the YAML takes a second
 * at every preview). They come out of the operator's own Go module, whose checksum Go verifies.
 */

/** Raise it when the conversion below changes, so that converted files are made anew. */
const CONVERSION = "1";

/** Takes the prose out of a CRD's schemas: three quarters of the text, which every state file would carry along. */
export function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // A property may be called "description" too: its schema is an object.
      .filter(([key, inner]) => !(key === "description" && typeof inner === "string"))
      .map(([key, inner]) => [key, withoutDescriptions(inner)]),
  );
}

/** The Kubernetes objects of a manifest in YAML; CRDs lose their descriptions, everything else stays as it is. */
export function objectsOf(yaml: string): unknown[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJSON() as { kind?: string } | null)
    .filter((object) => object !== null)
    .map((object) => (object.kind === "CustomResourceDefinition" ? withoutDescriptions(object) : object));
}

/** The released YAML: out of the operator's Go module where there is a Go, else from its release page, with its sum pinned. */
async function releasedYaml(): Promise<string> {
  const version = pins.operators.cnpg;
  const file = `cnpg-${version}.yaml`;
  if (!goFits(await installedGo())) {
    const url = `https://github.com/cloudnative-pg/cloudnative-pg/releases/download/v${version}/${file}`;
    return (await downloadChecked(url, pins.manifests.cnpg, "pinned is")).toString("utf8");
  }
  const module = await goModuleFolder(
    join(__dirname, "images", "cnpg-operator"),
    "github.com/cloudnative-pg/cloudnative-pg",
  );
  return readFile(join(module, "releases", file), "utf8");
}

/** Makes CloudNativePG's manifest ready for the program, and returns its path; quick when it is there already. */
export async function cnpgManifestFile(): Promise<string> {
  const yaml = await releasedYaml();
  const folder = await cached("manifests/cnpg", [CONVERSION, yaml], (target) =>
    writeFile(join(target, "manifest.json"), JSON.stringify(objectsOf(yaml))),
  );
  await mkdir(dirname(cnpgManifestPath), { recursive: true });
  const unfinished = `${cnpgManifestPath}.${process.pid}`;
  await copyFile(join(folder, "manifest.json"), unfinished);
  await rename(unfinished, cnpgManifestPath);
  return cnpgManifestPath;
}

if (require.main === module) {
  cnpgManifestFile().then(
    (path) => console.log(path),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
