import { databaseGroups } from "./databases";
import { platformGroups } from "./platform";
import { queryGroups } from "./queries";
import { relationGroups } from "./relations";
import { replicationGroups } from "./replication";
import { serverGroups } from "./server";
import { sessionGroups } from "./sessions";
import { statementGroups } from "./statements";
import { type Column, type Group, metricName } from "./types";

export * from "./types";

/** Every metric of PostgreSQL that the platform has, each once. */
export const groups: readonly Group[] = [
  ...platformGroups,
  ...serverGroups,
  ...databaseGroups,
  ...sessionGroups,
  ...replicationGroups,
  ...relationGroups,
  ...statementGroups,
  ...queryGroups,
];

export interface Metric {
  readonly name: string;
  readonly group: Group;
  readonly column: Column;
  /** Labels beside those of every sample (namespace, cluster, instance, role). */
  readonly labels: readonly string[];
}

export const metrics: readonly Metric[] = groups.flatMap((group) =>
  group.columns.map((column) => ({
    name: metricName(group, column),
    group,
    column,
    labels: group.labels.map(({ name }) => name),
  })),
);
