import { serviceHost } from "../../names";
import { localBucket, localStorePort, storeLabels, storeName, storeNamespace } from "../storeNames";
import { defaultRegion, type Dialect } from "./dialect";

/** A store of the platform's own: see plan/backup/localStore.ts. */
export const local: Dialect<"local"> = {
  key: "drawn",
  speak: ({ name: target, region = defaultRegion }, cluster) => {
    const name = storeName(cluster.name, target);
    const namespace = storeNamespace(cluster);
    return {
      bucket: localBucket,
      region,
      endpoint: `https://${serviceHost(name, namespace)}:${localStorePort}`,
      plainChecksums: true,
      pathStyle: true,
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
};
