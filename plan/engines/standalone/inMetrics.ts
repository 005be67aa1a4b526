import type { InMetrics } from "../planner";
import { names } from "./names";

export const inMetrics: InMetrics = {
  pods: (cluster) => `${cluster}-[0-9]+`,
  claims: { data: (cluster) => `${names.data(cluster)}|${names.archive(cluster)}`, wal: names.wal },
  countsReconciliations: false,
  baseBackups: names.base,
  // An update renews it in its last 60 days.
  certificateDays: { warning: 30, critical: 7 },
};
