import type { EngineTraits } from "../engines/planner";

/** What Barman's cloud tools are like, wherever they run. */

/** Base backups are compressed by gzip and lz4 only. */
export const byBarman: EngineTraits["compression"] = {
  methods: ["gzip", "lz4", "zstd", "none"],
  by: "Barman's cloud tools",
  // It compresses between the parts, from the third on visibly.
  unequalParts: ["lz4"],
};

/** CloudNativePG's image of PostgreSQL, which has the tools and, unlike that of the plugin's sidecar, a shell. */
export const barmanImage = (postgresql: string): string =>
  `ghcr.io/cloudnative-pg/postgresql:${postgresql}-system-trixie`;
