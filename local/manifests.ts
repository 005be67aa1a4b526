import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { isOperated, manifestParts, manifestPath, type OperatedEngine } from "../releases/manifest";
import { cached } from "./cache";
import { pins } from "../releases/pins";
import { downloadChecked } from "./toolchain/download";
import { goFits, goModuleFolder, installedGo } from "./toolchain/go";

/**
 * The operators' released manifests, as JSON that a Pulumi program reads in milliseconds (parsing the YAML takes a second
 * at every preview). They come out of the operator's own Go module, whose checksum Go verifies.
 */

/** Raise it when the conversion below changes, so that files are converted again. */
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

/** Where the files of an operator's release are, beside its Go module. */
interface Released {
  /** Folder, below `local/images`, of the Go module that pins the operator's. */
  readonly folder: string;
  readonly module: string;
  readonly url: (file: string) => string;
}

const released: Record<keyof typeof pins.manifests, Released> = {
  cnpg: {
    folder: "cnpg-operator",
    module: "github.com/cloudnative-pg/cloudnative-pg",
    url: (file) =>
      `https://github.com/cloudnative-pg/cloudnative-pg/releases/download/v${pins.operators.cnpg}/${basename(file)}`,
  },
  barmanPlugin: {
    folder: "barman-plugin",
    module: "github.com/cloudnative-pg/plugin-barman-cloud",
    url: (file) =>
      `https://raw.githubusercontent.com/cloudnative-pg/plugin-barman-cloud/v${pins.backupPlugin}/${file}`,
  },
  zalando: {
    folder: "zalando-operator",
    module: "github.com/zalando/postgres-operator",
    url: (file) =>
      `https://raw.githubusercontent.com/zalando/postgres-operator/v${pins.operators.zalando}/${file}`,
  },
};

/** The released YAML: out of the operator's Go module where there is a Go, else from where it is published, with its sums pinned. */
async function releasedYaml(part: keyof typeof released): Promise<string> {
  const { folder, module, url } = released[part];
  const files = Object.entries(pins.manifests[part]);
  if (!goFits(await installedGo())) {
    const texts = files.map(([file, sum]) => downloadChecked(url(file), sum, "pinned is"));
    return (await Promise.all(texts)).join("\n---\n");
  }
  const home = await goModuleFolder(join(__dirname, "images", folder), module);
  const texts = files.map(([file]) => readFile(join(home, file), "utf8"));
  return (await Promise.all(texts)).join("\n---\n");
}

/** Makes the manifest of an engine's operator ready for the program, and returns its path; quick when it is there already. */
export async function manifestFile(engine: OperatedEngine): Promise<string> {
  const yaml = (await Promise.all(manifestParts[engine].map(releasedYaml))).join("\n---\n");
  const folder = await cached(`manifests/${engine}`, [CONVERSION, yaml], (target) =>
    writeFile(join(target, "manifest.json"), JSON.stringify(objectsOf(yaml))),
  );
  const path = manifestPath(engine);
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await copyFile(join(folder, "manifest.json"), unfinished);
  await rename(unfinished, path);
  return path;
}

/** Makes the manifests ready that engines of these names have; a name without an operator needs none. */
export const manifestFiles = (engines: readonly string[] = Object.keys(manifestParts)): Promise<string[]> =>
  Promise.all(engines.filter(isOperated).map(manifestFile));
