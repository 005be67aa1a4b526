import { jobs } from "../names";
import {
  absent,
  byInstance,
  inMetrics,
  lost,
  of,
  ofCluster,
  ofPods,
  or,
  recent,
  recently,
  replicated,
  stored,
  type Alert,
} from "./alert";

/** Longer than an exporter keeps what a query gave, and two scrapes (catalogue/types.ts). */
const EXPORTER_MEMORY = "3m";

/** Whether there is a PostgreSQL to write to, and whether what runs it is whole. */
export const availability: readonly Alert[] = [
  {
    name: "PostgreSQLDown",
    severity: "critical",
    for: 60,
    expr: (_, s) =>
      lost(
        `absent(${of("pgplatform_server_in_recovery", s)} == 0)`,
        `min_over_time(${of("pgplatform_server_in_recovery", s)}[RANGE]) == 0`,
        s,
      ),
    summary: "no instance says that it is the primary",
    description:
      "Nothing is written. Either no primary runs, or its metrics can't be read: then all metrics of the cluster are missing.",
  },
  {
    name: "InstancesMissing",
    severity: "warning",
    for: 300,
    expr: (_, s) =>
      `(${or([
        `sum(kube_pod_status_ready{${ofPods(s)},condition="true"})`,
        `sum(${of("pgplatform_server_up", s)})`,
        "vector(0)",
      ])}) < ${s.cluster.instances}`,
    summary: (_, s) => `{{ $value }} of ${s.cluster.instances} instances are ready`,
    description: "The next fault may find no standby to take over.",
  },
  {
    name: "TwoPrimaries",
    severity: "critical",
    for: 60,
    applies: replicated,
    expr: (_, s) => {
      const role = of("pgplatform_server_in_recovery", s);
      const timeline = of("pgplatform_server_timeline", s);
      return (
        `count(${role} == 0) > 1 or ` +
        `max(${timeline} and ${role} == 1) > max(${timeline} and ${role} == 0)`
      );
    },
    summary:
      "two primaries are suspected: {{ $value }} is their number, or the timeline that a standby follows",
    description:
      "Two instances take writes, or a standby follows a later timeline than the primary that is seen. What the wrong one acknowledges is lost.",
  },
  {
    name: "FailoverHappened",
    severity: "warning",
    for: 0,
    applies: replicated,
    expr: (t, s) =>
      `count(count by (instance) (min_over_time(${of("pgplatform_server_in_recovery", s)}[${recent(t)}]) == 0)) > 1`,
    summary: (t) => `{{ $value }} instances were the primary within ${recently(t)}`,
    description: "A failover, or a planned switchover. Writes paused for some seconds. It ends by itself.",
  },
  {
    name: "NodeNotReady",
    severity: "critical",
    for: 60,
    expr: (_, s) =>
      `kube_node_status_condition{condition="Ready",status="true"} == 0 and on (node) ` +
      `kube_pod_info{namespace="${s.cluster.namespace}",pod=~"${inMetrics(s).pods(s.cluster.name)}|${s.cluster.name}-pooler-.+"}`,
    summary: "node {{ $labels.node }}, which runs its pods, isn't ready",
    description:
      "Its instances and poolers are gone or can't be reached. The others have taken over where there are some.",
  },
  {
    name: "InstanceRestarting",
    severity: "warning",
    for: 0,
    expr: (t, s) =>
      `sum by (instance) (${byInstance(`round(increase(kube_pod_container_status_restarts_total{${ofPods(s)}}[1h]))`)}) > ${t.restarts}`,
    summary: "containers of {{ $labels.instance }} restarted {{ $value | humanize }} times within an hour",
    description: "A container ends again and again: its last words say why.",
  },
  {
    name: "OutOfMemory",
    severity: "warning",
    for: 0,
    // Where the kernel ends the whole container, its series end with it: then Kubernetes says why it was started again.
    expr: (t, s) => {
      const grown = (metric: string) => `increase(${metric}{${ofPods(s)},container!=""}[${recent(t)}]) > 0`;
      const killed = `kube_pod_container_status_last_terminated_reason{${ofPods(s)},reason="OOMKilled"} == 1`;
      return or(
        [
          grown("container_oom_events_total"),
          `(${grown("kube_pod_container_status_restarts_total")} and on (namespace, pod, container) ${killed})`,
        ].map((expr) => `sum by (instance, container) (${byInstance(expr)})`),
      );
    },
    summary:
      "the kernel ended processes of {{ $labels.instance }} ({{ $labels.container }}) for want of memory",
    description: "PostgreSQL ends every session when one of its processes is killed, and recovers.",
  },
  {
    name: "PendingRestart",
    severity: "info",
    for: 3600,
    expr: (_, s) => `${of("pgplatform_server_pending_restart", s)} > 0`,
    summary: "{{ $value }} parameters of {{ $labels.instance }} wait for a restart",
    description: "The server runs with other values than its configuration has.",
  },
];

/** Whether metrics come at all. */
export const metrics: readonly Alert[] = [
  {
    name: "ExporterDown",
    severity: "warning",
    for: 300,
    expr: (_, s) => `up{${ofCluster(s, `job="${jobs.instances}"`)}} == 0`,
    summary: "the metrics of {{ $labels.instance }} can't be read",
    description: "While that lasts, no alert on this instance can fire.",
  },
  {
    name: "QueryFailing",
    severity: "warning",
    for: 300,
    // An exporter keeps what a dear query gave, an error's nothing too, and says 1 only when it runs the query.
    expr: (_, s) => `max_over_time(${of("pgplatform_exporter_last_error", s)}[${EXPORTER_MEMORY}]) > 0`,
    summary: "a query for metrics fails on {{ $labels.instance }}",
    description:
      "Its metrics are missing: mostly one of monitoring.queries, whose table or right isn't there.",
  },
  {
    name: "MetricsAbsent",
    severity: "warning",
    for: 600,
    expr: (_, s) => {
      const backups = of("pgplatform_backup_target_up", s);
      return or([
        absent(of("pgplatform_info", s), "absent", "PostgreSQL"),
        absent(of("pgplatform_certificate_expiry_timestamp_seconds", s), "absent", "certificates"),
        ...(stored(s)
          ? [
              absent(backups, "absent", "backups"),
              `${absent(of("pgplatform_backup_unarchived_seconds", s), "absent", "what isn't archived")} and on () ${backups}`,
            ]
          : []),
      ]);
    },
    summary: "there are no metrics of {{ $labels.absent }}",
    description: "Alerts on them can't fire.",
  },
  {
    name: "KubernetesMetricsAbsent",
    severity: "info",
    for: 900,
    expr: (_, s) => absent(`kube_pod_status_ready{${ofPods(s)}}`, "absent", "Kubernetes"),
    summary: "there are no metrics of the instances' pods",
    description:
      "Alerts on pods, nodes, volumes and the operator can't fire: they need kube-state-metrics and the kubelets.",
  },
];
