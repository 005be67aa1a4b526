import type { Facts, Pool, PoolerFacts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { reservedConnections } from "../../settings/sums/connections";
import { allOf, each, readable } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

/** Connections that one pod may open for a pool: its total limit, else its size for each role that logs in through it. */
const opens = ({ perRole, inAll }: Pool, roles: number): number => inAll ?? perRole * roles;

/** The most connections that a pooler may open to a cluster, through whichever of its Services. */
function pooledConnections(pooler: PoolerFacts, cluster: Facts, roles: number): number {
  // All of them, since the instance that a pool of standbys is connected to may become the primary at any moment.
  const services = Object.values(cluster.services);
  const own = pooler.pools.filter(({ service, namespace }) =>
    allOf(
      () => services.includes(service),
      () => (namespace ?? pooler.namespace) === cluster.namespace,
    ),
  );
  return own.length === 0 ? 0 : pooler.pods.most * own.reduce((sum, pool) => sum + opens(pool, roles), 0);
}

function problemOf(
  cluster: Facts,
  poolers: readonly PoolerFacts[],
  { reserve, roles }: { reserve: number; roles: number },
): Problem[] {
  const { values, unread } = readable(poolers, (pooler) => pooledConnections(pooler, cluster, roles));
  const most = values.reduce((sum, connections) => sum + connections, 0);
  if (most === 0 || most + reserve <= cluster.maxConnections) {
    // A pooler that isn't known yet may open too many.
    if (unread[0]) throw unread[0];
    return [];
  }
  return [
    {
      path: `${displayName("Cluster", cluster)}: max_connections`,
      value: cluster.maxConnections,
      allowed: `at least ${most + reserve}: ${most} for the poolers (pool size × pods × roles) and ${reserve} in reserve`,
      fix: "raise it, or lower the pools",
    },
  ];
}

export const connectionBudgetInvariant: StackInvariant = {
  number: "10",
  name: "connection-budget",
  description: "max_connections covers poolers, exporter and administrators.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Raise max_connections (`pgplatform:cluster.maxConnections`), or lower pool sizes, `max_db_connections` or the number of pods.",
  options: {
    reserve: {
      type: "integer",
      minimum: 3,
      default: reservedConnections,
      description: "Connections kept for superusers (3), metrics, health checks and administrators.",
    },
    roles: {
      type: "integer",
      minimum: 1,
      default: 1,
      description:
        "Roles that log in through each database of a pooler; it counts where the pool has no total limit.",
    },
  },
  on: "stack",
  check: ({ clusters, poolers }, { reserve, roles }) =>
    each(clusters, (cluster) =>
      problemOf(cluster, poolers, { reserve: Number(reserve), roles: Number(roles) }),
    ),
};
