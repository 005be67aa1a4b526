import type { Engine } from "../engine";
import { byBarman } from "../../backup/compression";
import { backups } from "./backup";
import { backupFacts } from "./backupFacts";
import { facts, poolerFacts, progress } from "./facts";
import { apiVersion, instanceLabels } from "./names";
import { operatorPlan } from "./operator";
import { ownedParameters } from "./parameters";
import { plan } from "./plan";
import { shape } from "./shape";

/** CloudNativePG 1.30. */
export const cnpg: Engine = {
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
    backupTimeZone: true,
    restoreToPlace: true,
    zoneSpread: true,
    severalDatabases: true,
    majorUpgrade: true,
    podSecurityRestricted: true,
    operator: true,
    accountInForeignNamespace: true,
    passwordlessSuperuser: true,
  },
  clusterKind: { apiVersion, kind: "Cluster" },
  instancePods: { labels: instanceLabels, role: { label: "cnpg.io/instanceRole", primary: "primary" } },
  images: ["operator", "postgresql"],
  backupImages: ["backupPlugin", "backupSidecar"],
  compression: byBarman,
  longestClusterName: 50,
  systemRoles: ["streaming_replica", "cnpg_*"],
  // `role` is the label of before 1.21, which the operator still writes on the instances.
  operatorLabels: ["cnpg.io/*", "role"],
  imageContents: {
    extensions: ["pgaudit", "vector"],
    libraries: ["pg_failover_slots"],
    refused: {},
    source: "the README of the project's postgres-containers, for the images `standard` and `system`",
  },
  ownedParameters,
  plan,
  operator: operatorPlan,
  backups,
  backupFacts,
  facts,
  poolerFacts,
  shape,
  // "Supported" and "tested, but not supported" in the release's table.
  kubernetes: { runs: ">=1.30", tested: "1.34 - 1.36" },
  progress,
};
