import type { Settings } from "../../../stacks/schema";
import type { Credential, Endpoint, KubernetesObject, Plan, PlannedObject } from "../../engine";
import { clusterLabel, durabilityAnnotation, poolerName, secretNames, serviceHost } from "../../names";
import { credentialsOf, poolerLookup } from "../../postgres/roles";
import { poolerLoginQuery } from "../../postgres/sql/lookup";
import { accessRules } from "./access";
import { flows, instancePeer } from "./flows";
import {
  apiVersion,
  instanceLabels,
  operatorSecret,
  podAccount,
  ports,
  replicator,
  services,
  spreadAnnotation,
  standbyLabels,
  superuser,
  user,
} from "./names";
import { parametersOf } from "./parameters";
import { sqlObjects } from "./sql";
import { timings } from "./timing";

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

function clusterObject(settings: Settings): KubernetesObject {
  const { cluster, images, labels } = settings;
  const synchronous = cluster.durability !== "async";
  return {
    apiVersion,
    kind: "postgresql",
    metadata: {
      name: cluster.name,
      namespace: cluster.namespace,
      labels: { ...labels, [clusterLabel]: cluster.name },
      annotations: { [durabilityAnnotation]: cluster.durability, [spreadAnnotation]: cluster.spread },
    },
    spec: {
      teamId: "pgplatform",
      numberOfInstances: cluster.instances,
      dockerImage: images.postgresql,
      spiloRunAsUser: user.id,
      spiloRunAsGroup: user.group,
      spiloFSGroup: user.group,
      postgresql: { version: cluster.postgresVersion, parameters: parametersOf(settings) },
      patroni: {
        ...timings[cluster.failover],
        maximum_lag_on_failover: MAXIMUM_LAG_BYTES,
        // A primary that loses the API server goes on for as long as all standbys answer it.
        failsafe_mode: true,
        synchronous_mode: synchronous,
        synchronous_mode_strict: cluster.durability === "zero-loss",
        ...(synchronous && { synchronous_node_count: cluster.synchronousStandbys }),
        initdb: initdb(cluster),
        pg_hba: accessRules(cluster),
      },
      volume: {
        size: cluster.storage.size,
        ...(cluster.storage.class !== undefined && { storageClass: cluster.storage.class }),
      },
      resources: cluster.resources,
      tls: { secretName: serverSecret(cluster.name) },
      enableMasterLoadBalancer: false,
      enableReplicaLoadBalancer: false,
    },
  };
}

const serverSecret = (cluster: string): string => `${cluster}-server`;

/** The account of the instances' pods: the operator would make it too, but without the logins at private registries. */
function accountObjects({ cluster, registries }: Settings): PlannedObject[] {
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

const anyService = ({ cluster }: Settings): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: services.any(cluster.name),
    namespace: cluster.namespace,
    labels: { [clusterLabel]: cluster.name },
  },
  spec: {
    type: "ClusterIP",
    selector: instanceLabels(cluster.name),
    ports: [
      { name: "postgres", port: ports.postgres, targetPort: ports.postgres, protocol: "TCP" },
      { name: "patroni", port: ports.status, targetPort: ports.status, protocol: "TCP" },
    ],
  },
});

/** Names of the Services, as clients may spell them; poolers show the servers' certificate. */
function tlsNames({ cluster, poolers }: Settings): string[] {
  return [
    ...Object.values(services).map((service) => service(cluster.name)),
    ...poolers.map(({ name }) => poolerName(cluster.name, name)),
  ].flatMap((service) => {
    const host = serviceHost(service, cluster.namespace);
    return [service, `${service}.${cluster.namespace}`, host, `${host}.cluster.local`];
  });
}

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

export function plan(settings: Settings): Plan {
  const { cluster, tier } = settings;
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
        timeoutMinutes: BOOTSTRAP_MINUTES,
        ...(tier === "prod" && { protect: "clients would lose their database" }),
      },
      // The Service counts as ready when an instance is.
      { id: "service-any", stage: 2, object: anyService(settings) },
      ...staged(standbyBudget(settings), 2),
      ...staged(sqlObjects(settings), 3),
    ],
    credentials: [
      ...systemCredentials(settings),
      ...credentialsOf(settings, { [clusterLabel]: cluster.name }),
    ],
    endpoints: {
      primary: endpoint(services.primary(cluster.name)),
      standbys: endpoint(services.standbys(cluster.name)),
      any: endpoint(services.any(cluster.name)),
    },
    tls: {
      issuer: "platform",
      names: tlsNames(settings),
      authority: { secretName: `${cluster.name}-ca`, key: "ca.crt" },
      server: {
        secretName: serverSecret(cluster.name),
        certificateKey: "tls.crt",
        privateKeyKey: "tls.key",
      },
    },
    pods: instancePeer(cluster),
    ports: { postgres: ports.postgres, metrics: ports.metrics },
    poolerLogin: { role: poolerLookup(settings), database: "postgres", query: poolerLoginQuery },
    flows: flows(settings),
  };
}
