import { parameterBytes } from "../catalogue";
import type { Settings } from "../schema";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** What WAL keeps for itself on a volume of that size: together at most three eighths of it. */
export const walReserves = (volumeBytes: number): { maxWalSize: number; walKeepSize: number } => ({
  maxWalSize: Math.min(1024 * MiB, volumeBytes / 4),
  walKeepSize: Math.min(512 * MiB, volumeBytes / 8),
});

type Sized = Pick<Settings["cluster"], "postgresVersion" | "parameters"> & {
  readonly storage: {
    readonly writeMiBPerSecond?: number | undefined;
    readonly toleratedOutageHours?: number | undefined;
  };
};

/**
 * Bytes of a volume that holds the WAL of an outage: what is written meanwhile, max_wal_size and wal_keep_size at their largest
 * (checkpoints continue, and standbys may still ask for old segments), a tenth more, in whole GiB; at least what has these two in four fifths,
 * as the check of volumes wants it. Undefined when rate or outage isn't given.
 */
export function walVolumeBytes(cluster: Sized): number | undefined {
  const { writeMiBPerSecond, toleratedOutageHours } = cluster.storage;
  if (writeMiBPerSecond === undefined || toleratedOutageHours === undefined) return undefined;
  const written = writeMiBPerSecond * MiB * toleratedOutageHours * 3600;
  const largest = walReserves(Infinity);
  const reserves =
    (parameterBytes(cluster, "max_wal_size") ?? largest.maxWalSize) +
    (parameterBytes(cluster, "wal_keep_size") ?? largest.walKeepSize);
  return Math.ceil(Math.max((written + reserves) * 1.1, reserves / 0.8) / GiB) * GiB;
}

/** The same as a Kubernetes quantity. */
export function walVolume(cluster: Sized): string | undefined {
  const bytes = walVolumeBytes(cluster);
  return bytes === undefined ? undefined : `${bytes / GiB}Gi`;
}
