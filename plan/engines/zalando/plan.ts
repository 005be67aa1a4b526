import type { Settings } from "../../../settings/schema";
import { locationOf, storesOf } from "../../backup/store";
import { creationMinutes } from "../../backup/restore";
import type { KubernetesObject, PlannedObject } from "../../objects";
import type { Endpoint } from "../../network";
import type { Credential, Plan } from "../../plan";
import {
  archiveAnnotation,
  clusterLabel,
  durabilityAnnotation,
  poolerTlsNames,
  roles,
  secretNames,
  serviceHost,
  tlsNames,
} from "../../names";
import { copyMinutes, dataBytes } from "../../../settings/sums/sizes";
import { credentialsOf, fromSource, poolerLookup } from "../../postgres/roles";
import { poolerLoginQuery } from "../../postgres/sql/lookup";
import { podScheduling } from "../../scheduling";
import { serverSecret, tlsOf } from "../../tls";
import { accessRules } from "./access";
import { backupVariables, backupVolumes } from "./backup";
import { exporterLabels, exporterObjects, exporterPeer, exporterTlsNames } from "./exporter";
import { flows, instancePeer } from "./flows";
import { follower, logVolume } from "./follower";
import {
  apiVersion,
  instanceLabels,
  metricsSecret,
  operatorSecret,
  podAccount,
  ports,
  replicator,
  services,
  spreadAnnotation,
  standbyLabels,
  superuser,
} from "./names";
import { server } from "./image";
import { parametersOf } from "./parameters";
import { sqlObjects } from "./sql";
import { timings } from "./timing";
import type { Postgresql } from "./resources";

const BOOTSTRAP_MINUTES = 20;

/** How far behind a standby may be and still take over, where replication is not synchronous. */
const MAXIMUM_LAG_BYTES = 32 * 2 ** 20;

/** Passwords by SCRAM from the first start on, checksums, and a sort order that belongs to PostgreSQL, where it can. */
const initdb = ({ postgresVersion }: Settings["cluster"]): Record<string, string> => ({
  "auth-host": "scram-sha-256",
  "auth-local": "peer",
  encoding: "UTF8",
  locale: "C.UTF-8",
  "data-checksums": "true",
  ...(Number(postgresVersion) >= 17 && { "locale-provider": "builtin", "builtin-locale": "C.UTF-8" }),
});

/** Slots that Patroni makes, and keeps on every instance. */
const slotsOf = ({ slots, databases }: Settings["cluster"]) =>
  Object.fromEntries(
    slots.map(({ name, database = databases[0]?.name ?? "postgres", plugin }) => [
      name,
      { type: "logical" as const, database, plugin },
    ]),
  );

/** The operator's object has no selector of nodes: the same by affinity. */
function scheduled({ cluster }: Settings) {
  const { nodeSelector = {}, tolerations, priorityClassName } = podScheduling(cluster.scheduling);
  const matchExpressions = Object.entries(nodeSelector).map(([key, value]) => ({
    key,
    operator: "In",
    values: [value],
  }));
  return {
    ...(matchExpressions.length > 0 && {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
      },
    }),
    ...(tolerations && { tolerations }),
    ...(priorityClassName !== undefined && { podPriorityClassName: priorityClassName }),
  };
}

function clusterObject(settings: Settings): Postgresql {
  const { cluster, images, labels } = settings;
  const synchronous = cluster.durability !== "async";
  const [archive] = storesOf(settings);
  const variables = backupVariables(settings);
  return {
    apiVersion,
    kind: "postgresql",
    metadata: {
      name: cluster.name,
      namespace: cluster.namespace,
      labels: { ...labels, [clusterLabel]: cluster.name },
      annotations: {
        [durabilityAnnotation]: cluster.durability,
        [spreadAnnotation]: cluster.spread,
        ...(archive && { [archiveAnnotation]: locationOf(archive) }),
      },
    },
    spec: {
      teamId: "pgplatform",
      numberOfInstances: cluster.instances,
      dockerImage: images.postgresql,
      spiloRunAsUser: server.user,
      spiloRunAsGroup: server.group,
      spiloFSGroup: server.group,
      postgresql: { version: cluster.postgresVersion, parameters: parametersOf(settings) },
      patroni: {
        ...timings[cluster.failover],
        maximum_lag_on_failover: MAXIMUM_LAG_BYTES,
        // A primary that loses the API server stays primary for as long as all standbys answer it.
        failsafe_mode: true,
        synchronous_mode: synchronous,
        synchronous_mode_strict: cluster.durability === "zero-loss",
        ...(synchronous && { synchronous_node_count: cluster.synchronousStandbys }),
        initdb: initdb(cluster),
        pg_hba: accessRules(settings),
        ...(cluster.slots.length > 0 && { slots: slotsOf(cluster) }),
      },
      volume: {
        size: cluster.storage.size,
        ...(cluster.storage.class !== undefined && { storageClass: cluster.storage.class }),
      },
      resources: cluster.resources,
      ...scheduled(settings),
      tls: { secretName: serverSecret(settings) },
      ...(variables.length > 0 && { env: variables }),
      additionalVolumes: [...backupVolumes(settings), logVolume],
      sidecars: [follower(settings)],
      enableMasterLoadBalancer: false,
      enableReplicaLoadBalancer: false,
    },
  };
}

/**
 * The account of the instances' pods: the operator would make it too, but without the logins at private registries. In a namespace that was
 * there already the operator makes it, or another cluster has: all of its clusters in a namespace share it.
 */
function accountObjects(settings: Settings): PlannedObject[] {
  const { cluster, registries } = settings;
  if (!cluster.makeNamespace) return [];
  const metadata = {
    name: podAccount,
    namespace: cluster.namespace,
    labels: { [clusterLabel]: cluster.name },
  };
  return [
    {
      id: "account",
      stage: 0,
      object: {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata,
        ...(registries.length > 0 && { imagePullSecrets: [{ name: secretNames.registries(cluster.name) }] }),
      },
    },
    {
      id: "account-role",
      stage: 0,
      object: {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: podAccount },
        subjects: [{ kind: "ServiceAccount", name: podAccount, namespace: cluster.namespace }],
      },
    },
  ];
}

/** The operator's own budget keeps the primary; this one lets one standby go at a time. */
const standbyBudget = ({ cluster }: Settings): Omit<PlannedObject, "stage">[] =>
  cluster.instances === 1
    ? []
    : [
        {
          id: "standby-budget",
          waitFor: `jsonpath={.status.currentHealthy}=${cluster.instances - 1}`,
          object: {
            apiVersion: "policy/v1",
            kind: "PodDisruptionBudget",
            metadata: {
              name: `${cluster.name}-standbys`,
              namespace: cluster.namespace,
              labels: { [clusterLabel]: cluster.name },
            },
            spec: {
              // A number of pods that may be missing would count the primary's pod too, which the selector leaves out.
              minAvailable: cluster.instances - 2,
              selector: { matchLabels: standbyLabels(cluster.name) },
              unhealthyPodEvictionPolicy: "AlwaysAllow",
            },
          },
        },
      ];

function service(
  { cluster }: Settings,
  name: string,
  selector: Readonly<Record<string, string>>,
  open: Readonly<Record<string, number>>,
  annotations?: Record<string, string>,
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
      ...(annotations && { annotations }),
    },
    spec: {
      type: "ClusterIP",
      selector,
      ports: Object.entries(open).map(([of, port]) => ({
        name: of,
        port,
        targetPort: port,
        protocol: "TCP",
      })),
    },
  };
}

/** That of any instance counts as ready when an instance is; the exporters come after it. */
const serviceObjects = (settings: Settings): Omit<PlannedObject, "stage">[] => [
  {
    id: "service-any",
    object: service(settings, services.any(settings.cluster.name), instanceLabels(settings.cluster.name), {
      postgres: ports.postgres,
      patroni: ports.status,
    }),
  },
  {
    id: "service-metrics",
    object: service(
      settings,
      services.metrics(settings.cluster.name),
      exporterLabels(settings.cluster.name),
      { metrics: ports.metrics },
      {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": String(ports.metrics),
        "prometheus.io/path": "/metrics",
        "pulumi.com/skipAwait": "true",
      },
    ),
  },
];

/** The operator and its pods take these two as they find them, and would make up what isn't there. */
function systemCredentials({ cluster }: Settings): Credential[] {
  const credential = (id: string, role: string, why: string): Credential => ({
    id,
    role,
    secretName: operatorSecret(cluster.name, role),
    type: "Opaque",
    labels: { ...instanceLabels(cluster.name), [clusterLabel]: cluster.name },
    extraKeys: {},
    why,
  });
  return [
    credential("superuser", superuser, "Patroni, and the platform's SQL: the superuser"),
    credential("replication", replicator, "standbys that stream from the primary"),
  ];
}

function metricsCredential(settings: Settings): Credential {
  const { name } = settings.cluster;
  const own: Credential = {
    id: "metrics",
    role: roles.metrics,
    secretName: metricsSecret(name),
    type: "kubernetes.io/basic-auth",
    labels: { [clusterLabel]: name },
    extraKeys: {},
    why: "the metrics exporters, one for each instance",
  };
  return fromSource(settings, own) ?? own;
}

export function plan(settings: Settings): Plan {
  const { cluster } = settings;
  const endpoint = (service: string): Endpoint => ({
    service,
    host: serviceHost(service, cluster.namespace),
    port: ports.postgres,
  });
  const staged = (objects: readonly Omit<PlannedObject, "stage">[], stage: number): PlannedObject[] =>
    objects.map((one) => ({ ...one, stage }));
  return {
    objects: [
      ...accountObjects(settings),
      {
        id: "cluster",
        stage: 1,
        object: clusterObject(settings),
        waitFor: "jsonpath={.status.PostgresClusterStatus}=Running",
        timeoutMinutes: copyMinutes(dataBytes(cluster), BOOTSTRAP_MINUTES),
        createMinutes: creationMinutes(settings, BOOTSTRAP_MINUTES),
      },
      ...staged(serviceObjects(settings), 2),
      ...staged(standbyBudget(settings), 2),
      ...staged(sqlObjects(settings), 3),
      ...staged(exporterObjects(settings), 3),
    ],
    credentials: [
      ...systemCredentials(settings),
      ...credentialsOf(settings, { [clusterLabel]: cluster.name }),
      metricsCredential(settings),
    ],
    endpoints: {
      primary: endpoint(services.primary(cluster.name)),
      standbys: endpoint(services.standbys(cluster.name)),
      any: endpoint(services.any(cluster.name)),
    },
    tls: tlsOf(settings, [
      ...[services.primary, services.standbys, services.any].flatMap((name) =>
        tlsNames(name(cluster.name), cluster.namespace),
      ),
      ...poolerTlsNames(settings),
      ...exporterTlsNames(cluster),
    ]),
    pods: instancePeer(cluster),
    metricsPods: exporterPeer(cluster),
    ports: { postgres: ports.postgres, metrics: ports.metrics },
    poolerLogin: { role: poolerLookup(settings), database: "postgres", query: poolerLoginQuery },
    flows: flows(settings),
  };
}
