import type { PoolerSettings } from "../../stacks/schema";

/** What each pod of a pooler gets of the totals in the settings. */
export interface PoolerShares {
  readonly serverConnections: number;
  readonly poolSize: number;
  readonly maxClients: number;
  /** Connections that all pods together may open: the shares, and one for looking up logins in each pod. */
  readonly serverConnectionsInAll: number;
}

/** Connections of a pod that look up the verifiers of roles. */
export const loginConnections = 1;

/** Divides a pooler's totals by its pods; rounded down, so that the sum never passes the total. */
export function poolerShares(
  pooler: Pick<PoolerSettings, "instances" | "serverConnections" | "poolSize" | "maxClients">,
): PoolerShares {
  const share = (total: number) => Math.floor(total / pooler.instances);
  return {
    serverConnections: share(pooler.serverConnections),
    poolSize: share(pooler.poolSize),
    maxClients: share(pooler.maxClients),
    serverConnectionsInAll: (share(pooler.serverConnections) + loginConnections) * pooler.instances,
  };
}
