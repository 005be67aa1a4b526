import type { EnginePlanner } from "../planner";
import { postgresExporter } from "../../monitoring/exporter";
import { instanceLabel } from "./exporter";
import { backups, byWalG, walGMemory } from "./backup";
import { dormantImages, imageContents, publishedImages } from "./image";
import { inMetrics } from "./inMetrics";
import { apiVersion, instanceLabels, operatorNamespace, replicator, standbyLabels } from "./names";
import { operatorPlan } from "./operator";
import { ownedParameters } from "./parameters";
import { pauses } from "./pauses";
import { plan } from "./plan";

/** The Zalando operator 1.15 with Patroni in its Spilo image. */
export const planner: EnginePlanner = {
  name: "zalando",
  postgresVersions: ["15", "16", "17"],
  can: {
    standbys: true,
    // Patroni's strict synchronous mode: only a standby that holds every acknowledged commit takes over.
    quorumFailover: true,
    walVolume: {
      because: "its custom resource has one volume for each instance",
      instead: "leave walSize out, and make size larger by as much",
    },
    archiveVolume: {
      because: "it archives to an object store",
      instead: "leave archiveSize out",
    },
    backupTimeZone: {
      because: "its image starts cron with an empty environment, which leaves it UTC",
      instead: "leave timeZone out, and write schedule in UTC",
    },
    restoreToPlace: {
      because: "its image restores to a moment only",
      instead: "set restore.to.time, or leave restore.to out for the newest that was archived",
    },
    foreignArchive: {
      because: "its image restores what WAL-G wrote",
      instead: "make the cluster empty and import a dump (docs/backup.md), or choose cnpg",
    },
    zoneSpread: {
      because:
        "its custom resource has no topology spread, only one anti-affinity key for the whole operator",
      instead: "choose cnpg",
    },
    severalDatabases: true,
    majorUpgrade: {
      because:
        "its operator upgrades in place, over an archive whose timelines begin again; no restore from that was ever tried",
      instead: "keep the version, or restore a dump into a new cluster of the newer one",
    },
    podSecurityRestricted: {
      because: "its operator writes no seccomp profile and drops no capability in the instances' pods",
      instead: "choose cnpg, or have baseline in the namespace",
    },
    operator: true,
    accountInForeignNamespace: {
      because:
        "all its clusters in a namespace share one account, which the operator makes where the platform doesn't make the namespace",
      instead: "let the platform make the namespace, or leave registries out",
    },
    drainsWait: {
      because: "its operator moves a single instance by itself once its node is cordoned",
      instead: "leave cluster.drains out, or choose another engine",
    },
    watchdog: {
      because: "Patroni itself replaces a primary that hangs, once its lock has run out",
      instead: "leave cluster.watchdogSeconds out, and choose cluster.failover",
    },
    listedSlots: true,
    anyUser: {
      because: "the files of its image belong to a user of their own, and OpenShift gives pods another one",
      instead: "choose cnpg",
    },
    passwordlessSuperuser: {
      because: "Patroni logs in to the other instances as the superuser, with a password",
      instead: "choose cnpg",
    },
    roleInPlaceOfKey: {
      because: "WAL-G before 3.0.6, which Spilo 4.0-p3 has, asks AWS to assume the role once more, and fails",
      instead: "give credentials, or choose cnpg",
    },
    virtualHosts: true,
  },
  clusterKind: { apiVersion, kind: "postgresql" },
  instancePods: { labels: instanceLabels, role: { label: "spilo-role", primary: "master" } },
  exporter: { ...postgresExporter, instance: instanceLabel },
  inMetrics,
  images: ["operator", "postgresql", "postgresExporter"],
  // The instances' own image has the tools.
  backupImages: [],
  dormantImages,
  compression: byWalG,
  besideServer: { who: "WAL-G", bytes: walGMemory },
  operatorNamespace,
  pauses,
  issuers: ["platform", "cert-manager", "provided"],
  drains: "allow",
  // The name of a CronJob has at most 52 characters.
  longestClusterName: 45,
  // The image's post_init makes the four after the first again at every promotion, and takes LOGIN from `admin`.
  systemRoles: [replicator, "admin", "cron_admin", "robot_zmon", "zalandos"],
  operatorLabels: [...Object.keys(standbyLabels("")), "team", "acid.zalan.do/*"],
  publishedImages,
  imageContents,
  ownedParameters,
  plan,
  operator: operatorPlan,
  backups,
  // "Supported Kubernetes versions" of the release; what is newer than its client library counts as untested.
  kubernetes: { runs: ">=1.27", tested: "1.27 - 1.34" },
};
