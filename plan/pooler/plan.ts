import { asset } from "../../shell/asset";
import { createHash } from "node:crypto";
import type { Images, PoolerSettings, Settings } from "../../settings/schema";
import type { KubernetesObject, PlannedObject } from "../objects";
import { type Endpoint, type Flow, type Peer, tcp } from "../network";
import type { Credential, Plan } from "../plan";
import {
  clusterLabel,
  poolerLabels,
  poolerName,
  poolerPeersName,
  poolerPorts,
  roles,
  secretNames,
  serviceHost,
  topologyKeys,
} from "../names";
import { bytesOf } from "../../settings/quantity";
import { poolerFiles, poolerMemory } from "../../settings/sums/poolers";
import { environment, exporterResources, hardened, type Owner, restrictedPod } from "../containers";
import { topologySpread } from "../scheduling";
import { logsConnections } from "../postgres/logging";
import { holdVariables, paths, pgbouncerHba, pgbouncerIni } from "./configuration";

export interface PoolerPlan {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly pods: Peer;
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

/** The settings' images that a pooler's pods run. */
export const poolerImages = ["pgbouncer", "pgbouncerExporter"] as const satisfies readonly (keyof Images)[];

/** User and group that the PgBouncer images run as; the exporter joins them to share the socket. */
const owner: Owner = { user: 998, group: 996 };
/** How long the pod keeps running after SIGTERM, until no proxy sends it new clients. */
const LEAVE_SECONDS = 3;
const WATCH_SECONDS = 2;
/** How long a leaving pod sends clients away while they are idle, before it sends all away; PgBouncer looks three times a second. */
const IDLE_SECONDS = 3;

const scripts = ["run.sh", "peers.sh", "cancels.sh", "hold.sh"] as const;
const scriptFiles = Object.fromEntries(scripts.map((name) => [name, asset(__dirname, name)]));

const userlist = "userlist.txt";

/** The password of PgBouncer's statistics role, with the exporter's way to it; one for all poolers of a cluster. */
export const poolerCredentials = ({ cluster, poolers }: Settings): Credential[] =>
  poolers.length === 0
    ? []
    : [
        {
          id: "pooler-stats",
          role: roles.poolerStats,
          secretName: secretNames.poolerStats(cluster.name),
          type: "kubernetes.io/basic-auth",
          labels: { [clusterLabel]: cluster.name },
          extraKeys: {
            connection: `host=${paths.socket} port=${poolerPorts.postgres} user=${roles.poolerStats} password={password:pooler-stats} dbname=pgbouncer sslmode=disable`,
          },
          why: "the metrics exporter beside each PgBouncer, over their shared socket",
        },
      ];

function pgbouncerContainer(settings: Settings, own: PoolerSettings, plan: Plan) {
  const files = poolerFiles(own);
  const watched = [
    `${paths.certificate}/tls.crt`,
    `${paths.certificate}/tls.key`,
    `${paths.ca}/ca.crt`,
    `${paths.users}/${userlist}`,
  ];
  const variables = {
    POOLER_CONFIG: `${paths.config}/pgbouncer.ini`,
    POOLER_WATCH: watched.join(" "),
    POOLER_WATCH_SECONDS: String(WATCH_SECONDS),
    POOLER_LEAVE_SECONDS: String(LEAVE_SECONDS),
    POOLER_IDLE_SECONDS: String(IDLE_SECONDS),
    POOLER_DRAIN_SECONDS: String(own.tuning.drainSeconds),
    POOLER_FILES: String(files.needed),
    POOLER_FILES_SUM: files.sum,
    POOLER_LOG_ENDS: String(logsConnections(settings)),
    POOLER_RUN: paths.socket,
    POOLER_PORT: String(poolerPorts.postgres),
    POOLER_PEERS: poolerPeersName(settings.cluster.name, own.name),
    ...holdVariables(own, plan),
  };
  const memory = bytesOf(own.memory ?? "") ?? poolerMemory(own);
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}Mi`;
  const port = { tcpSocket: { port: "postgres" } };
  return {
    name: "pgbouncer",
    image: settings.images.pgbouncer,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/bash", `${paths.config}/run.sh`],
    env: [
      ...environment(variables),
      { name: "POOLER_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    ],
    // Why it can't start is then what the pod says, too.
    terminationMessagePolicy: "FallbackToLogsOnError",
    ports: [{ name: "postgres", containerPort: poolerPorts.postgres, protocol: "TCP" }],
    resources: {
      requests: { cpu: "50m", memory: mebibytes(memory / 2) },
      limits: { cpu: "1", memory: mebibytes(memory) },
    },
    securityContext: hardened,
    startupProbe: { ...port, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...port, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...port, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    volumeMounts: [
      { name: "config", mountPath: paths.config, readOnly: true },
      { name: "certificate", mountPath: paths.certificate, readOnly: true },
      { name: "ca", mountPath: paths.ca, readOnly: true },
      { name: "users", mountPath: paths.users, readOnly: true },
      { name: "socket", mountPath: paths.socket },
    ],
  };
}

function exporterContainer(settings: Settings) {
  return {
    name: "exporter",
    image: settings.images.pgbouncerExporter,
    imagePullPolicy: "IfNotPresent",
    env: [
      {
        name: "PGBOUNCER_EXPORTER_CONNECTION_STRING",
        valueFrom: {
          secretKeyRef: { name: secretNames.poolerStats(settings.cluster.name), key: "connection" },
        },
      },
    ],
    ports: [{ name: "metrics", containerPort: poolerPorts.metrics, protocol: "TCP" }],
    resources: exporterResources(settings, 48, "200m"),
    securityContext: hardened,
    readinessProbe: { tcpSocket: { port: "metrics" }, periodSeconds: 10 },
    volumeMounts: [{ name: "socket", mountPath: paths.socket }],
  };
}

/** Readable by the pod's group alone. */
const GROUP_READ = 0o440;

function volumes(settings: Settings, name: string, plan: Plan) {
  const { ca, server } = plan.tls;
  const secret = (secretName: string, items: { key: string; path: string }[]) => ({
    secret: { secretName, items, defaultMode: GROUP_READ },
  });
  return [
    { name: "config", configMap: { name, defaultMode: 0o444 } },
    {
      name: "certificate",
      ...secret(server.secretName, [
        { key: server.certificateKey, path: "tls.crt" },
        { key: server.privateKeyKey, path: "tls.key" },
      ]),
    },
    // The CA's private key may lie in the same Secret: only its certificate is mounted.
    { name: "ca", ...secret(ca.secretName, [{ key: ca.key, path: "ca.crt" }]) },
    {
      name: "users",
      ...secret(secretNames.poolerAuth(settings.cluster.name), [{ key: userlist, path: userlist }]),
    },
    { name: "socket", emptyDir: { sizeLimit: "1Mi" } },
  ];
}

function podSpec(settings: Settings, own: PoolerSettings, name: string, plan: Plan) {
  const selector = { matchLabels: poolerLabels(settings.cluster.name, own.name) };
  const apart = {
    labelSelector: selector,
    topologyKey: topologyKeys.host,
    // Pods of one revision keep apart; a new revision may start beside the old one, so that two nodes are enough.
    matchLabelKeys: ["pod-template-hash"],
  };
  return {
    ...restrictedPod(settings, owner, LEAVE_SECONDS + IDLE_SECONDS + own.tuning.drainSeconds + 5),
    affinity: {
      podAntiAffinity:
        settings.cluster.spread === "required"
          ? { requiredDuringSchedulingIgnoredDuringExecution: [apart] }
          : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: apart }] },
    },
    topologySpreadConstraints: topologySpread(settings.scheduling, selector, {
      matchLabelKeys: ["pod-template-hash"],
    }),
    containers: [pgbouncerContainer(settings, own, plan), exporterContainer(settings)],
    volumes: volumes(settings, name, plan),
  };
}

type Staged = [id: string, stage: number, object: KubernetesObject];

/** Counts PgBouncer's own container, in cores: a share of what it asks for would be a share of almost nothing. */
const autoscaler = (
  { maxInstances, cpuPercent }: NonNullable<PoolerSettings["autoscaling"]>,
  minReplicas: number,
  metadata: KubernetesObject["metadata"],
): Staged => [
  "autoscaler",
  1,
  {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: metadata.name },
      minReplicas,
      maxReplicas: maxInstances,
      metrics: [
        {
          type: "ContainerResource",
          containerResource: {
            name: "cpu",
            container: "pgbouncer",
            target: { type: "AverageValue", averageValue: `${cpuPercent * 10}m` },
          },
        },
      ],
    },
  },
];

/** Everything that one pooler needs; the same for every engine. */
export function poolerPlan(settings: Settings, own: PoolerSettings, plan: Plan): PoolerPlan {
  const { cluster } = settings;
  const name = poolerName(cluster.name, own.name);
  const labels = poolerLabels(cluster.name, own.name);
  const metadata = { name, namespace: cluster.namespace, labels };
  const selector = { matchLabels: labels };
  const files = {
    "pgbouncer.ini": pgbouncerIni(own, plan, { connections: logsConnections(settings) }),
    "pg_hba.conf": pgbouncerHba(own),
    ...scriptFiles,
  };
  const digest = createHash("sha256").update(JSON.stringify(files)).digest("hex");
  const objects: Staged[] = [
    ["config", 0, { apiVersion: "v1", kind: "ConfigMap", metadata, data: files }],
    [
      "disruption-budget",
      0,
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata,
        spec: { maxUnavailable: 1, selector, unhealthyPodEvictionPolicy: "AlwaysAllow" },
      },
    ],
    // The pods' addresses, also of those that aren't ready yet or are leaving: cancels of their clients must arrive.
    [
      "peers",
      0,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...metadata, name: poolerPeersName(cluster.name, own.name) },
        spec: {
          type: "ClusterIP",
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: labels,
          ports: [{ name: "postgres", port: poolerPorts.postgres, targetPort: "postgres", protocol: "TCP" }],
        },
      },
    ],
    [
      "deployment",
      1,
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: {
          replicas: own.instances,
          selector,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: {
              labels: { ...settings.labels, ...labels },
              annotations: { "pgplatform.io/configuration": digest },
            },
            spec: podSpec(settings, own, name, plan),
          },
        },
      },
    ],
    ...(own.autoscaling ? [autoscaler(own.autoscaling, own.instances, metadata)] : []),
    // The Service counts as ready when the pods answer behind it, so that it doesn't wait for the Deployment nor the other way round.
    [
      "service",
      1,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: {
          type: "ClusterIP",
          selector: labels,
          ports: [
            { name: "postgres", port: poolerPorts.service, targetPort: "postgres", protocol: "TCP" },
            { name: "metrics", port: poolerPorts.metrics, targetPort: "metrics", protocol: "TCP" },
          ],
        },
      },
    ],
  ];
  const pods: Peer = {
    kind: "pods",
    name: `pooler-${own.name}`,
    namespace: cluster.namespace,
    labels,
  };
  return {
    name: own.name,
    pods,
    endpoint: { service: name, host: serviceHost(name, cluster.namespace), port: poolerPorts.service },
    objects: objects.map(([id, stage, object]) => ({
      id,
      stage,
      object,
      ...(own.autoscaling &&
        id === "deployment" && { leave: { fields: ["spec.replicas"], to: "the HorizontalPodAutoscaler" } }),
    })),
    flows: [
      {
        name: `pooler-${own.name}-server`,
        from: pods,
        to: plan.pods,
        port: plan.ports.postgres,
        protocol: "TCP",
        why: "the pooler opens its server connections and looks up logins",
      },
      tcp(
        `pooler-${own.name}-peers`,
        pods,
        pods,
        poolerPorts.postgres,
        "a cancel that reaches another pod than its client's is handed on",
      ),
    ],
  };
}
