import { thresholdsOf } from "../../plan/monitoring/alerts";
import type { Subject } from "../health";
import { type Platform } from "../platform";

const DAY = 86_400;

/** From which value on something is said, in seconds and shares. */
export interface Limits {
  readonly lagSeconds: number;
  readonly volumeUsed: number;
  readonly connectionsHigh: number;
  readonly blockedSeconds: number;
  readonly transactionSeconds: number;
  readonly certificateSeconds: number;
  readonly certificateSoonSeconds: number;
  readonly baseSeconds: number | undefined;
  readonly poolerWaitSeconds: number;
}

/** Those of the alerts where the settings are at hand; else what the alerts begin with. */
export function limitsOf(platform: Platform, subject?: Subject): Limits {
  const days = platform.engine.inMetrics.certificateDays;
  const given: Partial<ReturnType<typeof thresholdsOf>> = subject ? thresholdsOf(subject.settings) : {};
  return {
    lagSeconds: given.replicationLag ?? 60,
    volumeUsed: given.volumeUsed ?? 0.85,
    connectionsHigh: given.connectionsHigh ?? 0.8,
    blockedSeconds: given.blocked ?? 60,
    transactionSeconds: given.longTransaction ?? 3600,
    certificateSeconds: given.certificate ?? days.warning * DAY,
    certificateSoonSeconds: given.certificateSoon ?? days.critical * DAY,
    baseSeconds: given.backupAge,
    poolerWaitSeconds: given.poolerWait ?? 5,
  };
}
