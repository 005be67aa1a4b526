import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { bytesOf } from "../../settings/quantity";
import type { ClusterInvariant } from "./invariant";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** While the store is out, WAL waits on its volume. The settings check adds what checkpoints need. */
export function walVolume({
  walVolume: size,
  claimsOutage: claim,
}: Pick<Facts, "walVolume" | "claimsOutage">): Problem[] {
  if (claim === undefined) return [];
  const needed = Math.ceil((claim.writeMiBPerSecond * MiB * 3600 * claim.hours) / GiB);
  return (bytesOf(size ?? "0") ?? 0) >= needed * GiB
    ? []
    : [
        {
          path: "WAL volume",
          value: size,
          allowed: `at least ${needed}Gi: ${claim.writeMiBPerSecond} MiB a second for ${claim.hours} h without the store`,
          fix: "raise it, or claim less",
        },
      ];
}

export const walVolumeInvariant: ClusterInvariant = {
  number: "23",
  name: "wal-volume",
  description:
    "A cluster that claims for how long its store may be out (annotations pgplatform.io/tolerated-outage-hours and " +
    "pgplatform.io/write-mib-per-second) has a WAL volume that holds what is written meanwhile.",
  severity: "medium",
  mandatory: "everywhere",
  remediation:
    "Raise `pgplatform:cluster.storage.walSize` (`spec.walStorage.size`), or leave it out and let it follow writeMiBPerSecond and toleratedOutageHours.",
  on: "cluster",
  check: walVolume,
};
