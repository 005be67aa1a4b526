import type { EngineTraits } from "../engines/engine";

/** How the tools that archive can compress WAL, the default first. Barman compresses base backups by gzip and lz4 only, WAL-G by all. */

export const byBarman: EngineTraits["compression"] = {
  methods: ["gzip", "lz4", "zstd", "none"],
  by: "Barman's cloud tools",
};
export const byWalG: EngineTraits["compression"] = {
  methods: ["brotli", "lz4", "zstd", "none"],
  by: "WAL-G",
};
