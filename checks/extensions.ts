import type { EngineTraits, ImageContents } from "../plan/engines/planner";
import { contributed } from "../plan/postgres/contributed";
import { builtContents } from "../releases/images";
import type { Settings } from "../settings/schema";
import { isOwnImage } from "./images";

/** What the image built here, or the one of the engine's makers, has beside PostgreSQL's own. */
const further = (
  platform: Settings["platform"],
  { imageContents }: EngineTraits,
): Pick<ImageContents, "extensions" | "libraries"> => (platform === "local" ? builtContents : imageContents);

/** Extensions that the image has, sorted; undefined for an image of the user's own. */
export const knownExtensions = (settings: Settings, engine: EngineTraits): readonly string[] | undefined =>
  isOwnImage(settings, engine)
    ? undefined
    : [
        ...contributed[settings.cluster.postgresVersion],
        ...further(settings.platform, engine).extensions,
      ].sort();

/** What may bring parameters: the image's extensions and libraries; undefined for an image of the user's own. */
export function knownLibraries(settings: Settings, engine: EngineTraits): readonly string[] | undefined {
  const extensions = knownExtensions(settings, engine);
  return extensions && [...extensions, "auto_explain", ...further(settings.platform, engine).libraries];
}
