import { byWalG } from "../../backup/compression";
import type { Engine } from "../engine";
import { backups } from "./backup";
import { backupFacts } from "./backupFacts";
import { facts } from "./facts";
import { apiVersion, instanceLabels } from "./names";
import { operatorPlan } from "./operator";
import { ownedParameters } from "./parameters";
import { plan } from "./plan";
import { progress } from "./progress";
import { shape } from "./shape";

/** The Zalando operator 1.15 with Patroni in its Spilo image. */
export const zalando: Engine = {
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
    zoneSpread: {
      because:
        "its custom resource has no topology spread, only one anti-affinity key for the whole operator",
      instead: "choose cnpg",
    },
    severalDatabases: true,
    podSecurityRestricted: {
      because: "its operator writes no seccomp profile and drops no capability in the instances' pods",
      instead: "choose cnpg, or have baseline in the namespace",
    },
    operator: true,
    passwordlessSuperuser: {
      because: "Patroni logs in to the other instances as the superuser, with a password",
      instead: "choose cnpg",
    },
  },
  clusterKind: { apiVersion, kind: "postgresql" },
  instancePods: { labels: instanceLabels, role: { label: "spilo-role", primary: "master" } },
  images: ["operator", "postgresql", "postgresExporter"],
  // The instances' own image has the tools.
  backupImages: [],
  compression: byWalG,
  longestClusterName: 53,
  ownedParameters,
  plan,
  operator: operatorPlan,
  facts,
  backups,
  backupFacts,
  // Poolers of the operator's own stand in its cluster object, and the platform makes none.
  poolerFacts: () => undefined,
  shape,
  // "Supported Kubernetes versions" of the release; what is newer than its client library counts as untested.
  kubernetes: { runs: ">=1.27", tested: "1.27 - 1.34" },
  progress,
};
