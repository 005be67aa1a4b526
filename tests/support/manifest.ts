import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { KubernetesObject } from "../../plan/objects";
import { manifestFile } from "../../local/manifests";
import { hasParts } from "../../releases/manifest";

const reading = new Map<string, Promise<KubernetesObject[]>>();

const read = async (name: string): Promise<KubernetesObject[]> =>
  hasParts(name) ? (JSON.parse(await readFile(await manifestFile(name), "utf8")) as KubernetesObject[]) : [];

/** The released objects of an engine's operator, or of `monitoring`, from the pinned Go module; fetched when they aren't there yet. */
export function releasedObjects(engine = "cnpg"): Promise<KubernetesObject[]> {
  const known = reading.get(engine) ?? read(engine);
  reading.set(engine, known);
  return known;
}

export const isCrd = ({ kind }: KubernetesObject): boolean => kind === "CustomResourceDefinition";

/** Objects with their keys in order, so that the order in which a program builds them is no difference. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

export const digestOf = (value: unknown): string =>
  `sha256:${createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")}`;

/**
 * The same objects with the digests of the CRDs' specs in their place: foreign, and so long that a graph with them takes Pulumi
 * seconds. `components.test.ts` registers them in full.
 */
export const shortObjects = async (engine = "cnpg"): Promise<KubernetesObject[]> =>
  (await releasedObjects(engine)).map((object) =>
    isCrd(object) ? { ...object, spec: digestOf(object.spec) } : object,
  );
