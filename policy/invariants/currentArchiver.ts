import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

export const currentArchiverInvariant: ClusterInvariant = {
  number: "16a",
  name: "current-archiver",
  description: "WAL isn't archived by a method that is no longer maintained.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "CloudNativePG: move `spec.backup.barmanObjectStore` to an ObjectStore of plugin-barman-cloud, and name the plugin in `spec.plugins`. Zalando: " +
    "`USE_WALG_BACKUP` is true in `spec.env`, or in the operator's `pod_environment_configmap`.",
  options: {
    allowed: {
      type: "boolean",
      default: false,
      description: "Allow it while the operator is one that still has it.",
    },
  },
  on: "cluster",
  check({ archive }, { allowed }): Problem[] {
    const outdated = archive?.outdated;
    return outdated === undefined || allowed === true
      ? []
      : [{ path: "archiver", value: outdated.way, allowed: outdated.instead, fix: "move the archive" }];
  },
};
