import type { Settings } from "../../settings/schema";
import { backupNames, backupRoles } from "../backup/names";
import { clusterLabel, poolerName, roleLabels } from "../names";
import type { Labels } from "../network";
import type { KubernetesObject } from "../objects";
import { exporterMetrics } from "./exporter";
import { operatorMetrics } from "./foreignMetrics";
import { type Job, jobs, monitor } from "./names";
import type { Monitored } from "./monitored";
import { poolerMetrics, totals } from "./poolerMetrics";
import {
  copy,
  inMonitor,
  inPrometheus,
  keepOnly,
  literally,
  podLabel,
  type Relabel,
  renamed,
  set,
  without,
} from "./relabel";

/**
 * What is read of, and what becomes of its labels and names: once, for the two ways in which a Prometheus is told.
 *
 * After it a sample has the same name and the same labels whatever engine it is of. That is done while it is scraped: a recording rule would keep
 * everything twice, and would be behind by its interval.
 */
export interface Scrape {
  readonly job: Job;
  readonly namespace: string;
  /** Selects the pods. */
  readonly pods: Labels;
  readonly path: string;
  /** Beside the job, the namespace and the cluster. */
  readonly target: readonly Relabel[];
  readonly samples: readonly Relabel[];
}

/** Name of the port of every container that has metrics. */
const PORT = "metrics";

/** What the Prometheus Operator adds to every target, and names otherwise on each engine. */
const added = ["container", "endpoint", "pod"];

const podName = copy("__meta_kubernetes_pod_name", "instance");

/** Of one pod whose series go on in the next: its Deployment's name. */
const alone = (name: string): Relabel => set("instance", name);

/** The catalogue's names, those of the users' own queries among them. */
const catalogue = "pgplatform_.+";

/** Each says its role by itself, in the catalogue's queries. */
function instances({ settings: { cluster }, engine, cluster: plan }: Monitored): Scrape {
  const { prefix, lastError, connected, labels: own, instance } = engine.exporter;
  return {
    job: "instances",
    namespace: cluster.namespace,
    pods: plan.metricsPods?.labels ?? engine.instancePods.labels(cluster.name),
    path: "/metrics",
    target: [instance === undefined ? podName : copy(podLabel(instance), "instance")],
    samples: [
      renamed(lastError, exporterMetrics.lastError),
      renamed(connected, exporterMetrics.connected),
      ...(prefix === undefined
        ? []
        : [
            {
              from: ["__name__"],
              regex: `${prefix}(${catalogue})`,
              to: "__name__",
              replacement: "$1",
            },
          ]),
      keepOnly("__name__", [catalogue]),
      without(own),
    ],
  };
}

const poolers = ({ settings: { cluster } }: Monitored): Scrape => ({
  job: "poolers",
  namespace: cluster.namespace,
  pods: { "app.kubernetes.io/name": "pgbouncer", [clusterLabel]: cluster.name },
  path: "/metrics",
  target: [
    podName,
    {
      from: [podLabel("app.kubernetes.io/instance")],
      regex: poolerName(literally(cluster.name), "(.+)"),
      to: "pooler",
      replacement: "$1",
    },
  ],
  samples: [
    { from: ["__name__"], to: "__name__", ...totals },
    keepOnly(
      "__name__",
      poolerMetrics.map(({ name }) => name),
    ),
  ],
});

/** Of a pod that serves files. */
const served = (
  job: Job,
  name: string,
  pods: Labels,
  { settings: { cluster } }: Monitored,
  names: string,
): Scrape => ({
  job,
  namespace: cluster.namespace,
  pods,
  path: "/metrics.txt",
  target: [alone(name)],
  samples: [keepOnly("__name__", [names])],
});

export function scrapesOf(monitored: Monitored): Scrape[] {
  const { settings, engine } = monitored;
  const { cluster, operator, backup } = settings;
  const { name } = cluster;
  const watch = roleLabels(name, backupRoles.watch);
  return [
    instances(monitored),
    ...(settings.poolers.length > 0 ? [poolers(monitored)] : []),
    ...((backup?.targets.length ?? 0) > 0
      ? [served("backups", backupNames.watch(name), watch, monitored, "pgplatform_backup_.+")]
      : []),
    served(
      "monitor",
      monitor.name(name),
      monitor.labels(name),
      monitored,
      "pgplatform_(?:certificate|pooler)_.+",
    ),
    // Another stack that installs the operator has its samples collected.
    ...(engine.operatorMetrics && operator.install
      ? [
          {
            job: "operator" as const,
            ...engine.operatorMetrics,
            path: "/metrics",
            target: [podName],
            samples: [
              keepOnly(
                "__name__",
                operatorMetrics.map(({ name }) => name),
              ),
            ],
          },
        ]
      : []),
  ];
}

/** All steps for a target; the operator is of all clusters. */
export const targetSteps = ({ job, target }: Scrape, { cluster }: Settings): Relabel[] => [
  copy("__meta_kubernetes_namespace", "namespace"),
  ...(job === "operator" ? [] : [set("cluster", cluster.name)]),
  ...target,
  set("job", jobs[job]),
  without(added),
];

/** For the Prometheus Operator. */
export function podMonitor(scrape: Scrape, settings: Settings, labels: Labels): KubernetesObject {
  const { cluster } = settings;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: {
      name: `${cluster.name}-${scrape.job}`,
      namespace: cluster.namespace,
      labels: { ...labels, [clusterLabel]: cluster.name },
    },
    spec: {
      namespaceSelector: { matchNames: [scrape.namespace] },
      selector: { matchLabels: scrape.pods },
      podMetricsEndpoints: [
        {
          port: PORT,
          path: scrape.path,
          relabelings: targetSteps(scrape, settings).map(inMonitor),
          metricRelabelings: scrape.samples.map(inMonitor),
        },
      ],
    },
  };
}

/** For a Prometheus' own configuration. */
export const scrapeConfig = (scrape: Scrape, settings: Settings) => ({
  job_name: `${settings.cluster.namespace}-${settings.cluster.name}-${scrape.job}`,
  metrics_path: scrape.path,
  kubernetes_sd_configs: [
    {
      role: "pod",
      namespaces: { names: [scrape.namespace] },
      selectors: [
        {
          role: "pod",
          label: Object.entries(scrape.pods)
            .map(([key, value]) => `${key}=${value}`)
            .join(","),
        },
      ],
    },
  ],
  relabel_configs: [
    keepOnly("__meta_kubernetes_pod_container_port_name", [PORT]),
    { from: ["__meta_kubernetes_pod_phase"], regex: "Failed|Succeeded", action: "drop" as const },
    ...targetSteps(scrape, settings),
  ].map(inPrometheus),
  metric_relabel_configs: scrape.samples.map(inPrometheus),
});
