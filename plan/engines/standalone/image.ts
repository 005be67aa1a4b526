import type { EngineTraits, ImageContents } from "../planner";

/** User and group of the images, in which `postgres` has this number; the data are closed to all others. */
export const server = { user: 999, group: 999 } as const;

export const publishedImages: EngineTraits["publishedImages"] = ({ postgresql }) => ({
  postgresql: `docker.io/library/postgres:${postgresql}-trixie`,
});

export const imageContents: ImageContents = {
  extensions: [],
  libraries: [],
  refused: {},
  source: "the Dockerfile of the official image `postgres`: PostgreSQL's own packages and no others",
};
