import type { Settings } from "../../settings/schema";
import type { EnginePlanner } from "../engines/planner";
import type { Flow } from "../network";
import type { PlannedObject } from "../objects";
import type { Plan } from "../plan";
import type { PoolerPlan } from "../pooler/plan";

/** What monitoring of one cluster takes, the same for every engine: how its metrics are found, what is made of them, and what may read them. */
export interface MonitoringPlan {
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

/** What is read of: everything of a platform that has metrics. */
export interface Monitored {
  readonly settings: Settings;
  readonly engine: EnginePlanner;
  readonly cluster: Plan;
  readonly poolers: readonly PoolerPlan[];
}

type Part = (monitored: Monitored) => readonly PlannedObject[];

/** Alerts, as objects of the cluster's namespace. */
const rules: readonly Part[] = [];
/** Dashboards, as ConfigMaps of the cluster's namespace. */
const dashboards: readonly Part[] = [];
/** How a Prometheus finds the metrics, and what has some that nothing else has. */
const collection: readonly Part[] = [];

/** All of it for these settings; nothing where no Prometheus is told. */
export function planMonitoring(monitored: Monitored): MonitoringPlan {
  const { monitoring } = monitored.settings;
  if (monitoring.prometheus === "none") return { objects: [], flows: [] };
  const parts = [
    ...collection,
    ...(monitoring.rules ? rules : []),
    ...(monitoring.dashboards ? dashboards : []),
  ];
  return { objects: parts.flatMap((part) => part(monitored)), flows: [] };
}
