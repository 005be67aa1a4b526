import { longestPause } from "../../../settings/cron";
import { parameterBytes, parameterSeconds } from "../../../settings/catalogue";
import { secondsOfDuration, shareOf } from "../../../settings/duration";
import { bytesOf } from "../../../settings/quantity";
import type { Settings } from "../../../settings/schema";
import { slotReserve } from "../../../settings/sums/wal";
import { plannerOf } from "../../engines/select";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Bytes of a WAL segment. */
const SEGMENT = 16 * 2 ** 20;
/** How many transactions there are numbers for. */
const NUMBERS = 2 ** 31;

type Given = Settings["monitoring"]["thresholds"];

/** From which value on alerts fire, in seconds, shares of one, bytes and numbers. */
export type Thresholds = { readonly [name in keyof Given]-?: number };

/** Longest time without a copy; 0 where there is no second target. */
const copyPause = ({ backup }: Settings): number =>
  backup === undefined || backup.targets.length < 2 ? 0 : longestPause(backup.copy.schedule);

/** Bytes of the volume that holds the WAL. */
const walBytes = ({ cluster: { storage } }: Settings): number =>
  bytesOf(storage.walSize ?? storage.size) ?? 0;

/** Half of the WAL that a slot may keep before it is lost, and a quarter of the volume at most. */
function slotWal(settings: Settings): number {
  const kept = parameterBytes(settings.cluster, "max_slot_wal_keep_size") ?? slotReserve(settings.cluster);
  const quarter = walBytes(settings) / 4;
  // -1 is without limit.
  return Math.floor(kept > 0 ? Math.min(quarter, kept / 2) : quarter);
}

/** Share of the transaction or multixact numbers that are in use when autovacuum begins to clean up. PostgreSQL's own 400 million multixacts are below what warns. */
const cleanup = ({ cluster: { parameters } }: Settings): number =>
  Math.max(
    Number(parameters.autovacuum_freeze_max_age ?? 200_000_000),
    Number(parameters.autovacuum_multixact_freeze_max_age ?? 0),
  ) / NUMBERS;

function defaults(settings: Settings, given: Partial<Thresholds>): Thresholds {
  const { backup, cluster, rotation } = settings;
  const certificateDays = plannerOf(settings).inMetrics.certificateDays;
  const wraparoundHigh = given.wraparoundHigh ?? Math.max(0.25, Number((cleanup(settings) + 0.1).toFixed(4)));
  return {
    eventWindow: 900,
    connectionsHigh: 0.8,
    connectionsFull: 0.95,
    slowQuery: 300,
    longTransaction: HOUR,
    idleInTransaction: 600,
    blocked: 60,
    preparedTransaction: 900,
    deadlocks: 5,
    replicationLag: 60,
    conflicts: 5,
    slotWal: slotWal(settings),
    wraparoundHigh,
    wraparoundRisk: Math.max(0.5, Number((wraparoundHigh + 0.1).toFixed(4))),
    deadRows: 0.3,
    vacuumAge: 7 * DAY,
    vacuumDuration: 6 * HOUR,
    cacheHits: 0.9,
    checkpoints: Math.ceil(HOUR / (parameterSeconds(cluster, "checkpoint_timeout") ?? 300)),
    backendWrites: 0.5,
    volumeUsed: 0.85,
    volumeFull: DAY,
    volumeFullSoon: HOUR,
    archiveBacklog: Math.min(256, Math.max(8, Math.floor(walBytes(settings) / 8 / SEGMENT))),
    backupAge: (backup === undefined ? DAY : longestPause(backup.schedule)) + copyPause(settings) + 4 * HOUR,
    // That of a volume is made when its time comes.
    firstBackup:
      2 * HOUR + (backup?.targets.length === 0 ? longestPause(backup.schedule) : copyPause(settings)),
    copyAge: 2 * copyPause(settings) + 900,
    verificationAge: (backup === undefined ? 7 * DAY : longestPause(backup.verify.schedule)) + DAY,
    recoveryTime: 1800,
    poolerWait: 5,
    poolerUsed: 0.9,
    reconcileErrors: 10,
    restarts: 3,
    certificate: certificateDays.warning * DAY,
    certificateSoon: certificateDays.critical * DAY,
    rotation: rotation.overlapMinutes * 60 + 1800,
  };
}

/** A setting in the unit of its alert; a number has none. */
const amount = (value: string | number): number =>
  typeof value === "number" ? value : (secondsOfDuration(value) ?? shareOf(value) ?? bytesOf(value) ?? NaN);

/** Those of the settings, and what follows from other settings where they name none. */
export function thresholdsOf(settings: Settings): Thresholds {
  const given = Object.fromEntries(
    Object.entries(settings.monitoring.thresholds).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, amount(value)]],
    ),
  ) as Partial<Thresholds>;
  return { ...defaults(settings, given), ...given };
}
