import { referenceOf } from "../../policy/invariants/images";
import { publisherOf } from "../../releases/publishers";
import type { StackImage } from "./collect";
import type { Answer, ImageReport, State } from "./report";
import { knownSignature } from "./verify";

/** What a pinned digest and today's come to. */

const BUILT = "it is built for the built-in cluster, and is in no registry";
const NO_TAG =
  "its name has no tag, whose digest could be compared; the policy image-digests wants a tag, too";

interface Found {
  readonly state: State;
  readonly today?: string;
  readonly why?: string;
}

function stateOf(image: StackImage, answer: Answer | undefined): Found {
  const { tag, digest } = referenceOf(image.image);
  if (image.builtHere) return { state: "built here", why: BUILT };
  if (tag === undefined) return { state: "pinned", why: NO_TAG };
  if (answer === undefined || "unknown" in answer)
    return { state: "not known", why: answer?.unknown ?? "it wasn't asked about" };
  const today = answer.digest;
  if (digest === undefined) return { state: "not pinned", today };
  return { state: digest === today ? "pinned" : "moved", today };
}

/** `mirror`: `images.registry` of the settings. */
export function reportOf(image: StackImage, answer: Answer | undefined, mirror?: string): ImageReport {
  const { repository, tag, digest } = referenceOf(image.image);
  const sbom = publisherOf(repository, mirror)?.sbom;
  const name = image.image.replace(/@.*/, "");
  return {
    image: image.image,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { pinned: digest }),
    ...stateOf(image, answer),
    settings: image.settings.map((one) => one.name),
    places: [...image.places],
    ...(image.newer !== undefined && { newer: image.newer }),
    signature: knownSignature(image.image, image.builtHere, mirror),
    ...(sbom && !image.builtHere && { sbom: { ...sbom, command: sbom.command.replace("<image>", name) } }),
  };
}

/** What a change of the stack file would give an image, or why there is none. */
export type Pinning = { readonly image: string } | { readonly refused: string } | { readonly left: string };

/** `updateMoved`: whether a pinned digest that its tag no longer has is replaced. */
export function pinningOf(
  { image, state, pinned, today, why, settings }: ImageReport,
  updateMoved: boolean,
): Pinning | undefined {
  if (state === "built here" || state === "pinned") return undefined;
  if (state === "not known")
    return pinned === undefined || updateMoved ? { refused: why ?? "its digest isn't known" } : undefined;
  if (state === "moved" && !updateMoved) return undefined;
  if (settings.length === 0)
    return { left: "no setting of pgplatform:images names it: write the digest where it is named" };
  return { image: `${image.replace(/@.*/, "")}@${today ?? ""}` };
}
