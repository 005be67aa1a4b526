import { poolerShares } from "./poolers";
import type { Settings } from "../schema";

/** Connections that no pooler or direct client may count on: 3 for superusers, 7 for metrics, health checks and administrators. */
export const reservedConnections = 10;

/** One part of max_connections: who may open how many. */
export interface ConnectionPart {
  readonly name: string;
  readonly connections: number;
}

/**
 * What poolers and direct clients may open together, with the reserve; it must fit into max_connections. A pool of standbys counts
 * like the others: the instance that it is connected to may become the primary at any moment.
 */
export function connectionBudget({ poolers, clients }: Pick<Settings, "poolers" | "clients">): {
  parts: ConnectionPart[];
  needed: number;
} {
  const parts = [
    ...poolers.map((pooler) => ({
      name: `the pooler ${pooler.name}`,
      connections: poolerShares(pooler).serverConnectionsInAll,
    })),
    ...clients
      .filter(({ direct }) => direct)
      .map(({ name, connections }) => ({ name: `the direct client ${name}`, connections })),
    { name: "the reserve", connections: reservedConnections },
  ];
  return { parts, needed: parts.reduce((sum, { connections }) => sum + connections, 0) };
}
