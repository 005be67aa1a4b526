import { imagesOf, mirrored } from "../../checks/images";
import { plannerOf } from "../../plan/engines/select";
import { dormantPlaces, imagePlaces, type ImagePlace } from "../../plan/imagePlaces";
import { referenceOf } from "../../policy/invariants/images";
import { titleOf } from "../../policy/kubernetes";
import { pins } from "../../releases/pins";
import type { Settings } from "../../settings/schema";
import { sideOf } from "../diff";

/** The images that a stack runs, out of its objects, and the settings that name them. */

/** A setting that names an image. */
export interface ImageSetting {
  /** As documents write it. */
  readonly name: string;
  /** Keys in the stack file. */
  readonly path: readonly string[];
}

export interface StackImage {
  readonly image: string;
  readonly settings: readonly ImageSetting[];
  readonly places: readonly string[];
  /** Whether it is built for the built-in cluster, and is in no registry. */
  readonly builtHere: boolean;
  /** What this release runs by default, where the stack names another tag of the same. */
  readonly newer?: string;
}

export interface Collected {
  readonly images: readonly StackImage[];
  readonly dormant: readonly { readonly image: string; readonly place: string; readonly what: string }[];
}

const builtHere = new Set<string>(Object.values(pins.images));

/** Every setting that can name an image, with the name that it has, given or by default. */
export function imageSettings(settings: Settings): (ImageSetting & { readonly image: string })[] {
  const grafana = settings.monitoring.install?.grafana;
  const where = ["monitoring", "install", "grafana", "image"];
  return [
    ...Object.entries(settings.images)
      .filter(([, image]) => image !== "")
      .map(([key, image]) => ({
        name: `pgplatform:images.${key}`,
        path: ["config", "pgplatform:images", key],
        image,
      })),
    ...(grafana
      ? [
          {
            name: `pgplatform:${where.join(".")}`,
            path: ["config", "pgplatform:monitoring", ...where.slice(1)],
            image: grafana.image,
          },
        ]
      : []),
  ];
}

const placeName = ({ object, path }: ImagePlace): string => `${titleOf(object)}: ${path}`;

/** What this release would run in the place of an image that it names with another tag. */
function newerOf(
  settings: Settings,
  mirror: string | undefined,
  used: readonly string[],
  image: string,
): string | undefined {
  const defaults = imagesOf(settings.platform, plannerOf(settings), settings.cluster.postgresVersion);
  const own = referenceOf(image);
  for (const [key, standard] of Object.entries(defaults)) {
    if (!used.includes(`pgplatform:images.${key}`)) continue;
    const released = mirrored(standard, mirror);
    const { repository, tag } = referenceOf(released);
    if (repository === own.repository && own.tag !== undefined && tag !== own.tag) return released;
  }
  return undefined;
}

/** `mirror`: `images.registry` of the settings. */
export function collectImages(settings: Settings, mirror?: string): Collected {
  const objects = sideOf(settings).registered.map(({ object }) => object);
  const named = imageSettings(settings);
  const places = imagePlaces(objects, new Set(named.map(({ image }) => image)));
  const asleep = dormantPlaces(places, plannerOf(settings).dormantImages ?? [], objects);
  const dormant = asleep.map((place) => ({ image: place.image, place: placeName(place), what: place.what }));
  const sleeping = new Set(dormant.map(({ place }) => place));

  const byImage = new Map<string, string[]>();
  for (const place of places) {
    if (sleeping.has(placeName(place))) continue;
    byImage.set(place.image, [...(byImage.get(place.image) ?? []), placeName(place)]);
  }
  const rank = (image: string): number => {
    const at = named.findIndex((one) => one.image === image);
    return at < 0 ? named.length : at;
  };
  const images = [...byImage].map(([image, where]): StackImage => {
    const by = named.filter((one) => one.image === image);
    const newer = newerOf(
      settings,
      mirror,
      by.map(({ name }) => name),
      image,
    );
    return {
      image,
      settings: by.map(({ name, path }) => ({ name, path })),
      places: [...new Set(where)],
      builtHere: builtHere.has(image),
      ...(newer !== undefined && { newer }),
    };
  });
  return { images: images.sort((one, other) => rank(one.image) - rank(other.image)), dormant };
}
