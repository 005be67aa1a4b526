import type { Settings } from "../../../settings/schema";
import { thresholdsOf, type Thresholds } from "../alerts/thresholds";
import { above, type Steps } from "./model";

/** From which values on panels are orange and red: where alerts fire. */
export type Limits = Pick<
  Thresholds,
  | "connectionsHigh"
  | "connectionsFull"
  | "longTransaction"
  | "blocked"
  | "replicationLag"
  | "slotWal"
  | "wraparoundHigh"
  | "wraparoundRisk"
  | "deadRows"
  | "volumeUsed"
  | "archiveBacklog"
  | "backupAge"
  | "verificationAge"
  | "poolerWait"
  | "poolerUsed"
  | "certificate"
  | "certificateSoon"
> & {
  /** Seconds that a write may wait to be archived. */
  readonly rpo: number;
};

const days = 86_400;

/**
 * Where no settings say it: a cluster with a volume of 10 GiB for WAL, base backups each day and verifications each
 * week; certificates as CloudNativePG's, which the operator renews a week before their end.
 */
export const usual: Limits = {
  connectionsHigh: 0.8,
  connectionsFull: 0.95,
  longTransaction: 3600,
  blocked: 60,
  replicationLag: 60,
  slotWal: 2.5 * 2 ** 30,
  wraparoundHigh: 0.25,
  wraparoundRisk: 0.5,
  deadRows: 0.3,
  volumeUsed: 0.85,
  archiveBacklog: 80,
  backupAge: days + 4 * 3600,
  verificationAge: 8 * days,
  poolerWait: 5,
  poolerUsed: 0.9,
  certificate: 5 * days,
  certificateSoon: 2 * days,
  rpo: 120,
};

export const limitsOf = (settings: Settings): Limits => ({
  ...thresholdsOf(settings),
  rpo: settings.backup === undefined ? usual.rpo : settings.backup.rpoMinutes * 60,
});

/** Red where the alert fires, orange a tenth before. */
export const near = (limit: number): Steps => above(Number((0.9 * limit).toPrecision(3)), limit);
