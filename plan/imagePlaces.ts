import { isRecord } from "../settings/record";
import type { KubernetesObject } from "./objects";

/** Where objects name images: containers, fields of custom resources, variables, arguments, and keys of configurations. */

export interface ImagePlace {
  readonly object: KubernetesObject;
  /** The way to it, such as `spec.containers[0].image`. */
  readonly path: string;
  readonly image: string;
}

/** An image that an operator's configuration names and that runs only where a database cluster's object asks for it. */
export interface DormantImage {
  /** The key of the configuration. */
  readonly key: string;
  readonly asked: (object: KubernetesObject) => boolean;
  /** Who would run it. */
  readonly what: string;
}

/** `image`, `imageName`, `docker_image`, and variables such as `OPERATOR_IMAGE_NAME`. */
const imageKey = /image(_?name)?$/i;

/** A name with a registry and a tag or digest. */
const qualified = /^[\w-]+(\.[\w-]+|:\d+)[\w.:-]*\/[\w./-]+(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?$/;
const isQualified = (text: string): boolean => qualified.test(text) && /[^/]:[\w]|@/.test(text);

/** What stands behind `--flag=`; an argument without a flag as it is. */
const argument = (text: string): string => text.replace(/^--?[\w.-]+=/, "");

/** Whether a text under a key names an image. `inside`: the keys on the way to it, the nearest first. */
function names(text: string, inside: readonly string[], variable: string | undefined): boolean {
  const [key = "", parent = ""] = inside;
  if (text === "" || /\s/.test(text)) return false;
  if (imageKey.test(key)) return true;
  // An image that is mounted as a volume.
  if (key === "reference" && parent === "image") return true;
  if (key === "value" && variable !== undefined) return imageKey.test(variable) || isQualified(text);
  return /^\d+$/.test(key) && /^(args|command)$/.test(parent) && isQualified(text);
}

function walk(
  value: unknown,
  path: string,
  inside: readonly string[],
  known: ReadonlySet<string>,
  found: (path: string, image: string) => void,
  variable?: string,
): void {
  if (typeof value === "string") {
    const text = inside[1] === "args" || inside[1] === "command" ? argument(value) : value;
    if (known.has(text) || names(text, inside, variable)) found(path, text);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      walk(item, `${path}[${index}]`, [String(index), ...inside], known, found);
    return;
  }
  if (!isRecord(value)) return;
  const name = typeof value.name === "string" ? value.name : undefined;
  for (const [key, inner] of Object.entries(value))
    walk(inner, path === "" ? key : `${path}.${key}`, [key, ...inside], known, found, name);
}

/**
 * Every place where objects name an image. `known`: names of images that are found wherever they stand as a whole text. Kinds' definitions are left
 * out: they describe fields, and run nothing.
 */
export function imagePlaces(
  objects: readonly KubernetesObject[],
  known: ReadonlySet<string> = new Set(),
): ImagePlace[] {
  return objects.flatMap((object) => {
    if (object.kind === "CustomResourceDefinition") return [];
    const places: ImagePlace[] = [];
    walk(object, "", [], known, (path, image) => places.push({ object, path, image }));
    return places;
  });
}

/** Of these places those that no object asks for, with who would run the image. */
export function dormantPlaces(
  places: readonly ImagePlace[],
  dormant: readonly DormantImage[],
  objects: readonly KubernetesObject[],
): (ImagePlace & Pick<DormantImage, "what">)[] {
  return places.flatMap((place) => {
    const found = dormant.find(({ key }) => place.path.split(".").at(-1) === key);
    return found === undefined || objects.some(found.asked) ? [] : [{ ...place, what: found.what }];
  });
}
