import { byBarman } from "../../backup/barman";
import { postgresExporter } from "../../monitoring/exporter";
import type { EnginePlanner } from "../planner";
import { backups } from "./backup";
import { imageContents, publishedImages } from "./image";
import { inMetrics } from "./inMetrics";
import { podLabels } from "./names";
import { ownedParameters } from "./parameters";
import { pauses } from "./pauses";
import { plan } from "./plan";

const alone = "it is one PostgreSQL server in a StatefulSet, which nothing replicates";

/** One server without an operator. */
export const planner: EnginePlanner = {
  name: "standalone",
  postgresVersions: ["15", "16", "17", "18"],
  can: {
    standbys: {
      because: alone,
      instead: "set cluster.instances to 1 and cluster.durability to async, or choose cnpg",
    },
    quorumFailover: {
      because: alone,
      instead: "set cluster.durability to async, or choose cnpg",
    },
    walVolume: true,
    archiveVolume: true,
    backupTimeZone: true,
    restoreToPlace: true,
    foreignArchive: {
      because: "that was never tried with it",
      instead: "make the cluster empty and import a dump (docs/backup.md), or choose cnpg",
    },
    zoneSpread: { because: alone, instead: "choose cnpg" },
    severalDatabases: true,
    majorUpgrade: {
      because: "its image has the programs of one major version, and nothing runs pg_upgrade",
      instead: "keep the version, or restore a dump into a new cluster of the newer one",
    },
    podSecurityRestricted: true,
    operator: {
      because: "Kubernetes alone looks after its StatefulSet",
      instead: "leave operator.install out, or choose cnpg",
    },
    accountInForeignNamespace: true,
    drainsWait: true,
    watchdog: {
      because: "it is one server, which no other replaces",
      instead: "leave cluster.watchdogSeconds out",
    },
    listedSlots: {
      because: "it is one server, whose slots stay where they are",
      instead: "leave slots out, and let the client make its slot",
    },
    anyUser: {
      because:
        "its containers know each other on the pod's socket by the names of fixed users, and OpenShift gives pods others",
      instead: "choose cnpg with one instance",
    },
    passwordlessSuperuser: true,
    roleInPlaceOfKey: true,
    virtualHosts: true,
  },
  clusterKind: { apiVersion: "apps/v1", kind: "StatefulSet" },
  instancePods: { labels: podLabels },
  exporter: postgresExporter,
  inMetrics,
  images: ["postgresql", "postgresExporter"],
  backupImages: ["backupSidecar"],
  compression: byBarman,
  pauses,
  issuers: ["platform", "cert-manager", "provided"],
  drains: "allow",
  // The name of a CronJob has at most 52 characters.
  longestClusterName: 47,
  systemRoles: [],
  operatorLabels: ["statefulset.kubernetes.io/*"],
  publishedImages,
  imageContents,
  ownedParameters,
  plan,
  backups,
  // Its objects are older than any version that still gets fixes.
  kubernetes: { runs: ">=1.30", tested: "1.34" },
};
