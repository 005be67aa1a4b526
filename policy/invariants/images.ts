import type { KubernetesObject } from "../../plan/objects";
import type { Facts, Image } from "../../plan/engines/reader";
import { operatorFacts, textOf } from "../../plan/engines/zalando/operatorFacts";
import { containersOf } from "../kubernetes";
import type { Problem } from "../../settings/problem";
import { each, mapped, together } from "../notKnown";

/**
 * The image that an operator's configuration names for all of its clusters. Its poolers' and dumps' run only where a cluster asks for them: the released
 * configuration names some in a registry that is closed, and is no fault by that.
 */
const configured = ["docker_image"];

/** The images that an object names; those that an operator or a catalog chooses are not among them. */
function imagesOf(object: KubernetesObject, facts: Facts | undefined): readonly Image[] {
  const operator = operatorFacts(object);
  if (operator)
    return configured.flatMap((key) => {
      const image = textOf(operator, key);
      return image === undefined ? [] : [{ path: key, image }];
    });
  const own = mapped(containersOf(object), ({ path, image = "" }) => ({ path: `${path}.image`, image }));
  // A workload's containers name the image of its facts too.
  if (facts === undefined || own.length > 0 || facts.imageFromCatalog) return own;
  return [...own, { path: "image", image: facts.image }];
}

/** Problems of each image that an object names. */
export const eachImage = (
  object: KubernetesObject,
  facts: Facts | undefined,
  check: (image: Image) => readonly Problem[],
): Problem[] =>
  together(
    () => each(imagesOf(object, facts), check),
    () => each(facts?.furtherImages ?? [], check),
  );

export interface Reference {
  /** Registry and repository; Docker's own are written in full, by one of its names. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const docker = /^(((index|registry-1)\.)?docker\.io|registry\.hub\.docker\.com)$/;

/** The parts of an image's name. */
export function referenceOf(image: string): Reference {
  const [, name = "", tag, digest] =
    /^(.*?)(?::([\w][\w.-]*))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(image) ?? [];
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const path = hasHost ? rest.join("/") : name;
  const ofDocker = `docker.io/${path.includes("/") ? "" : "library/"}${path}`;
  return {
    repository: hasHost && !docker.test(first) ? name : ofDocker,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}
