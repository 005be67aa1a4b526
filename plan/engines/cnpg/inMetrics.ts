import type { InMetrics } from "../planner";
import { deploymentName } from "./names";

export const inMetrics: InMetrics = {
  pods: (cluster) => `${cluster}-[0-9]+`,
  claims: { data: (cluster) => `${cluster}-[0-9]+`, wal: (cluster) => `${cluster}-[0-9]+-wal` },
  operator: deploymentName,
  countsReconciliations: true,
  // It renews its own 7 days before the end.
  certificateDays: { warning: 5, critical: 2 },
};
