import type { PoolerSettings } from "../schema";

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

/** Most pods that a pooler may have. */
export const mostPods = ({
  instances,
  autoscaling,
}: Pick<PoolerSettings, "instances" | "autoscaling">): number => autoscaling?.maxInstances ?? instances;

/** Divides a pooler's totals by its pods, as many as there may be; rounded down, so that the sum never passes the total. */
export function poolerShares(
  pooler: Pick<PoolerSettings, "instances" | "autoscaling" | "serverConnections" | "poolSize" | "maxClients">,
): PoolerShares {
  const pods = mostPods(pooler);
  const share = (total: number) => Math.floor(total / pods);
  return {
    serverConnections: share(pooler.serverConnections),
    poolSize: share(pooler.poolSize),
    maxClients: share(pooler.maxClients),
    serverConnectionsInAll: (share(pooler.serverConnections) + loginConnections) * pods,
  };
}
