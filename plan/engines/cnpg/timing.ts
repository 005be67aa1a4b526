import type { Settings } from "../../../settings/schema";
import type { ClusterSpec, Probe } from "./resources";

/**
 * Failover timing.
 *
 * The primary holds a Lease. One that stops in order releases it, and the instance that the operator has chosen takes it at its next
 * look, `retryPeriodSeconds` later at most. One that could not release it (its node is gone, or its pod was deleted by force, which
 * ends its access to the API server) is waited for: `leaseDurationSeconds` from the moment the chosen instance began to
 * look. The lease decides nothing by itself: the operator does, and a primary that can't renew its lease, because the API server is
 * silent, keeps running. A short lease is therefore no risk to a healthy primary (docs/failover.md has the measurement); what it shortens
 * is the time that a primary which was given up has to stop by itself. With synchronous replication such a primary acknowledges nothing.
 *
 * Stopping a primary that is cut off is the liveness probe's work: it fails when neither the API server nor a peer answers.
 */
export type Timing = Required<Pick<ClusterSpec, "primaryLease" | "probes">>;

const probe = (periodSeconds: number, timeoutSeconds: number): Probe => ({
  periodSeconds,
  timeoutSeconds,
  failureThreshold: 3,
});

/** An instance that was restarted in place answers after seconds, and gets clients again when this probe has seen it. */
const startup = { periodSeconds: 1, timeoutSeconds: 3 } as const;

/** A primary that reaches neither the API server nor a peer is stopped by its own liveness probe. */
const isolationCheck = { enabled: true, requestTimeout: 1000, connectionTimeout: 1000 } as const;

/** The shortest that the operator allows: duration > deadline > 1.2 * retry period, in whole seconds. */
const shortLease = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 1 };

export const timings: Readonly<Record<Settings["cluster"]["failover"], Timing>> = {
  fast: {
    primaryLease: shortLease,
    probes: { startup, readiness: probe(1, 2), liveness: { ...probe(3, 3), isolationCheck } },
  },
  standard: {
    primaryLease: shortLease,
    probes: { startup, readiness: probe(2, 3), liveness: { ...probe(5, 4), isolationCheck } },
  },
  patient: {
    primaryLease: { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 },
    probes: {
      startup: { periodSeconds: 10, timeoutSeconds: 5 },
      readiness: probe(10, 5),
      liveness: { ...probe(10, 5), isolationCheck },
    },
  },
};
