import type { Settings } from "../../../stacks/schema";
import type { Credential, Endpoint, KubernetesObject, Plan, PlannedObject } from "../../engine";
import { clusterLabel, poolerName, roles, secretNames, serviceHost } from "../../names";
import { clusterPods, flows } from "./flows";
import { apiVersion, instanceLabels, ports } from "./names";
import { parametersOf } from "./parameters";
import { poolerLoginQuery, postInitApplicationSql, postInitSql } from "./sql";
import { timings } from "./timing";

/** The last rule wins over the operator's own `host all all all`, which follows it. */
const hostBasedAccess = ["hostssl all all all scram-sha-256", "hostnossl all all all reject"];

/**
 * A stop is a fast one from the start. Waiting for sessions to leave by themselves waits for nothing where poolers keep them open; and a
 * pod that is deleted by force has 2 s in all: enough to stop PostgreSQL and to release the lease, if no second is given away.
 */
const stopping = { smartShutdownTimeout: 0, stopDelay: 120, switchoverDelay: 60 };

const BOOTSTRAP_MINUTES = 20;

function synchronousOf({ cluster }: Settings): Record<string, unknown> {
  if (cluster.durability === "async") return {};
  const zeroLoss = cluster.durability === "zero-loss";
  return {
    synchronous: {
      method: "any",
      number: cluster.synchronousStandbys,
      dataDurability: zeroLoss ? "required" : "preferred",
      // With `preferred` a quorum could elect a standby that an acknowledged commit has not reached.
      failoverQuorum: zeroLoss,
    },
  };
}

/** Roles that the operator keeps as described, passwords included. */
function managedRoles(settings: Settings): Record<string, unknown>[] {
  const { cluster } = settings;
  const first = cluster.databases[0]?.owner;
  const owners = [...new Set(cluster.databases.map(({ owner }) => owner))].map((owner) => ({
    name: owner,
    ensure: "present",
    login: true,
    passwordSecret: {
      name: owner === first ? secretNames.application(cluster.name) : secretNames.owner(cluster.name, owner),
    },
  }));
  const own = (name: string, secretName: string, more: Record<string, unknown> = {}) => ({
    name,
    ensure: "present",
    login: true,
    ...more,
    passwordSecret: { name: secretName },
  });
  return [
    ...owners,
    own(roles.admin, secretNames.admin(cluster.name), { createdb: true, createrole: true }),
    own(roles.pooler, secretNames.poolerAuth(cluster.name)),
  ];
}

function clusterObject(settings: Settings, names: readonly string[]): KubernetesObject {
  const { cluster, images } = settings;
  const [first] = cluster.databases;
  const storageOf = (size: string) => ({
    size,
    resizeInUseVolumes: true,
    ...(cluster.storage.class !== undefined && { storageClass: cluster.storage.class }),
  });
  const timing = timings[cluster.failover];
  return {
    apiVersion,
    kind: "Cluster",
    metadata: {
      name: cluster.name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
    },
    spec: {
      instances: cluster.instances,
      imageName: images.postgresql,
      imagePullPolicy: "IfNotPresent",
      enableSuperuserAccess: false,
      enablePDB: true,
      primaryUpdateStrategy: "unsupervised",
      primaryUpdateMethod: "switchover",
      ...stopping,
      primaryLease: timing.primaryLease,
      probes: timing.probes,
      affinity: {
        enablePodAntiAffinity: true,
        podAntiAffinityType: "required",
        topologyKey: "kubernetes.io/hostname",
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: instanceLabels(cluster.name) },
        },
      ],
      resources: cluster.resources,
      storage: storageOf(cluster.storage.size),
      ...(cluster.storage.walSize !== undefined && { walStorage: storageOf(cluster.storage.walSize) }),
      certificates: { serverAltDNSNames: [...names] },
      bootstrap: {
        initdb: {
          database: first?.name,
          // Not the application's role: see postInitApplicationSql.
          owner: roles.health,
          secret: { name: secretNames.health(cluster.name) },
          dataChecksums: true,
          encoding: "UTF8",
          // Sort order that belongs to PostgreSQL, where it can: an image with another C library can't corrupt indexes.
          ...(Number(cluster.postgresVersion) >= 17
            ? { localeProvider: "builtin", builtinLocale: "C.UTF-8" }
            : { localeCollate: "C.UTF-8", localeCType: "C.UTF-8" }),
          postInitSQL: [...postInitSql],
          ...(first && { postInitApplicationSQL: postInitApplicationSql(first) }),
        },
      },
      managed: { roles: managedRoles(settings) },
      postgresql: {
        parameters: parametersOf(settings),
        pg_hba: [...hostBasedAccess],
        ...synchronousOf(settings),
      },
    },
  };
}

function databaseObjects({ cluster }: Settings): PlannedObject[] {
  return cluster.databases.slice(1).map(({ name, owner }) => ({
    id: `database-${name.replaceAll("_", "-")}`,
    stage: 1,
    waitFor: "jsonpath={.status.applied}=true",
    object: {
      apiVersion,
      kind: "Database",
      metadata: {
        name: `${cluster.name}-${name.replaceAll("_", "-")}`,
        namespace: cluster.namespace,
        labels: { [clusterLabel]: cluster.name },
      },
      spec: {
        cluster: { name: cluster.name },
        name,
        owner,
        databaseReclaimPolicy: "retain",
      },
    },
  }));
}

function credentialsOf({ cluster, poolers }: Settings): Credential[] {
  const credential = (
    id: string,
    role: string,
    secretName: string,
    why: string,
    extraKeys: Record<string, string> = {},
  ): Credential => ({
    id,
    role,
    secretName,
    type: "kubernetes.io/basic-auth",
    // The operator sets the role's password anew when the Secret changes.
    labels: { "cnpg.io/reload": "true", [clusterLabel]: cluster.name },
    extraKeys,
    why,
  });
  const [first] = cluster.databases;
  const others = new Set(cluster.databases.map(({ owner }) => owner));
  if (first) others.delete(first.owner);
  return [
    ...(first
      ? [
          credential(
            "app",
            first.owner,
            secretNames.application(cluster.name),
            "the application, owner of the first database",
          ),
        ]
      : []),
    ...[...others].map((owner) =>
      credential(
        `owner-${owner.replaceAll("_", "-")}`,
        owner,
        secretNames.owner(cluster.name, owner),
        "the owner of a further database",
      ),
    ),
    credential(
      "admin",
      roles.admin,
      secretNames.admin(cluster.name),
      "people: may make databases and roles, is no superuser",
    ),
    credential(
      "pooler-auth",
      roles.pooler,
      secretNames.poolerAuth(cluster.name),
      "the poolers' look-ups of login verifiers",
      poolers.length > 0
        ? {
            "userlist.txt": `"${roles.pooler}" "{password:pooler-auth}"\n"${roles.poolerStats}" "{password:pooler-stats}"\n`,
          }
        : {},
    ),
    credential("health", roles.health, secretNames.health(cluster.name), "health checks"),
  ];
}

/** Names of the poolers' Services, as clients may spell them; the poolers show the servers' certificate. */
function poolerTlsNames({ cluster, poolers }: Settings): string[] {
  return poolers.flatMap(({ name }) => {
    const service = poolerName(cluster.name, name);
    const host = serviceHost(service, cluster.namespace);
    return [service, `${service}.${cluster.namespace}`, host, `${host}.cluster.local`];
  });
}

export function plan(settings: Settings): Plan {
  const { cluster, tier } = settings;
  const names = poolerTlsNames(settings);
  const endpoint = (suffix: string): Endpoint => {
    const service = `${cluster.name}-${suffix}`;
    return { service, host: serviceHost(service, cluster.namespace), port: ports.postgres };
  };
  return {
    objects: [
      {
        id: "cluster",
        stage: 0,
        object: clusterObject(settings, names),
        waitFor: "condition=Ready",
        timeoutMinutes: BOOTSTRAP_MINUTES,
        ...(tier === "prod" && { protect: "its volumes go with it" }),
      },
      ...databaseObjects(settings),
    ],
    credentials: credentialsOf(settings),
    endpoints: { primary: endpoint("rw"), standbys: endpoint("ro"), any: endpoint("r") },
    tls: {
      names,
      authority: { secretName: `${cluster.name}-ca`, key: "ca.crt" },
      server: {
        secretName: `${cluster.name}-server`,
        certificateKey: "tls.crt",
        privateKeyKey: "tls.key",
      },
    },
    pods: clusterPods(cluster),
    ports: { postgres: ports.postgres, metrics: ports.metrics },
    poolerLogin: { role: roles.pooler, database: "postgres", query: poolerLoginQuery },
    flows: flows(settings),
  };
}
