import { bytesOf } from "../settings/quantity";
import { walVolume, walVolumeBytes } from "../settings/sums/wal";
import type { Rule } from "./rule";

const MiB = 2 ** 20;

export const storage: Rule = ({ cluster, platform }, report) => {
  const { size, walSize, archiveSize, class: storageClass } = cluster.storage;
  if (storageClass === undefined)
    report(
      "cluster.storage.class",
      undefined,
      `a storage class on the platform ${platform}`,
      "name one; `kubectl get storageclass` lists them",
    );
  const least = 1024 * MiB;
  if ((bytesOf(size) ?? 0) < least) report("cluster.storage.size", size, "at least 1Gi", "set 1Gi or more");
  if (walSize !== undefined && (bytesOf(walSize) ?? 0) < least)
    report("cluster.storage.walSize", walSize, "at least 1Gi", "set 1Gi or more, or leave it out");
  if (archiveSize !== undefined && (bytesOf(archiveSize) ?? 0) < least)
    report("cluster.storage.archiveSize", archiveSize, "at least 1Gi", "set 1Gi or more, or leave it out");
  const { writeMiBPerSecond, toleratedOutageHours } = cluster.storage;
  if ((writeMiBPerSecond === undefined) !== (toleratedOutageHours === undefined))
    report(
      `cluster.storage.${writeMiBPerSecond === undefined ? "writeMiBPerSecond" : "toleratedOutageHours"}`,
      undefined,
      "a number whenever the other of writeMiBPerSecond and toleratedOutageHours is given",
      "set both, or none",
    );
  const needed = walVolumeBytes(cluster);
  if (needed !== undefined && (bytesOf(walSize ?? "") ?? 0) < needed)
    report(
      "cluster.storage.walSize",
      walSize,
      `at least ${walVolume(cluster)}: ${writeMiBPerSecond} MiB a second for ${toleratedOutageHours} h, ` +
        "max_wal_size, wal_keep_size and a tenth more, or these two alone and a quarter more",
      "raise it, or leave it out",
    );
};
