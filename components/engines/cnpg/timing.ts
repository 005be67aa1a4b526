import type { Settings } from "../../../stacks/schema";

/**
 * Failover timing. The primary holds a Lease; one that can't renew it for `renewDeadlineSeconds` stops itself, and another
 * instance may take over `leaseDurationSeconds` after the last renewal. The lease therefore bounds a failover from below
 * when a primary vanishes without releasing it; its price is that an API server that is silent for the deadline stops a
 * healthy primary.
 */
export interface Timing {
  readonly primaryLease: {
    readonly leaseDurationSeconds: number;
    readonly renewDeadlineSeconds: number;
    readonly retryPeriodSeconds: number;
  };
  readonly probes: {
    readonly readiness: ProbeTiming;
    readonly liveness: ProbeTiming & {
      readonly isolationCheck: {
        readonly enabled: true;
        readonly requestTimeout: number;
        readonly connectionTimeout: number;
      };
    };
  };
}

interface ProbeTiming {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

const probe = (periodSeconds: number, timeoutSeconds: number): ProbeTiming => ({
  periodSeconds,
  timeoutSeconds,
  failureThreshold: 3,
});

/** A primary that reaches neither the API server nor a peer is stopped by its own liveness probe. */
const isolationCheck = { enabled: true, requestTimeout: 1000, connectionTimeout: 1000 } as const;

const shortLease = { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retryPeriodSeconds: 1 };

export const timings: Readonly<Record<Settings["cluster"]["failover"], Timing>> = {
  fast: {
    primaryLease: shortLease,
    probes: { readiness: probe(1, 2), liveness: { ...probe(3, 3), isolationCheck } },
  },
  standard: {
    primaryLease: shortLease,
    probes: { readiness: probe(2, 3), liveness: { ...probe(5, 4), isolationCheck } },
  },
  patient: {
    primaryLease: { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 },
    probes: { readiness: probe(10, 5), liveness: { ...probe(10, 5), isolationCheck } },
  },
};
