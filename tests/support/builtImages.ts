import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pins, type ImageName } from "../../releases/pins";
import { cacheDir } from "../../shell/paths";
import { run } from "../../shell/process";

/** The archive of an image with today's name, and its layer in it; undefined where it wasn't built on this machine. */
export async function builtImage(name: ImageName): Promise<{ tar: string; layer: string } | undefined> {
  const folder = join(cacheDir, "images", name);
  if (!existsSync(folder)) return undefined;
  for (const key of readdirSync(folder)) {
    const tar = join(folder, key, "image.tar");
    if (!existsSync(join(folder, key, ".made"))) continue;
    const index = await run("tar", ["-xOf", tar, "index.json"]);
    if (!index.stdout.includes(`"${pins.images[name]}"`)) continue;
    const entries = (await run("tar", ["-tvf", tar])).stdout
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields.at(-1)?.startsWith("blobs/sha256/") === true);
    // The layer is the largest of the blobs.
    const [largest] = entries.sort((one, other) => Number(other[2]) - Number(one[2]));
    return { tar, layer: largest?.at(-1) ?? "" };
  }
  return undefined;
}
