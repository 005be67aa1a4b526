import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { planner as standalone } from "../../plan/engines/standalone/planner";
import { planner as zalando } from "../../plan/engines/zalando/planner";
import type { KubernetesObject, PlannedObject } from "../../plan/objects";
import { planPlatform, type PlatformPlan } from "../../plan/platform";
import type { SettingsInput } from "../../settings/schema";
import { checked, smallest } from "./settings";

/** Settings and plans in which another owner than the stack has passwords. */

/** The engines, by their names. */
export const engines = { cnpg, standalone, zalando };
export type Engine = keyof typeof engines;

export const external = { source: "external" as const };
export const aws = { source: "aws-secrets-manager" as const, region: "eu-central-1" };

export function input(
  engine: Engine,
  secrets: SettingsInput["secrets"],
  more: Partial<SettingsInput> = {},
): SettingsInput {
  const { cluster, ...rest } = smallest();
  const alone = engine === "standalone" ? { instances: 1, durability: "async" as const } : {};
  return {
    ...rest,
    cluster: {
      ...cluster,
      engine,
      ...alone,
      roles: [{ name: "auditor" }],
      ...(engine === "cnpg" && { databases: [...cluster.databases, { name: "reports", owner: "analyst" }] }),
    },
    poolers: [{ name: "p", database: "app" }],
    ...(secrets && { secrets }),
    ...more,
  };
}

export const planned = (
  engine: Engine,
  secrets: SettingsInput["secrets"],
  more: Partial<SettingsInput> = {},
): PlatformPlan =>
  planPlatform(checked(input(engine, secrets, more)), () => [], {
    ...engines[engine],
    operator: undefined,
  } as never);

export const objectOf = (objects: readonly PlannedObject[], kind: string, name?: string): KubernetesObject =>
  objects.find(({ object }) => object.kind === kind && (name === undefined || object.metadata.name === name))
    ?.object ?? assert.fail(`no ${kind} ${name ?? ""}`);
