import { always, of, primary, type Engine, type Pair, type Pairs, type Series } from "../case";

const deployments = {
  cnpg: 'namespace="cnpg-system",deployment="cnpg-controller-manager"',
  zalando: 'namespace="postgres-operator",deployment="postgres-operator"',
  standalone: "",
} as const;
const instances: Series = {
  'kube_pod_status_ready{namespace="postgres",pod="main-1",condition="true"}': always(1),
};
const ready = (engine: Engine, count: number, values = always(count)): Series => ({
  [`kube_deployment_status_replicas_available{${deployments[engine]}}`]: values,
  'kube_deployment_status_replicas_available{namespace="shop",deployment="shop"}': always(1),
});
const errors = (values: string): Series => ({
  'controller_runtime_reconcile_errors_total{namespace="cnpg-system",controller="cluster",instance="a"}':
    values,
  'controller_runtime_reconcile_errors_total{namespace="other",controller="cluster",instance="b"}':
    "0x14 99x60",
});
const info = of("pgplatform_info", `${primary},engine="cnpg"`);
const ends = (certificate: string): string =>
  of("pgplatform_certificate_expiry_timestamp_seconds", `certificate="${certificate}"`);
const readable = (certificate: string): string =>
  of("pgplatform_certificate_readable", `certificate="${certificate}"`);
const target = of("pgplatform_backup_target_up", 'target="far",archive_id="3f2a90b1c4"');
const unarchived = of("pgplatform_backup_unarchived_seconds");
const there: Series = {
  [info]: always(1),
  [target]: always(1),
  [unarchived]: always(0),
  [ends("server")]: always(9e8),
};

/** A certificate that ends so many days after the alert would fire. */
const certificate = (
  days: (engine: Engine) => number,
  seconds: number,
  text: (days: number) => string,
): Pair => ({
  fires: (engine) => ({
    // It is so from the beginning, so that at the end it is as much less as the alert waits.
    series: { [ends("server")]: always(days(engine) * 86_400 - 1), [ends("ca")]: always(9e8) },
    labels: { certificate: "server" },
    summary: `the server certificate ends in ${text(days(engine))}`,
  }),
  quiet: (engine) => ({
    series: { [ends("server")]: always(days(engine) * 86_400 + seconds), [ends("ca")]: always(9e8) },
  }),
});

export const operator: Pairs = {
  OperatorDown: {
    fires: (engine) => ({ series: ready(engine, 0), summary: "no pod of the operator is ready" }),
    quiet: (engine) => ({ series: ready(engine, 1) }),
    more: [
      () => ({ title: "not without kube-state-metrics", series: {} }),
      () => ({ title: "not of one that it never saw", series: instances }),
      (engine) => ({
        title: "when it is deleted",
        from: 10,
        series: { ...instances, ...ready(engine, 1, "1x9 stale") },
        summary: "no pod of the operator is ready",
      }),
    ],
  },
  OperatorReconcileErrors: {
    fires: () => ({
      from: 15,
      series: errors("4x14 15x60"),
      labels: { controller: "cluster" },
      summary: "the operator failed 11 times within 15m, in its controller cluster",
    }),
    quiet: () => ({ from: 15, series: errors("4x14 14x60") }),
  },
  MetricsAbsent: {
    fires: () => ({
      series: { ...there, [info]: "_x240" },
      labels: { absent: "PostgreSQL" },
      summary: "there are no metrics of PostgreSQL",
    }),
    quiet: () => ({ series: { ...there, [target]: always(0) } }),
    more: [
      () => ({
        title: "what isn't archived while the watcher can't ask the primary",
        series: { ...there, [unarchived]: "_x240" },
        labels: { absent: "what isn't archived" },
        summary: "there are no metrics of what isn't archived",
      }),
      () => ({
        title: "backups once where nothing of them is read",
        series: { ...there, [target]: "_x240", [unarchived]: "_x240" },
        labels: { absent: "backups" },
        summary: "there are no metrics of backups",
      }),
    ],
  },
  KubernetesMetricsAbsent: {
    fires: () => ({
      series: { 'kube_pod_status_ready{namespace="postgres",pod="other",condition="true"}': always(1) },
      labels: { absent: "Kubernetes" },
      summary: "there are no metrics of the instances' pods",
    }),
    quiet: () => ({
      series: { 'kube_pod_status_ready{namespace="postgres",pod="main-1",condition="true"}': always(0) },
    }),
  },
  CertificateEnds: certificate(
    (engine) => (engine === "cnpg" ? 5 : 30),
    3600,
    (days) => `${days - 1}d 22h 59m 59s`,
  ),
  CertificateEndsSoon: certificate(
    (engine) => (engine === "cnpg" ? 2 : 7),
    600,
    (days) => `${days - 1}d 23h 49m 59s`,
  ),
  CertificateUnreadable: {
    fires: () => ({
      series: { [readable("server")]: always(0), [readable("ca")]: always(1) },
      labels: { certificate: "server" },
      summary: "the server certificate isn't there, or can't be read",
    }),
    // While a platform comes up the certificate isn't there.
    quiet: () => ({ series: { [readable("server")]: "0x14 1x60", [readable("ca")]: always(1) } }),
  },
  RotationStuck: {
    fires: () => ({
      series: { [of("pgplatform_rotation_logins_of_two", primary)]: always(2) },
      summary: "two logins of 2 roles work: a rotation of passwords hasn't ended",
    }),
    // Within the time that applications have, and half an hour.
    quiet: () => ({ series: { [of("pgplatform_rotation_logins_of_two", primary)]: "2x39 0x60" } }),
  },
};
