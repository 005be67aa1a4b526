import { names, type Installation } from "./names";

/** What Prometheus reads without a monitor: the kubelets, which no object can name with the token of Prometheus' own account. */

const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Of pods' resources; the kubelets have hundreds more. */
const kept = {
  cadvisor: [
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_memory_working_set_bytes",
    "container_memory_rss",
    "container_spec_memory_limit_bytes",
    "container_oom_events_total",
    "container_network_(receive|transmit)_bytes_total",
    "container_fs_(reads|writes)_bytes_total",
    "container_start_time_seconds",
  ],
  kubelet: [
    "kubelet_volume_stats_(available|capacity|used)_bytes",
    "kubelet_volume_stats_inodes(_free|_used)?",
  ],
} as const;

function job(
  name: keyof typeof kept,
  path: string,
  { install }: Installation,
  namespaces: readonly string[],
) {
  return {
    job_name: name,
    scheme: "https",
    metrics_path: path,
    authorization: { credentials_file: `${account}/token` },
    tls_config: {
      ca_file: `${account}/ca.crt`,
      ...(install.kubelet === "unverified" && { insecure_skip_verify: true }),
    },
    kubernetes_sd_configs: [{ role: "node" }],
    relabel_configs: [{ source_labels: ["__meta_kubernetes_node_name"], target_label: "node" }],
    metric_relabel_configs: [
      { source_labels: ["__name__"], regex: kept[name].join("|"), action: "keep" },
      { source_labels: ["namespace"], regex: namespaces.join("|"), action: "keep" },
      { regex: "image|name", action: "labeldrop" },
    ],
  };
}

/** Key of the Secret that the scrapes are in. */
export const scrapesKey = { name: names.scrapes, key: "scrapes.yaml" } as const;

export const scrapes = (installation: Installation, namespaces: readonly string[]): object[] =>
  installation.install.kubelet === "none"
    ? []
    : [
        job("cadvisor", "/metrics/cadvisor", installation, namespaces),
        job("kubelet", "/metrics", installation, namespaces),
      ];
