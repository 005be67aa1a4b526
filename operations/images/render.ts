import { type ImageReport, type ImagesReport, states } from "./report";

/** The screen of `pgp images`. */

const PLACES = 4;

const row = (title: string, text: string | undefined): string[] =>
  text === undefined ? [] : [`  ${title.padEnd(8)} ${text}`];

/** The objects; their fields are in the answer as JSON. */
function placesText(places: readonly string[]): string {
  const objects = [...new Set(places.map((place) => place.replace(/: .*/, "")))];
  return objects.length > PLACES
    ? `${objects.slice(0, PLACES - 1).join(", ")} and ${objects.length - PLACES + 1} more (--json has all)`
    : objects.join(", ");
}

function signatureText({ signature }: ImageReport): string | undefined {
  const { state, identity, why } = signature;
  const because = why === undefined ? "" : `: ${why}`;
  if (state === "built here") return undefined;
  if (state === "not known") return "not known whether its publisher signs";
  if (state === "verified") return `verified: by ${identity ?? ""}`;
  return state === "failed"
    ? `NOT VERIFIED${because}`
    : `not verified${because || ": its publisher signs, --verify asks"}`;
}

export const imageLines = (image: ImageReport): string[] => [
  `${image.state.padEnd(10)} ${image.image.replace(/@.*/, "")}`,
  ...row("pinned", image.pinned),
  ...row("today", image.state === "pinned" && image.today !== undefined ? "the same" : image.today),
  ...row("why", image.why),
  ...row(
    "setting",
    image.settings.length > 0
      ? image.settings.join(", ")
      : "none: it is named by `transform`, or by a release",
  ),
  ...row("in", placesText(image.places)),
  ...row("release", image.newer === undefined ? undefined : `runs ${image.newer} by default`),
  ...row("signed", signatureText(image)),
  ...row("SBOM", image.sbom && `${image.sbom.link}: ${image.sbom.command}`),
];

/** How many images there are, and how many in which state. */
export function countText(images: readonly ImageReport[]): string {
  const counts = states.flatMap((state) => {
    const count = images.filter((image) => image.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return `${images.length} ${images.length === 1 ? "image" : "images"}: ${counts.join(", ") || "none"}.`;
}

export const screen = ({ images, dormant, message }: ImagesReport): string[] => [
  ...images.flatMap((image) => [...imageLines(image), ""]),
  ...dormant.map(
    ({ image, place, what }) => `not run    ${image} (${place}): for ${what}, which no cluster asks for`,
  ),
  ...(dormant.length > 0 ? [""] : []),
  message,
];
