import type { Settings } from "../../../settings/schema";
import { memoryOf } from "../../../settings/sums/memory";
import { copyMinutes, dataBytes, stopSeconds } from "../../../settings/sums/sizes";
import type { Plan } from "../../plan";
import type { Endpoint } from "../../network";
import {
  clusterLabel,
  durabilityAnnotation,
  outageAnnotations,
  poolerTlsNames,
  roles,
  secretNames,
  serviceHost,
  tlsNames,
  topologyKeys,
} from "../../names";
import { hostBasedAccess } from "../../postgres/access";
import { preloadLibraries } from "../../postgres/extensions";
import { hasLocale, localeOf } from "../../postgres/locale";
import { slotsFollow } from "../../postgres/replication";
import { credentialsOf, poolerLookup } from "../../postgres/roles";
import { podScheduling, topologySpread } from "../../scheduling";
import { caSecret, serverSecret, tlsOf } from "../../tls";
import { poolerLoginQuery } from "../../postgres/sql/lookup";
import { archivePlugin, backupObjects, instancesAccount, restoredFrom } from "./backup";
import { creationMinutes } from "../../backup/restore";
import { queriesConfig, queriesConfigMap } from "../../monitoring/cnpgQueries";
import { databaseObjects, managedRoles } from "./databases";
import { clusterPods, flows } from "./flows";
import { apiVersion, instanceLabels, ports } from "./names";
import { parametersOf } from "./parameters";
import type { Cluster, ClusterSpec, InitDb, Storage } from "./resources";
import { adoptionSql, auditAdoption, loginAdoption, postInitApplicationSql, postInitSql } from "./sql";
import { timings } from "./timing";
import { watchdogFlows, watchdogObjects } from "./watchdog";

/**
 * A stop is a fast one from the start. Waiting for sessions to leave by themselves waits for nothing where poolers keep them open; and a
 * pod that is deleted by force has 2 s in all: enough to stop PostgreSQL and to release the lease, if no second is given away.
 */
const stopping = (cluster: Settings["cluster"]) => {
  const seconds = (least: number) => stopSeconds(memoryOf(cluster).sharedBuffers, least);
  return { smartShutdownTimeout: 0, stopDelay: seconds(120), switchoverDelay: seconds(60) };
};

const BOOTSTRAP_MINUTES = 20;

function synchronousOf({ cluster }: Settings): Pick<NonNullable<ClusterSpec["postgresql"]>, "synchronous"> {
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

/** Of the first database, and of what others are copies of. */
function initdbLocale(cluster: Settings["cluster"]): InitDb {
  const [first] = cluster.databases;
  if (first === undefined) return {};
  const { encoding, provider, locale, own } = localeOf(cluster, first);
  const ofLibc = { localeCollate: locale, localeCType: locale };
  if (provider === "libc")
    return { encoding, ...(hasLocale(first) && { localeProvider: provider }), ...ofLibc };
  return {
    encoding,
    localeProvider: provider,
    ...(hasLocale(first) && ofLibc),
    ...(provider === "icu" ? { icuLocale: own } : { builtinLocale: own }),
  };
}

function clusterObject(settings: Settings, names: readonly string[]): Cluster {
  const { cluster, images, labels, registries } = settings;
  const [first] = cluster.databases;
  const { writeMiBPerSecond, toleratedOutageHours } = cluster.storage;
  const storageOf = (size: string): Storage => ({
    size,
    resizeInUseVolumes: true,
    ...(cluster.storage.class !== undefined && { storageClass: cluster.storage.class }),
  });
  // These the operator preloads, and makes in every database, when a parameter of theirs is set.
  const byOperator = ["pg_stat_statements", "pgaudit", "auto_explain"];
  const libraries = preloadLibraries(settings).filter(
    (library) => !byOperator.includes(library) || cluster.preloadLibraries.includes(library),
  );
  const timing = timings[cluster.failover];
  const { priorityClassName, ...placed } = podScheduling(cluster.scheduling);
  const plugins = archivePlugin(settings);
  const restored = restoredFrom(settings);
  return {
    apiVersion,
    kind: "Cluster",
    metadata: {
      name: cluster.name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
      annotations: {
        [durabilityAnnotation]: cluster.durability,
        ...(writeMiBPerSecond !== undefined &&
          toleratedOutageHours !== undefined && {
            [outageAnnotations.writeMiBPerSecond]: String(writeMiBPerSecond),
            [outageAnnotations.hours]: String(toleratedOutageHours),
          }),
      },
    },
    spec: {
      instances: cluster.instances,
      imageName: images.postgresql,
      imagePullPolicy: "IfNotPresent",
      ...(registries.length > 0 && { imagePullSecrets: [{ name: secretNames.registries(cluster.name) }] }),
      ...(Object.keys(labels).length > 0 && { inheritedMetadata: { labels } }),
      ...instancesAccount(settings),
      enableSuperuserAccess: false,
      // Its budget of a single instance would let no drain end.
      enablePDB: cluster.drains !== "allow",
      primaryUpdateMethod: "switchover",
      ...stopping(cluster),
      primaryLease: timing.primaryLease,
      probes: timing.probes,
      affinity: {
        enablePodAntiAffinity: true,
        podAntiAffinityType: cluster.spread,
        topologyKey: topologyKeys.host,
        ...placed,
      },
      ...(slotsFollow(cluster) && {
        replicationSlots: { highAvailability: { enabled: true, synchronizeLogicalDecoding: true } },
      }),
      ...(priorityClassName !== undefined && { priorityClassName }),
      topologySpreadConstraints: topologySpread(cluster.scheduling, {
        matchLabels: instanceLabels(cluster.name),
      }),
      resources: cluster.resources,
      storage: storageOf(cluster.storage.size),
      ...(cluster.storage.walSize !== undefined && { walStorage: storageOf(cluster.storage.walSize) }),
      certificates: certificates(settings, names),
      ...(restored ?? {
        bootstrap: {
          initdb: {
            database: first?.name,
            // Not the application's role: see postInitApplicationSql.
            owner: roles.health,
            secret: { name: secretNames.health(cluster.name) },
            dataChecksums: true,
            ...initdbLocale(cluster),
            postInitSQL: postInitSql(settings),
            ...(first && { postInitApplicationSQL: postInitApplicationSql(first) }),
          },
        },
      }),
      ...(plugins.length > 0 && { plugins }),
      managed: { roles: managedRoles(settings) },
      monitoring: {
        disableDefaultQueries: true,
        customQueriesConfigMap: [{ name: queriesConfig.name(cluster.name), key: queriesConfig.key }],
      },
      postgresql: {
        parameters: parametersOf(settings),
        ...(libraries.length > 0 && { shared_preload_libraries: libraries }),
        pg_hba: hostBasedAccess(cluster),
        ...synchronousOf(settings),
      },
    },
  };
}

/** Where another signs, that certificate; the operator's own is still what instances and their clients inside show each other. */
const certificates = (
  settings: Settings,
  names: readonly string[],
): NonNullable<NonNullable<Cluster["spec"]>["certificates"]> =>
  settings.tls.issuer === "engine"
    ? { serverAltDNSNames: [...names] }
    : { serverTLSSecret: serverSecret(settings), serverCASecret: caSecret(settings).secretName };

export function plan(settings: Settings): Plan {
  const { cluster } = settings;
  // The operator adds the names of its own Services to a certificate that it signs.
  const own = settings.tls.issuer === "engine" ? [] : ["rw", "ro", "r"];
  const names = [
    ...own.flatMap((suffix) => tlsNames(`${cluster.name}-${suffix}`, cluster.namespace)),
    ...poolerTlsNames(settings),
  ];
  const [first] = cluster.databases;
  const adoption = [
    ...(settings.restore?.serverName !== undefined && first ? adoptionSql(first) : []),
    ...loginAdoption(settings),
    ...auditAdoption(settings),
  ];
  const endpoint = (suffix: string): Endpoint => {
    const service = `${cluster.name}-${suffix}`;
    return { service, host: serviceHost(service, cluster.namespace), port: ports.postgres };
  };
  const reached = {
    endpoints: { primary: endpoint("rw"), standbys: endpoint("ro"), any: endpoint("r") },
    tls: tlsOf(settings, names),
  };
  return {
    ...reached,
    objects: [
      {
        id: "cluster",
        stage: 0,
        object: clusterObject(settings, names),
        waitFor: "condition=Ready",
        timeoutMinutes: copyMinutes(dataBytes(cluster), BOOTSTRAP_MINUTES),
        createMinutes: creationMinutes(settings, BOOTSTRAP_MINUTES),
      },
      ...databaseObjects(settings),
      ...backupObjects(settings),
      ...watchdogObjects(settings, reached),
      { id: "queries", stage: 0, object: queriesConfigMap(settings) },
    ],
    // The operator sets a role's password again when its Secret changes.
    credentials: credentialsOf(settings, { "cnpg.io/reload": "true", [clusterLabel]: cluster.name }),
    ...(adoption.length > 0 && { adoption }),
    pods: clusterPods(cluster),
    ports: { postgres: ports.postgres, metrics: ports.metrics },
    poolerLogin: { role: poolerLookup(settings), database: "postgres", query: poolerLoginQuery },
    flows: [...flows(settings), ...watchdogFlows(settings)],
  };
}
