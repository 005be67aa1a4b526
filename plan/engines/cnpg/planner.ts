import type { EnginePlanner } from "../planner";
import { byBarman } from "../../backup/barman";
import { backups } from "./backup";
import { imageContents, publishedImages } from "./image";
import { apiVersion, instanceLabels, operatorNamespace, operatorPodLabels } from "./names";
import { inMetrics } from "./inMetrics";
import { operatorPlan } from "./operator";
import { ownedParameters } from "./parameters";
import { pauses } from "./pauses";
import { plan } from "./plan";

/** CloudNativePG 1.30. */
export const planner: EnginePlanner = {
  name: "cnpg",
  postgresVersions: ["15", "16", "17", "18"],
  can: {
    standbys: true,
    quorumFailover: true,
    walVolume: true,
    archiveVolume: {
      because: "its operator archives to an object store",
      instead: "leave archiveSize out",
    },
    backupTimeZone: {
      because:
        "its operator reads schedules by a library that knows no time zone, and refuses one that has it",
      instead: "leave timeZone out, and write schedule in UTC",
    },
    restoreToPlace: true,
    foreignArchive: true,
    zoneSpread: true,
    severalDatabases: true,
    majorUpgrade: true,
    podSecurityRestricted: true,
    operator: true,
    accountInForeignNamespace: true,
    drainsWait: true,
    watchdog: true,
    listedSlots: {
      because:
        "its operator makes no logical slots; from PostgreSQL 17 on it has standbys follow those that clients make with `failover`",
      instead: "leave slots out, and let the client make its slot with failover (Debezium: slot.failover)",
    },
    // Its operator looks whether the API server has SecurityContextConstraints.
    anyUser: true,
    passwordlessSuperuser: true,
    roleInPlaceOfKey: true,
    virtualHosts: {
      because: "its plugin tells not all of Barman's tools where the bucket's name is",
      instead: "use a store that takes path style, or the engine standalone or zalando",
    },
  },
  clusterKind: { apiVersion, kind: "Cluster" },
  instancePods: { labels: instanceLabels, role: { label: "cnpg.io/instanceRole", primary: "primary" } },
  exporter: {
    prefix: "cnpg_",
    // That of the queries that the platform gives it; what else it reads isn't kept.
    lastError: "cnpg_last_error",
    connected: "cnpg_collector_up",
    // Its own label `cluster`, which the label of what is scraped moves aside.
    labels: ["exported_cluster"],
  },
  operatorMetrics: { namespace: operatorNamespace, pods: operatorPodLabels },
  inMetrics,
  images: ["operator", "postgresql"],
  backupImages: ["backupPlugin", "backupSidecar"],
  compression: byBarman,
  operatorNamespace,
  finalized: [
    {
      type: `kubernetes:${apiVersion}:Database`,
      kind: "databases.postgresql.cnpg.io",
      clusters: "clusters.postgresql.cnpg.io",
      finalizer: "cnpg.io/deleteDatabase",
    },
  ],
  pauses,
  issuers: ["engine", "cert-manager", "provided"],
  drains: "wait",
  longestClusterName: 50,
  readsVersionFromTag: true,
  systemRoles: ["streaming_replica", "cnpg_*"],
  // `role` is the label of before 1.21, which the operator still writes on the instances.
  operatorLabels: ["cnpg.io/*", "role"],
  publishedImages,
  imageContents,
  ownedParameters,
  plan,
  operator: operatorPlan,
  backups,
  // "Supported" and "tested, but not supported" in the release's table.
  kubernetes: { runs: ">=1.30", tested: "1.34 - 1.36" },
};
