import { near, type Limits } from "./limits";
import { above, noneWanted, query, series, stat, table, type Dashboard } from "./model";
import { failovers } from "./marks";
import { labels, needs, ofCluster, variables } from "./selectors";

const { pods, servers, volumes } = labels;
const rate = "[$__rate_interval]";
const of = (resource: "cpu" | "memory"): string => `{${pods}, container="postgres", resource="${resource}"}`;

export const resources = (limits: Limits): Dashboard => ({
  id: "resources",
  title: "PostgreSQL: resources",
  description: "CPU, memory, network and volumes of each pod of PostgreSQL, as Kubernetes measures them.",
  variables: [...ofCluster, variables.instance],
  marks: [failovers],
  rows: [
    {
      title: "Now",
      panels: [
        stat(
          "Pods ready",
          "none",
          "Pods of PostgreSQL that are ready.",
          [query(`sum(kube_pod_status_ready{${pods}, condition="true"})`, "ready")],
          { width: 6 },
        ),
        stat(
          "Restarts in a day",
          "none",
          "Restarts of the pods' containers.",
          [query(`sum(increase(kube_pod_container_status_restarts_total{${pods}}[1d]))`, "restarts")],
          { width: 6, steps: noneWanted },
        ),
        stat(
          "Memory used",
          "percentunit",
          "Of the limit, by the pod that uses most of it.",
          [
            query(
              `max(sum by (pod) (container_memory_working_set_bytes{${servers}}) / sum by (pod) (kube_pod_container_resource_limits${of("memory")}))`,
              "used",
            ),
          ],
          { width: 6, steps: above(0.85, 0.95) },
        ),
        stat(
          "Fullest volume",
          "percentunit",
          "Share of the volume that is used.",
          [
            query(
              `max(1 - kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}})`,
              "used",
            ),
          ],
          { width: 6, steps: near(limits.volumeUsed) },
        ),
        table(
          "Pods",
          "none",
          "Where each pod runs.",
          [query(`max by (pod, node, host_ip) (kube_pod_info{${pods}})`, "Info", { hidden: true })],
          { labels: { pod: "Pod", node: "Node", host_ip: "Address" } },
        ),
      ],
    },
    {
      title: "CPU and memory",
      panels: [
        series(
          "CPU",
          "cores",
          "Cores that PostgreSQL's container uses, and what it may.",
          [
            query(`sum by (pod) (rate(container_cpu_usage_seconds_total{${servers}}${rate}))`, "{{pod}}"),
            query(`max(kube_pod_container_resource_limits${of("cpu")})`, "limit", {
              needsEvent: needs.limits,
            }),
          ],
          { min: 0 },
        ),
        series(
          "CPU throttled",
          "percentunit",
          "Share of the scheduler's periods in which the limit stopped PostgreSQL.",
          [
            query(
              `sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{${servers}}${rate})) / clamp_min(sum by (pod) (rate(container_cpu_cfs_periods_total{${servers}}${rate})), 1e-9)`,
              "{{pod}}",
              { needsEvent: needs.limits },
            ),
          ],
          { min: 0, max: 1 },
        ),
        series(
          "Memory",
          "bytes",
          "What PostgreSQL's container can't give back, and what it may have.",
          [
            query(`sum by (pod) (container_memory_working_set_bytes{${servers}})`, "{{pod}}"),
            query(`max(kube_pod_container_resource_limits${of("memory")})`, "limit"),
          ],
          { min: 0 },
        ),
        series(
          "CPU of the other containers",
          "cores",
          "Exporters and what else runs beside PostgreSQL.",
          [
            query(
              `sum by (pod, container) (rate(container_cpu_usage_seconds_total{${pods}, container!="postgres", container!="", container!="POD"}${rate}))`,
              "{{pod}} {{container}}",
              {
                needsEvent:
                  "a container beside PostgreSQL: the engine cnpg has none without the plugin of backups",
              },
            ),
          ],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Network",
      panels: [
        series(
          "Received",
          "Bps",
          "By pod.",
          [query(`sum by (pod) (rate(container_network_receive_bytes_total{${pods}}${rate}))`, "{{pod}}")],
          { min: 0 },
        ),
        series(
          "Sent",
          "Bps",
          "By pod.",
          [query(`sum by (pod) (rate(container_network_transmit_bytes_total{${pods}}${rate}))`, "{{pod}}")],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Volumes",
      panels: [
        series(
          "Used",
          "percentunit",
          "Share of each volume.",
          [
            query(
              `1 - kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}`,
              "{{persistentvolumeclaim}}",
            ),
          ],
          { min: 0, max: 1, steps: near(limits.volumeUsed) },
        ),
        series(
          "Free",
          "bytes",
          "What is left of each volume.",
          [query(`kubelet_volume_stats_available_bytes{${volumes}}`, "{{persistentvolumeclaim}}")],
          { min: 0 },
        ),
        series("Grows by", "Bps", "By the last six hours; below zero it gets emptier.", [
          query(`deriv(kubelet_volume_stats_used_bytes{${volumes}}[6h])`, "{{persistentvolumeclaim}}"),
        ]),
        series(
          "Full in",
          "s",
          "By the last six hours, for volumes that get fuller.",
          [
            query(
              `kubelet_volume_stats_available_bytes{${volumes}} / (deriv(kubelet_volume_stats_used_bytes{${volumes}}[6h]) > 1024)`,
              "{{persistentvolumeclaim}}",
              { needsEvent: needs.forecast },
            ),
          ],
          { min: 0, noValue: "no volume gets fuller" },
        ),
      ],
    },
  ],
});
