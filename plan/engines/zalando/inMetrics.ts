import type { InMetrics } from "../planner";
import { deploymentName } from "./names";

export const inMetrics: InMetrics = {
  pods: (cluster) => `${cluster}-[0-9]+`,
  claims: { data: (cluster) => `pgdata-${cluster}-[0-9]+` },
  operator: deploymentName,
  countsReconciliations: false,
  // An update renews it in its last 60 days.
  certificateDays: { warning: 30, critical: 7 },
};
