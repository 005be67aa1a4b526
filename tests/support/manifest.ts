import { readFile } from "node:fs/promises";
import type { KubernetesObject } from "../../components/engine";
import { cnpgManifestFile } from "../../local/manifests";

let reading: Promise<KubernetesObject[]> | undefined;

/** The operator's released objects, from the pinned Go module; fetched when they aren't there yet. */
export const releasedObjects = (): Promise<KubernetesObject[]> =>
  (reading ??= cnpgManifestFile().then(
    async (path) => JSON.parse(await readFile(path, "utf8")) as KubernetesObject[],
  ));
