import type { PolicyPackConfig } from "@pulumi/policy";
import dev from "./dev.json";
import prod from "./prod.json";
import { invariants } from "./invariants";

/** The tier of a stack, by its own settings, with the default that the settings check has; prod for a program without such settings. */
export function tierOf(config: Readonly<Record<string, string>>): "dev" | "prod" {
  const { "pgplatform:platform": platform, "pgplatform:tier": tier } = config;
  return (tier ?? (platform === "local" || platform === "k3d" ? "dev" : "prod")) === "dev" ? "dev" : "prod";
}

/**
 * Levels and waivers of a stack's tier. Pulumi lays `--policy-pack-config` over them: what that leaves out stays the tier's.
 */
export function levelsOf(config: Readonly<Record<string, string>>): PolicyPackConfig {
  const given = tierOf(config) === "dev" ? dev : prod;
  const mandatory = invariants.filter(({ mandatory: where }) => where !== "nowhere");
  return Object.fromEntries(
    mandatory.map(({ name }) => {
      const asked = (given as PolicyPackConfig)[name] ?? "mandatory";
      // Without a level in it, the SDK makes a configuration advisory.
      return [name, typeof asked === "string" ? asked : { enforcementLevel: "mandatory", ...asked }];
    }),
  );
}
