import { bytesOf } from "../quantity";
import type { Rule } from "./rule";

const MiB = 2 ** 20;

export const storage: Rule = ({ cluster, platform }, report) => {
  const { size, walSize, class: storageClass } = cluster.storage;
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
};
