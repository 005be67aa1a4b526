import { bytesOf } from "../../../settings/quantity";
import { serviceHost } from "../../names";
import {
  defaultSize,
  localBucket,
  localStorePort,
  storeLabels,
  storeName,
  storeNamespace,
} from "../storeNames";
import { defaultRegion, type Dialect } from "./dialect";

const GiB = 2 ** 30;

/** A store of the platform's own: see plan/backup/localStore.ts. */
export const local: Dialect<"local"> = {
  key: "drawn",
  inCluster: true,
  speak: ({ name: target, region = defaultRegion }, cluster) => {
    const name = storeName(cluster.name, target);
    const namespace = storeNamespace(cluster);
    return {
      pathStyle: true,
      plainChecksums: true,
      equalParts: false,
      lock: "none",
      keepsVersions: false,
      rclone: "Other",
      names: [],
      bucket: localBucket,
      region,
      endpoint: `https://${serviceHost(name, namespace)}:${localStorePort}`,
      md5: false,
      called: "the kind local",
      ca: { secretName: `${name}-ca`, key: "ca.crt" },
      peer: {
        kind: "pods",
        name: `store-${target}`,
        namespace,
        labels: storeLabels(cluster.name, target),
      },
      port: localStorePort,
    };
  },
  problems: ({ size }) =>
    (bytesOf(size ?? defaultSize) ?? 0) < GiB
      ? [
          {
            key: "size",
            value: size,
            allowed: "at least 1Gi",
            fix: "set 1Gi or more, or leave it out",
          },
        ]
      : [],
};
