import { readFile } from "node:fs/promises";
import type { KubernetesObject } from "../../components/engine";
import { manifestFile } from "../../local/manifests";
import { isOperated } from "../../stacks/manifest";

const reading = new Map<string, Promise<KubernetesObject[]>>();

const read = async (engine: string): Promise<KubernetesObject[]> =>
  isOperated(engine)
    ? (JSON.parse(await readFile(await manifestFile(engine), "utf8")) as KubernetesObject[])
    : [];

/** The released objects of an engine's operator, from the pinned Go module; fetched when they aren't there yet. */
export function releasedObjects(engine = "cnpg"): Promise<KubernetesObject[]> {
  const known = reading.get(engine) ?? read(engine);
  reading.set(engine, known);
  return known;
}
