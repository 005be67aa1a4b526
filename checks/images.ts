import { barmanImage } from "../plan/backup/barman";
import type { EngineTraits } from "../plan/engines/planner";
import { builtImages, published } from "../releases/images";
import { isOperated } from "../releases/manifest";
import { pins } from "../releases/pins";
import { namespace, type Problem } from "../settings/problem";
import type { Rule } from "./rule";
import type { Images, ParsedSettings, Platform, Settings } from "../settings/schema";

/** An image's name with the mirror in the place of its registry; an image that isn't there has none. */
export function mirrored(image: string, mirror: string | undefined): string {
  if (mirror === undefined || image === "") return image;
  const [host = "", ...path] = image.split("/");
  return [mirror, ...(path.length > 0 && /[.:]|^localhost$/.test(host) ? path : [host, ...path])].join("/");
}

/** Images of a platform, as their makers call them. */
export function imagesOf(
  platform: Platform,
  engine: EngineTraits,
  major: Settings["cluster"]["postgresVersion"],
): Images {
  // An engine without an operator runs no image of one.
  const none = { operator: "" };
  if (platform === "local") return { ...none, ...builtImages(engine.name) };
  const postgresql = pins.postgresql[major];
  return {
    ...none,
    ...published,
    ...engine.publishedImages({
      postgresql,
      operator: isOperated(engine.name) ? pins.operators[engine.name] : "",
    }),
    backupRestore: barmanImage(postgresql),
  };
}

/** The same from the mirror, if there is one. */
export function defaultImages({ platform, cluster, images }: ParsedSettings, engine: EngineTraits): Images {
  const named = imagesOf(platform, engine, cluster.postgresVersion);
  return Object.fromEntries(
    Object.entries(named).map(([key, image]) => [key, mirrored(image, images.registry)]),
  ) as unknown as Images;
}

const withoutHost = (image: string): string => image.slice(image.indexOf("/") + 1);

/**
 * Whether the image of PostgreSQL is the user's own, of which nothing is assumed. A mirror's copy of the platform's image counts as that image, and so
 * does that image with its digest behind the tag.
 */
export function isOwnImage({ platform, cluster, images }: Settings, engine: EngineTraits): boolean {
  const standard = withoutHost(imagesOf(platform, engine, cluster.postgresVersion).postgresql);
  return !images.postgresql.replace(/@.*/, "").endsWith(`/${standard}`);
}

/** A tag that begins with a major version of PostgreSQL; others count something else. */
export const majorOf = (image: string): string | undefined =>
  /:(1[0-9]|2[0-9])(?!\d)[^/]*$/.exec(image.replace(/@.*/, ""))?.[1];

/** Nodes of the built-in cluster pull nothing: their images are made here, under a name of their own. */
export const mirrorProblems = ({ platform, images }: ParsedSettings): Problem[] =>
  platform === "local" && images.registry !== undefined
    ? [
        {
          path: `${namespace}:images.registry`,
          value: images.registry,
          allowed:
            "must not be set with the platform local, whose images are built here and pulled from nowhere",
          fix: "leave it out, or set pgplatform:platform",
        },
      ]
    : [];

export const images: Rule = (settings, report, engine) => {
  const { cluster, images } = settings;
  if (!isOwnImage(settings, engine)) return;
  const major = majorOf(images.postgresql);
  if (engine.readsVersionFromTag && major === undefined)
    report(
      "images.postgresql",
      images.postgresql,
      `a tag that begins with the major version, with or without a digest behind it: the operator of ${engine.name} reads it there`,
      `write it as <name>:${cluster.postgresVersion}@sha256:<digest>, or with a tag such as ${cluster.postgresVersion}.2`,
    );
  if (major !== undefined && major !== cluster.postgresVersion)
    report(
      "images.postgresql",
      images.postgresql,
      `an image of PostgreSQL ${cluster.postgresVersion}, as cluster.postgresVersion says; its tag says ${major}`,
      "name an image of that version, or leave it out",
    );
};
