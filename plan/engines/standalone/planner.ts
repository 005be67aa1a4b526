import { byBarman } from "../../backup/barman";
import type { EnginePlanner } from "../planner";
import { backups } from "./backup";
import { imageContents, publishedImages } from "./image";
import { podLabels } from "./names";
import { ownedParameters } from "./parameters";
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
    zoneSpread: { because: alone, instead: "choose cnpg" },
    severalDatabases: true,
    majorUpgrade: {
      because: "its image has the programs of one major version, and nothing runs pg_upgrade",
      instead: "keep the version, or restore a dump into a new cluster of the newer one",
    },
    podSecurityRestricted: true,
    operator: { because: "Kubernetes alone looks after its StatefulSet", instead: "choose cnpg" },
    accountInForeignNamespace: true,
    drainsWait: true,
    passwordlessSuperuser: true,
    roleInPlaceOfKey: true,
    virtualHosts: true,
  },
  clusterKind: { apiVersion: "apps/v1", kind: "StatefulSet" },
  instancePods: { labels: podLabels },
  images: ["postgresql", "postgresExporter"],
  backupImages: ["backupSidecar"],
  compression: byBarman,
  // The name of a CronJob has at most 52 characters.
  drains: "allow",
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
