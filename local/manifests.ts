import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { hasParts, manifestParts, manifestPath, type ManifestName } from "../releases/manifest";
import { pins } from "../releases/pins";
import { downloadPinned } from "./toolchain/download";
import { goFits, installedGo, releasedModule } from "./toolchain/go";

/**
 * Released manifests of operators, as JSON that a Pulumi program reads in milliseconds (parsing the YAML takes a second
 * at every preview). They come out of the operator's own Go module where there is a Go, else from where they are published; the sums of
 * both are pinned.
 */

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

/** Where the files of an operator's release are. */
interface Released {
  readonly repository: string;
  readonly version: string;
}

const released: Record<keyof typeof pins.manifests, Released> = {
  cnpg: { repository: "cloudnative-pg/cloudnative-pg", version: pins.operators.cnpg },
  barmanPlugin: { repository: "cloudnative-pg/plugin-barman-cloud", version: pins.backupPlugin },
  zalando: { repository: "zalando/postgres-operator", version: pins.operators.zalando },
  prometheusOperator: {
    repository: "prometheus-operator/prometheus-operator",
    version: pins.monitoring.operator,
  },
};

/** One file out of the operator's Go module, which Go keeps and verifies. */
async function fromModule({ repository, version }: Released, file: string, sum: string): Promise<string> {
  const text = await readFile(join(await releasedModule(`github.com/${repository}`, version), file), "utf8");
  const actual = createHash("sha256").update(text).digest("hex");
  if (actual === sum) return text;
  throw new Error(
    `${file} of Go module ${repository} has SHA-256 ${actual}, and this version of the project was made for ${sum}`,
  );
}

/** Where it is published: by commit, since a tag can be moved, and one of these was. */
const publishedAt = (part: keyof typeof released, file: string): string =>
  `https://raw.githubusercontent.com/${released[part].repository}/${pins.commits[part]}/${file}`;

async function releasedFile(part: keyof typeof released, file: string, sum: string): Promise<string> {
  const download = async () => (await downloadPinned(publishedAt(part, file), sum)).toString("utf8");
  if (!goFits(await installedGo())) return download();
  return fromModule(released[part], file, sum).catch((first: Error) =>
    download().catch((second: Error) => {
      throw new Error(`${first.message}; and ${second.message}`);
    }),
  );
}

async function releasedYaml(part: keyof typeof released): Promise<string> {
  const files = Object.entries(pins.manifests[part]);
  const texts = await Promise.all(files.map(([file, sum]) => releasedFile(part, file, sum)));
  return texts.join("\n---\n");
}

/** Whether a file is there and whole; its name says of which files it was made, and how. */
const isWhole = (path: string): Promise<boolean> =>
  readFile(path, "utf8").then(
    (text) => {
      try {
        return Array.isArray(JSON.parse(text));
      } catch {
        return false;
      }
    },
    () => false,
  );

/** Makes a manifest ready for the program, and returns its path; asks nobody when it is there already. */
export async function manifestFile(
  name: ManifestName,
  path = manifestPath(name),
  yamlOf: (part: keyof typeof released) => Promise<string> = releasedYaml,
): Promise<string> {
  if (await isWhole(path)) return path;
  const yaml = (await Promise.all(manifestParts[name].map(yamlOf))).join("\n---\n");
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, JSON.stringify(objectsOf(yaml)));
  await rename(unfinished, path);
  return path;
}

/** Makes the manifests of these names ready; an engine without an operator needs none. */
export const manifestFiles = (names: readonly string[] = Object.keys(manifestParts)): Promise<string[]> =>
  Promise.all(names.filter(hasParts).map((name) => manifestFile(name)));
