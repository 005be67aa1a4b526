import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadImages } from "../../../local/cluster/cluster";
import { buildImages } from "../../../local/images/build";
import { retag } from "../../../local/images/oci";
import { type Settings } from "../../../settings/schema";

type Images = Pick<Settings, "images">;

/** The same PostgreSQL as the built-in cluster's, under another name: what an image roll does, without another version. */
export const renamedImage = ({ images }: Images): string => `${images.postgresql}-renamed`;

/** Builds images and brings them onto the nodes of the built-in cluster. */
export async function loadBuiltImages(names: readonly string[]): Promise<void> {
  const quiet = { detail: () => undefined, say: () => undefined };
  const built = (await buildImages(names, quiet)).filter(({ name }) => names.includes(name));
  const missing = names.filter((wanted) => !built.some(({ name }) => name === wanted));
  if (missing.length > 0) throw new Error(`nothing builds ${missing.join(", ")}`);
  await loadImages(
    quiet,
    built.map(({ tar }) => tar),
  );
}

/** Brings that image onto the nodes of the built-in cluster. */
export async function loadRenamedImage({ images }: Images): Promise<void> {
  const quiet = { detail: () => undefined, say: () => undefined };
  const built = (await buildImages([images.postgresql], quiet)).find(
    ({ name }) => name === images.postgresql,
  );
  if (built === undefined) throw new Error(`nothing builds ${images.postgresql}`);
  const folder = await mkdtemp(join(tmpdir(), "pgp-retag-"));
  try {
    const tar = join(folder, "image.tar");
    await retag(built.tar, renamedImage({ images }), tar);
    await loadImages(quiet, [tar]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
