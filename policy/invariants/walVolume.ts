import type { Facts } from "../../plan/engines/reader";
import { outageAnnotations } from "../../plan/names";
import type { Problem } from "../../settings/problem";
import { bytesInKubernetes } from "../../settings/quantity";
import type { ClusterInvariant } from "./invariant";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** Half a claim, or one that is no amount, claims nothing. */
const notClaimed = (annotation: string, text: string | undefined): Problem[] =>
  Number(text) > 0 && Number.isFinite(Number(text))
    ? []
    : [
        {
          path: annotation,
          value: text,
          allowed: `a number above 0, beside one in ${Object.values(outageAnnotations)
            .filter((one) => one !== annotation)
            .join()}`,
          fix: "write it, or remove both",
        },
      ];

/** While the store is out, WAL waits on its volume. The settings check adds what checkpoints need. */
export function walVolume({
  walVolume: size,
  claimsOutage: claim,
}: Pick<Facts, "walVolume" | "claimsOutage">): Problem[] {
  if (claim === undefined) return [];
  const { writeMiBPerSecond: rate, hours } = claim;
  const wrong = [
    ...notClaimed(outageAnnotations.writeMiBPerSecond, rate),
    ...notClaimed(outageAnnotations.hours, hours),
  ];
  if (wrong.length > 0) return wrong;
  const needed = Math.ceil((Number(rate) * MiB * 3600 * Number(hours)) / GiB);
  return (bytesInKubernetes(size ?? "0") ?? 0) >= needed * GiB
    ? []
    : [
        {
          path: "WAL volume",
          value: size,
          allowed: `at least ${needed}Gi: ${rate} MiB a second for ${hours} h without the store`,
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
