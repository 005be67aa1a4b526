import type { PolicyPackConfig } from "@pulumi/policy";
import dev from "./dev.json";
import prod from "./prod.json";
import { invariants } from "./invariants";

/**
 * Levels and waivers of a stack's tier, by its own settings, with the default that the settings check has. A program without such settings is
 * held to prod's. `--policy-pack-config` takes their place.
 */
export function levelsOf(config: Readonly<Record<string, string>>): PolicyPackConfig {
  const { "pgplatform:platform": platform, "pgplatform:tier": tier } = config;
  const given =
    (tier ?? (platform === "local" || platform === "k3d" ? "dev" : "prod")) === "dev" ? dev : prod;
  const mandatory = invariants.filter(({ mandatory: where }) => where !== "nowhere");
  return Object.fromEntries(
    mandatory.map(({ name }) => {
      const asked = (given as PolicyPackConfig)[name] ?? "mandatory";
      // Without a level in it, the SDK makes a configuration advisory.
      return [name, typeof asked === "string" ? asked : { enforcementLevel: "mandatory", ...asked }];
    }),
  );
}
