import { parameterBytes } from "../catalogue";
import { bytesOf } from "../quantity";
import type { Settings } from "../schema";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** What WAL keeps for itself on a volume of that size: together at most three eighths of it. */
export const walReserves = (volumeBytes: number): { maxWalSize: number; walKeepSize: number } => ({
  maxWalSize: Math.min(1024 * MiB, volumeBytes / 4),
  walKeepSize: Math.min(512 * MiB, volumeBytes / 8),
});

/** A tenth of the volume is spare. */
const SPARE = 1.1;

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
  return Math.ceil(Math.max((written + reserves) * SPARE, reserves / 0.8) / GiB) * GiB;
}

/** The same as a Kubernetes quantity. */
export function walVolume(cluster: Sized): string | undefined {
  const bytes = walVolumeBytes(cluster);
  return bytes === undefined ? undefined : `${bytes / GiB}Gi`;
}

type WithVolumes = Pick<Settings["cluster"], "postgresVersion" | "parameters" | "storage">;

/** The volume that has the WAL, and what the WAL keeps for itself on it, in bytes: by the parameters, or by what follows from the volume. */
export function walReservesOf(cluster: WithVolumes): {
  volume: number;
  maxWalSize: number;
  walKeepSize: number;
} {
  const { size, walSize } = cluster.storage;
  const volume = bytesOf(walSize ?? size) ?? 0;
  const derived = walReserves(volume);
  return {
    volume,
    maxWalSize: parameterBytes(cluster, "max_wal_size") ?? derived.maxWalSize,
    walKeepSize: parameterBytes(cluster, "wal_keep_size") ?? derived.walKeepSize,
  };
}

/**
 * The most WAL that replication slots may keep, in bytes, where max_slot_wal_keep_size isn't given: of a volume of its own four fifths less max_wal_size, of one with
 * the data a quarter. A reader that is gone then loses its slot, and the primary doesn't lose its volume.
 */
export function slotReserve(cluster: WithVolumes): number {
  const { volume, maxWalSize } = walReservesOf(cluster);
  return cluster.storage.walSize === undefined ? volume / 4 : Math.max(volume * 0.8 - maxWalSize, volume / 4);
}

/**
 * For how many hours WAL may accumulate before its volume is full: what `walVolumeBytes` asks for, the other way round. Undefined where the rate isn't given, or
 * the data have the same volume: then it depends on how full that is.
 */
export function outageHours(cluster: WithVolumes): number | undefined {
  const { walSize, writeMiBPerSecond } = cluster.storage;
  if (walSize === undefined || writeMiBPerSecond === undefined) return undefined;
  const { volume, maxWalSize, walKeepSize } = walReservesOf(cluster);
  return Math.max(0, volume / SPARE - maxWalSize - walKeepSize) / (writeMiBPerSecond * MiB * 3600);
}
