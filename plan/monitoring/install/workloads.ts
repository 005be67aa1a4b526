import type { EnginePlanner } from "../../engines/planner";
import { bytesOf } from "../../../settings/quantity";
import type { Settings } from "../../../settings/schema";
import { hardened, restricted, restrictedPod, type Owner } from "../../containers";
import { clusterLabel, installedBy, roleLabel, secretNames, serviceHost } from "../../names";
import type { KubernetesObject } from "../../objects";
import { podScheduling } from "../../scheduling";
import {
  apiVersion,
  instance,
  names,
  podLabels,
  ports,
  selectedLabels,
  services,
  watchedNamespaces,
  type Installation,
} from "./names";
import { scrapesKey } from "./scrapes";

/** What runs: the Prometheus Operator and kube-state-metrics, and what the first makes of a Prometheus and an Alertmanager. */

/** User of the upstream images. */
const owner: Owner = { user: 65534, group: 65534 };

export const resources = (memory: string, cpuRequest: string, cpu: string) => ({
  requests: { cpu: cpuRequest, memory },
  limits: { cpu, memory },
});

/** The memory limit also bounds Go's collector, which would otherwise let the heap double first. */
export const goMemory = (memory: string) => ({
  name: "GOMEMLIMIT",
  value: `${Math.floor(((bytesOf(memory) ?? 0) * 0.9) / 2 ** 20)}MiB`,
});

function deployment(
  settings: Settings,
  { namespace }: Installation,
  part: "operator" | "kubeStateMetrics",
  container: Record<string, unknown>,
): KubernetesObject {
  const { cluster } = settings;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: names[part],
      namespace,
      labels: podLabels[part],
      // A second stack that would install another one is refused by this.
      annotations: { [installedBy]: `${cluster.namespace}/${cluster.name}` },
    },
    spec: {
      replicas: 1,
      // Two of them would do the same work, or count the same twice.
      strategy: { type: "Recreate" },
      selector: { matchLabels: podLabels[part] },
      template: {
        metadata: { labels: podLabels[part] },
        spec: {
          ...restrictedPod(settings, owner, 10),
          automountServiceAccountToken: true,
          serviceAccountName: names[part],
          containers: [{ name: names[part], securityContext: hardened, ...container }],
        },
      },
    },
  };
}

const operatorMemory = "80Mi";
const reloader = { cpu: "10m", cpuLimit: "100m", memory: "32Mi" } as const;

export function operatorDeployment(settings: Settings, installation: Installation): KubernetesObject {
  const { namespace } = installation;
  return deployment(settings, installation, "operator", {
    image: settings.images.prometheusOperator,
    args: [
      `--namespaces=${watchedNamespaces(settings, installation).join(",")}`,
      ...["prometheus-instance", "alertmanager-instance", "alertmanager-config", "thanos-ruler-instance"].map(
        (what) => `--${what}-namespaces=${namespace}`,
      ),
      `--prometheus-config-reloader=${settings.images.prometheusConfigReloader}`,
      `--config-reloader-cpu-request=${reloader.cpu}`,
      `--config-reloader-cpu-limit=${reloader.cpuLimit}`,
      `--config-reloader-memory-request=${reloader.memory}`,
      `--config-reloader-memory-limit=${reloader.memory}`,
      "--kubelet-endpoints=false",
      "--disable-unmanaged-prometheus-configuration",
    ],
    env: [{ name: "GOGC", value: "30" }, goMemory(operatorMemory)],
    ports: [{ name: "http", containerPort: ports.operator }],
    resources: resources(operatorMemory, "10m", "500m"),
    readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 5 },
  });
}

/** Labels of pods that a series about a pod has beside its name: of which cluster it is, and as what. */
function podLabelKeys(engine: EnginePlanner, cluster: string): string[] {
  const { instancePods } = engine;
  return [
    ...new Set([
      ...Object.keys(instancePods.labels(cluster)),
      ...(instancePods.role ? [instancePods.role.label] : []),
      clusterLabel,
      roleLabel,
      "app.kubernetes.io/name",
      "app.kubernetes.io/instance",
    ]),
  ];
}

const stateMemory = "80Mi";

export function stateDeployment(
  settings: Settings,
  installation: Installation,
  engine: EnginePlanner,
): KubernetesObject {
  const watched = watchedNamespaces(settings, installation);
  return deployment(settings, installation, "kubeStateMetrics", {
    image: settings.images.kubeStateMetrics,
    args: [
      "--resources=cronjobs,deployments,jobs,nodes,persistentvolumeclaims,pods,statefulsets",
      `--namespaces=${[...new Set([...watched, ...(engine.operatorNamespace === undefined ? [] : [engine.operatorNamespace])])].join(",")}`,
      `--metric-labels-allowlist=pods=[${podLabelKeys(engine, settings.cluster.name).join(",")}]`,
    ],
    env: [goMemory(stateMemory)],
    ports: [
      { name: "http", containerPort: ports.kubeStateMetrics },
      { name: "telemetry", containerPort: ports.kubeStateMetrics + 1 },
    ],
    resources: resources(stateMemory, "10m", "200m"),
    readinessProbe: { httpGet: { path: "/readyz", port: "telemetry" }, periodSeconds: 5 },
  });
}

/** Fields that the Prometheus Operator hands to the pods of both. */
const pods = (settings: Settings) => ({
  podMetadata: { labels: { "app.kubernetes.io/part-of": "pgplatform" } },
  securityContext: restricted(settings, owner),
  ...podScheduling(settings.scheduling),
  ...(settings.registries.length > 0 && {
    imagePullSecrets: [{ name: secretNames.registries(settings.cluster.name) }],
  }),
});

const volume = (size: string, storageClass: string | undefined) => ({
  volumeClaimTemplate: {
    spec: {
      ...(storageClass !== undefined && { storageClassName: storageClass }),
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: size } },
    },
  },
});

const inSecret = (key: string) => ({ name: names.tls, key });

/** How a page is served. */
const served = ({ install }: Installation) =>
  install.tls && {
    web: { tlsConfig: { keySecret: inSecret("tls.key"), cert: { secret: inSecret("tls.crt") } } },
  };

/** How it is asked. */
const asked = (part: keyof typeof services, { namespace, install }: Installation) =>
  install.tls && {
    scheme: "https",
    tlsConfig: {
      ca: { secret: inSecret("ca.crt") },
      serverName: serviceHost(services[part], namespace),
    },
  };

/** The part of its volume that Prometheus fills; the rest is for what it is writing. */
const FILLED = 0.85;

/** Versions for which the Prometheus Operator writes arguments and configuration; every image must understand them. */
export const versions = { prometheus: "2.53.0", alertmanager: "0.28.0" } as const;

export function prometheusObject(settings: Settings, installation: Installation): KubernetesObject {
  const { namespace, install } = installation;
  const { storage, memory, cpu, retentionDays, scrapeSeconds } = install;
  const selected = { matchLabels: selectedLabels };
  const filled = Math.floor(((bytesOf(storage.size) ?? 0) * FILLED) / 2 ** 20);
  return {
    apiVersion,
    kind: "Prometheus",
    metadata: { name: instance, namespace },
    spec: {
      ...pods(settings),
      replicas: 1,
      image: settings.images.prometheus,
      version: versions.prometheus,
      serviceAccountName: names.prometheus,
      serviceDiscoveryRole: "EndpointSlice",
      // Which of the namespaces, the Prometheus Operator is told.
      ...Object.fromEntries(
        ["podMonitor", "serviceMonitor", "rule"].flatMap((what) => [
          [`${what}Selector`, selected],
          [`${what}NamespaceSelector`, {}],
        ]),
      ),
      // A monitor names no file of Prometheus' own, its token for one.
      arbitraryFSAccessThroughSMs: { deny: true },
      ...(install.kubelet !== "none" && { additionalScrapeConfigs: scrapesKey }),
      scrapeInterval: `${scrapeSeconds}s`,
      // More than some slow queries take together; it can't be longer than the interval.
      scrapeTimeout: `${Math.min(scrapeSeconds, 25)}s`,
      evaluationInterval: `${scrapeSeconds}s`,
      // Names and labels are the same for who asks this Prometheus and who asks the user's own.
      prometheusExternalLabelName: "",
      replicaExternalLabelName: "",
      retention: `${retentionDays}d`,
      retentionSize: `${filled}MB`,
      storage: volume(storage.size, storage.class ?? settings.cluster.storage.class),
      resources: resources(memory, "50m", cpu),
      ...served(installation),
      alerting: {
        alertmanagers: [
          { namespace, name: services.alertmanager, port: "web", ...asked("alertmanager", installation) },
        ],
      },
    },
  };
}

export const alertmanagerObject = (
  settings: Settings,
  installation: Installation,
  hasSecrets: boolean,
): KubernetesObject => ({
  apiVersion,
  kind: "Alertmanager",
  metadata: { name: instance, namespace: installation.namespace },
  spec: {
    ...pods(settings),
    ...served(installation),
    replicas: 1,
    image: settings.images.alertmanager,
    version: versions.alertmanager,
    serviceAccountName: names.alertmanager,
    automountServiceAccountToken: false,
    configSecret: names.configuration,
    ...(hasSecrets && { secrets: [names.receivers] }),
    // Silences outlive its pod.
    storage: volume("1Gi", installation.install.storage.class ?? settings.cluster.storage.class),
    resources: resources("64Mi", "10m", "200m"),
  },
});

/** A monitor of the installed pods themselves. */
export const podMonitor = (
  part: keyof typeof podLabels,
  installation: Installation,
  port: string,
  more: Record<string, unknown> = {},
): KubernetesObject => ({
  apiVersion,
  kind: "PodMonitor",
  metadata: { name: names[part], namespace: installation.namespace, labels: selectedLabels },
  spec: {
    selector: { matchLabels: podLabels[part] },
    jobLabel: "app.kubernetes.io/name",
    podMetricsEndpoints: [
      { port, ...(part in services && asked(part as keyof typeof services, installation)), ...more },
    ],
  },
});

/** The alert that always fires: while it arrives, the way from Prometheus to a receiver works. */
export const watchdog = ({ namespace }: Installation): KubernetesObject => ({
  apiVersion,
  kind: "PrometheusRule",
  metadata: { name: "watchdog", namespace, labels: selectedLabels },
  spec: {
    groups: [
      {
        name: "watchdog",
        rules: [
          {
            alert: "Watchdog",
            expr: "vector(1)",
            labels: { severity: "none" },
            annotations: {
              summary: "Alerts arrive",
              description:
                "This alert always fires. When it doesn't arrive any more, no other alert does either.",
            },
          },
        ],
      },
    ],
  },
});
