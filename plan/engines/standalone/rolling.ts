import type { KubernetesObject } from "../../objects";
import { mergePatch } from "../acts";
import type { RollingReader } from "../live";
import { isServer, type StatefulSet } from "./resources";

const partition = (cluster: string, from: number) =>
  mergePatch("statefulset", cluster, { spec: { updateStrategy: { rollingUpdate: { partition: from } } } });

const isLeft = (object: KubernetesObject): object is StatefulSet =>
  isServer(object) && object.spec?.updateStrategy?.rollingUpdate?.partition === 1;

/** Pods with a number below the partition keep their former revision. */
export const rolling: RollingReader = {
  fits: (live, planned) => live.major === planned.major,
  leave: (cluster, on) => partition(cluster, on ? 1 : 0),
  isLeft,
  waits: (object) => {
    if (!isLeft(object)) return false;
    const { metadata, status = {} } = object;
    return (
      (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
      status.readyReplicas === 1 &&
      status.currentRevision !== status.updateRevision
    );
  },
  end: ({ cluster }) => ({
    plan: [
      `The pod ${cluster}-0 is deleted and made again on its volumes: programs can't connect until PostgreSQL is back, some seconds as a rule.`,
    ],
    steps: [partition(cluster, 0)],
  }),
};
