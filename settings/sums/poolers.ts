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

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** What a client takes, encrypted: 16 KiB of PgBouncer's own, measured with 1.18; as much again for the kernel's buffers of its connection. */
const CLIENT = 32 * KiB;
/** What a server connection takes: the same, and room for results that wait for a slow client. */
const SERVER = 128 * KiB;
/** PgBouncer without a connection, with its supervisor. */
const PROCESS = 64 * MiB;
const LEAST = 128 * MiB;

type Sized = Pick<
  PoolerSettings,
  "instances" | "autoscaling" | "serverConnections" | "poolSize" | "maxClients"
>;

/** Memory that a pod needs when it has all its connections, in bytes. */
export function poolerMemory(pooler: Sized): number {
  const { maxClients, serverConnections } = poolerShares(pooler);
  return Math.max(LEAST, PROCESS + maxClients * CLIENT + serverConnections * SERVER);
}

/** Cancels that a pod hands on to one other pod at a time. */
const CANCELS = 32;

/** Files that a pod's PgBouncer has open at most: connections, and its own. */
export function poolerFiles(pooler: Sized): { readonly needed: number; readonly sum: string } {
  const { maxClients, serverConnections } = poolerShares(pooler);
  const own = 64;
  const cancels = CANCELS * (mostPods(pooler) - 1);
  return {
    needed: maxClients + serverConnections + loginConnections + cancels + own,
    sum: `${maxClients} clients, ${serverConnections} server connections, ${loginConnections} for looking up logins, ${cancels} for cancels of other pods and ${own} of its own`,
  };
}

/**
 * Divides a pooler's server connections by its pods, as many as there may be; rounded down, so that the sum never passes the total. Clients aren't divided: the
 * Service spreads them unevenly, and those of a pod that is gone come to the others.
 */
export function poolerShares(pooler: Sized): PoolerShares {
  const pods = mostPods(pooler);
  const share = (total: number) => Math.floor(total / pods);
  return {
    serverConnections: share(pooler.serverConnections),
    poolSize: share(pooler.poolSize),
    maxClients: pooler.maxClients,
    serverConnectionsInAll: (share(pooler.serverConnections) + loginConnections) * pods,
  };
}
