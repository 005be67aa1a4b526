import { mergePatch, primaryOf } from "../acts";
import type { RollingReader, Shape } from "../live";
import { acts } from "./acts";
import { isCluster } from "./resources";

const plugins = ({ pods }: Shape) => (pods.plugins ?? []) as readonly string[];

/** Plugins whose container the live pods lack: the operator can't demote a primary without the container that archives. */
export const addsPlugin = (live: Shape, planned: Shape): boolean =>
  plugins(planned).some((name) => !plugins(live).includes(name));

/** The plan leaves the field to the operator's default, so that it is nobody else's. */
export const rolling: RollingReader = {
  fits: (live, planned) =>
    live.instances > 1 && planned.instances > 1 && live.major === planned.major && !addsPlugin(live, planned),
  leave: (cluster, on) =>
    mergePatch("clusters.postgresql.cnpg.io", cluster, {
      spec: { primaryUpdateStrategy: on ? "supervised" : "unsupervised" },
    }),
  isLeft: (object) => isCluster(object) && object.spec?.primaryUpdateStrategy === "supervised",
  waits: (object) => isCluster(object) && object.status?.phase === "Waiting for user action",
  end: (scene, inPlace) =>
    inPlace ? acts.restart({ ...scene, instance: primaryOf(scene) }) : acts.switchover(scene),
};
