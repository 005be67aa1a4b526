import type { Settings } from "../../../settings/schema";
import { plannerOf } from "../../engines/select";
import { inMetrics, of, ofPods, recent, recently, type Alert } from "./alert";

const ready = (s: Settings): string =>
  `kube_deployment_status_replicas_available{namespace="${plannerOf(s).operatorNamespace ?? ""}",deployment="${inMetrics(s).operator ?? ""}"}`;

/** What keeps the cluster as it is asked for. */
export const operator: readonly Alert[] = [
  {
    name: "OperatorDown",
    severity: "warning",
    for: 300,
    applies: (s) => inMetrics(s).operator !== undefined,
    // A deleted Deployment has no samples any more; neither has one that kube-state-metrics never saw.
    expr: (_, s) =>
      `sum(${ready(s)}) == 0 or count(max by (deployment) (max_over_time(${ready(s)}[1d])) unless on (deployment) ${ready(s)}) > 0 ` +
      `and on () kube_pod_status_ready{${ofPods(s)}}`,
    summary: "no pod of the operator is ready",
    description:
      "PostgreSQL runs. With CloudNativePG no failover is made meanwhile; with Zalando Patroni makes it.",
  },
  {
    name: "OperatorReconcileErrors",
    severity: "warning",
    for: 0,
    applies: (s) => inMetrics(s).countsReconciliations,
    expr: (t, s) =>
      `sum by (controller) (round(increase(controller_runtime_reconcile_errors_total{namespace="${plannerOf(s).operatorNamespace ?? ""}"}[${recent(t)}]))) > ${t.reconcileErrors}`,
    summary: (t) =>
      `the operator failed {{ $value | humanize }} times within ${recently(t)}, in its controller {{ $labels.controller }}`,
    description: "What was asked for isn't done. It counts for all clusters of this operator.",
  },
];

/** What ends by itself. */
export const security: readonly Alert[] = [
  {
    name: "CertificateEnds",
    severity: "warning",
    for: 3600,
    expr: (t, s) => `${of("pgplatform_certificate_expiry_timestamp_seconds", s)} - time() < ${t.certificate}`,
    summary: "the {{ $labels.certificate }} certificate ends in {{ $value | humanizeDuration }}",
    description: "It should have been renewed by now.",
  },
  {
    name: "CertificateEndsSoon",
    severity: "critical",
    for: 600,
    expr: (t, s) =>
      `${of("pgplatform_certificate_expiry_timestamp_seconds", s)} - time() < ${t.certificateSoon}`,
    summary: "the {{ $labels.certificate }} certificate ends in {{ $value | humanizeDuration }}",
    description: "Clients, poolers and standbys that verify it can't connect after that.",
  },
  {
    name: "CertificateUnreadable",
    severity: "warning",
    for: 900,
    expr: (_, s) => `${of("pgplatform_certificate_readable", s)} == 0`,
    summary: "the {{ $labels.certificate }} certificate isn't there, or can't be read",
    description: "When it ends isn't known: CertificateEnds and CertificateEndsSoon can't fire.",
  },
  {
    name: "RotationStuck",
    severity: "warning",
    for: (t) => t.rotation,
    // Before the first rotation two roles may be named as if they were the logins of one.
    applies: ({ rotation }) => rotation.credentialVersion > 1,
    expr: (_, s) => `max(${of("pgplatform_rotation_logins_of_two", s)}) > 0`,
    summary: "two logins of {{ $value }} roles work: a rotation of passwords hasn't ended",
    description: "The former passwords can still be used.",
  },
];
