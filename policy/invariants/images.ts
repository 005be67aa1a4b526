import type { KubernetesObject } from "../../plan/objects";
import type { Facts } from "../../plan/engines/reader";
import { containersOf } from "../kubernetes";

export interface Image {
  readonly path: string;
  readonly image: string;
}

/** The images that an object names; those that an operator or a catalog chooses are not among them. */
export function imagesOf(object: KubernetesObject, facts: Facts | undefined): Image[] {
  const own = containersOf(object).map(({ path, image = "" }) => ({ path: `${path}.image`, image }));
  // A workload's containers name the image of its facts too.
  if (facts === undefined || own.length > 0 || facts.imageFromCatalog) return own;
  return [...own, { path: "image", image: facts.image }];
}

export interface Reference {
  /** Registry and repository; Docker's own are written in full. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** The parts of an image's name. */
export function referenceOf(image: string): Reference {
  const [, name = "", tag, digest] =
    /^(.*?)(?::([\w][\w.-]*))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(image) ?? [];
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  return {
    repository: hasHost ? name : `docker.io/${rest.length > 0 ? name : `library/${name}`}`,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}
