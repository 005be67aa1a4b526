import type { Shape, VolumeShape } from "../live";
import type { KubernetesObject } from "../../objects";
import { apiVersion } from "./names";

interface Storage {
  size?: string;
  storageClass?: string;
}

/** Fields of the specification that are part of the instances' pods. */
const inPods = ["resources", "affinity", "topologySpreadConstraints", "probes", "stopDelay"] as const;

/** The fields of a Cluster that are read here. */
interface Cluster {
  spec?: {
    instances?: number;
    imageName?: string;
    storage?: Storage;
    walStorage?: Storage;
    plugins?: readonly { name?: string }[];
    bootstrap?: { recovery?: { recoveryTarget?: unknown } };
    externalClusters?: unknown;
    postgresql?: { parameters?: Record<string, string> };
  } & { [field in (typeof inPods)[number]]?: unknown };
  status?: { image?: string; currentPrimary?: string; pgDataImageInfo?: { majorVersion?: number } };
}

const volumeOf = ({ size, storageClass }: Storage): VolumeShape => ({
  size: size ?? "",
  ...(storageClass !== undefined && { class: storageClass }),
});

/** The major version that an image's tag begins with. */
const majorOf = (image: string): number | undefined => {
  const found = /:(\d+)[^/]*$/.exec(image)?.[1];
  return found === undefined ? undefined : Number(found);
};

/** What a Cluster, planned or live, says of itself; for a live one the data's own major version counts. */
export function shape(object: KubernetesObject): Shape | undefined {
  if (object.apiVersion !== apiVersion || object.kind !== "Cluster") return undefined;
  const { spec = {}, status = {} } = object as Cluster;
  const image = spec.imageName ?? status.image ?? "";
  const major = status.pgDataImageInfo?.majorVersion ?? majorOf(image);
  return {
    image,
    ...(major !== undefined && { major }),
    instances: spec.instances ?? 1,
    parameters: spec.postgresql?.parameters ?? {},
    pods: {
      ...Object.fromEntries(inPods.map((field) => [field, spec[field]])),
      // Each has a sidecar in the pods; what it is told besides is read while it runs.
      plugins: spec.plugins?.map(({ name }) => name),
    },
    data: volumeOf(spec.storage ?? {}),
    ...(status.currentPrimary !== undefined && { primary: status.currentPrimary }),
    ...(spec.bootstrap?.recovery && {
      restored: { recovery: spec.bootstrap.recovery.recoveryTarget, from: spec.externalClusters },
    }),
    ...(spec.walStorage && { log: volumeOf(spec.walStorage) }),
  };
}
