import { helperRoles, roleLabels } from "../names";
import type { Labels } from "../network";

/** Names that Prometheus' users meet: of jobs, of labels and of what is made for it. */

/** Values of the label `job`, the same on all engines and in each way of collecting. */
export const jobs = {
  instances: "pgplatform-instances",
  poolers: "pgplatform-poolers",
  backups: "pgplatform-backups",
  monitor: "pgplatform-monitor",
  operator: "pgplatform-operator",
} as const;
export type Job = keyof typeof jobs;

/** The pod that says when certificates end, and whether logins through the poolers work. */
export const monitor = {
  name: (cluster: string): string => `${cluster}-monitor`,
  role: helperRoles.monitor,
  labels: (cluster: string): Labels => roleLabels(cluster, monitor.role),
  port: 9190,
} as const;

/** ConfigMap with what a Prometheus without an operator is told. */
export const configurationName = (cluster: string): string => `${cluster}-prometheus`;
