import type { Settings } from "../../settings/schema";
import type { EnginePlanner } from "../engines/planner";
import type { Labels } from "../network";
import { selectedLabels } from "./install/names";
import type { Plan } from "../plan";
import type { PoolerPlan } from "../pooler/plan";

/** What is monitored: everything of a platform that has metrics. */
export interface Monitored {
  readonly settings: Settings;
  readonly engine: EnginePlanner;
  readonly cluster: Plan;
  readonly poolers: readonly PoolerPlan[];
}

/** Labels by which a Prometheus and a Grafana select what is for them: the user's own, or one that a stack of this platform has installed. */
export const selectedBy = ({ monitoring: { prometheus, labels } }: Settings): Labels => ({
  ...labels,
  ...(["operator", "install"].includes(prometheus) && selectedLabels),
});
