import { planners } from "../../plan/engines/select";
import type { Settings, SettingsInput } from "../../settings/schema";
import { smallest } from "./settings";

export type Engine = Settings["cluster"]["engine"];
export const engines = Object.keys(planners) as Engine[];

/** Settings of a cluster that has everything of which metrics are collected. */
export const collectedInput = (engine: Engine, monitoring: SettingsInput["monitoring"]): SettingsInput => ({
  ...smallest(),
  platform: "k3d",
  cluster: {
    ...smallest().cluster,
    engine,
    ...(engine === "standalone" ? { instances: 1, durability: "async" } : { instances: 3 }),
  },
  poolers: [{ name: "app", database: "app" }],
  backup: { targets: [{ name: "near", kind: "local" }] },
  monitoring,
});
