import type { Metric } from "./poolerMetrics";

/** Metrics of Kubernetes and of operators that alerts and dashboards use: those that can be relied on, with the labels that they are used by. */

interface Foreign extends Metric {
  /** Who makes it, and where its name was read. */
  readonly source: string;
}

const from =
  (source: string) =>
  (name: string, type: Metric["type"], help: string, labels: readonly string[]): Foreign => ({
    name,
    type,
    help,
    labels,
    source,
  });

const controller = from(
  "controller-runtime 0.25: pkg/internal/controller/metrics, pkg/metrics/leaderelection.go",
);

/** Of CloudNativePG's operator, each replica by itself. The Zalando operator has none. */
export const operatorMetrics: readonly Foreign[] = [
  controller("controller_runtime_reconcile_total", "counter", "Reconciliations, by their result.", [
    "controller",
    "result",
  ]),
  controller(
    "controller_runtime_reconcile_errors_total",
    "counter",
    "Reconciliations that ended with an error.",
    ["controller"],
  ),
  controller("leader_election_master_status", "gauge", "Whether this replica leads.", ["name"]),
];

/** Labels of every sample of the operator. */
export const operatorTargetLabels = ["namespace", "instance", "job"] as const;

const cadvisor = from("cAdvisor in the kubelet 1.34: metrics/prometheus.go");
const container = ["namespace", "pod", "container"];
const kubelet = from("kubelet 1.34: pkg/kubelet/metrics/collectors/volume_stats.go");
const claim = ["namespace", "persistentvolumeclaim"];

/** Of the nodes' kubelets. */
export const kubeletMetrics: readonly Foreign[] = [
  cadvisor(
    "container_cpu_usage_seconds_total",
    "counter",
    "Time of cores that the container has used.",
    container,
  ),
  cadvisor(
    "container_cpu_cfs_periods_total",
    "counter",
    "Periods in which the container could run; only with a limit.",
    container,
  ),
  cadvisor(
    "container_cpu_cfs_throttled_periods_total",
    "counter",
    "Periods in which its limit stopped it.",
    container,
  ),
  cadvisor(
    "container_memory_working_set_bytes",
    "gauge",
    "Memory that can't be taken back; at the limit the kernel kills.",
    container,
  ),
  cadvisor("container_oom_events_total", "counter", "Times that the kernel killed in it.", container),
  cadvisor("container_memory_rss", "gauge", "Anonymous memory.", container),
  cadvisor("container_network_receive_bytes_total", "counter", "Bytes that the pod got.", [
    "namespace",
    "pod",
    "interface",
  ]),
  cadvisor("container_network_transmit_bytes_total", "counter", "Bytes that the pod sent.", [
    "namespace",
    "pod",
    "interface",
  ]),
  kubelet("kubelet_volume_stats_capacity_bytes", "gauge", "Size of the volume's file system.", claim),
  kubelet("kubelet_volume_stats_available_bytes", "gauge", "What can still be written there.", claim),
  kubelet("kubelet_volume_stats_used_bytes", "gauge", "What is used there.", claim),
];

const state = from(
  "kube-state-metrics 2.18: docs/metrics/workload, docs/metrics/storage and docs/metrics/cluster",
);
const pod = ["namespace", "pod"];

/** Of kube-state-metrics. */
export const stateMetrics: readonly Foreign[] = [
  state("kube_node_status_condition", "gauge", "1 at what the node's condition is.", [
    "node",
    "condition",
    "status",
  ]),
  state("kube_pod_info", "gauge", "1 for each pod, with its node.", [...pod, "node", "host_ip"]),
  state("kube_pod_status_phase", "gauge", "1 at the pod's phase.", [...pod, "phase"]),
  state("kube_pod_status_ready", "gauge", "1 at what the pod's readiness is.", [...pod, "condition"]),
  state("kube_pod_container_status_restarts_total", "counter", "Restarts of the container.", container),
  state("kube_pod_container_status_last_terminated_reason", "gauge", "1 at why it ended the last time.", [
    ...container,
    "reason",
  ]),
  state("kube_pod_container_resource_limits", "gauge", "Limit, by resource.", [...container, "resource"]),
  state("kube_pod_container_resource_requests", "gauge", "Request, by resource.", [...container, "resource"]),
  state("kube_pod_spec_volumes_persistentvolumeclaims_info", "gauge", "1 for each claim of a pod.", [
    ...pod,
    "persistentvolumeclaim",
    "volume",
  ]),
  state("kube_deployment_spec_replicas", "gauge", "Pods that are asked for.", ["namespace", "deployment"]),
  state("kube_deployment_status_replicas_available", "gauge", "Pods that can be used.", [
    "namespace",
    "deployment",
  ]),
  state("kube_statefulset_replicas", "gauge", "Pods that are asked for.", ["namespace", "statefulset"]),
  state("kube_statefulset_status_replicas_ready", "gauge", "Pods that are ready.", [
    "namespace",
    "statefulset",
  ]),
  state(
    "kube_persistentvolumeclaim_resource_requests_storage_bytes",
    "gauge",
    "Size that is asked for.",
    claim,
  ),
  state("kube_job_status_failed", "gauge", "Pods of the job that failed.", ["namespace", "job_name"]),
  state("kube_cronjob_status_last_successful_time", "gauge", "When a job of it last ended well.", [
    "namespace",
    "cronjob",
  ]),
];
