import type { EngineTraits, ImageContents } from "../planner";

/** User and group of the image, to whom the data belong. */
export const server = { user: 26, group: 26 } as const;

export const publishedImages: EngineTraits["publishedImages"] = ({ operator, postgresql }) => ({
  operator: `ghcr.io/cloudnative-pg/cloudnative-pg:${operator}`,
  // Barman runs in the plugin's sidecar, so that the instances need none of it.
  postgresql: `ghcr.io/cloudnative-pg/postgresql:${postgresql}-standard-trixie`,
});

export const imageContents: ImageContents = {
  extensions: ["pgaudit", "vector"],
  libraries: ["pg_failover_slots"],
  refused: {},
  source: "the README of the project's postgres-containers, for the images `standard` and `system`",
};
