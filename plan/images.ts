import type { Images, Settings } from "../settings/schema";
import { backupPlanImages } from "./backup/plan";
import type { EngineTraits } from "./engines/planner";
import { installedImages } from "./monitoring/install/names";
import { monitorImages } from "./monitoring/monitorPod";
import { poolerImages } from "./pooler/plan";

/** Names of the images that the pods of a stack run. */
export function stackImages(
  settings: Settings,
  { images, backupImages }: Pick<EngineTraits, "images" | "backupImages">,
): string[] {
  const used: readonly (keyof Images)[] = [
    ...images.filter((image) => image !== "operator" || settings.operator.install),
    ...((settings.backup?.targets.length ?? 0) > 0 ? [...backupImages, ...backupPlanImages] : []),
    ...(settings.backup?.targets.some(({ kind }) => kind === "local") === true
      ? ["objectStore" as const]
      : []),
    ...(settings.cluster.watchdogSeconds === undefined ? [] : ["backupSidecar" as const]),
    ...(settings.poolers.length > 0 ? poolerImages : []),
    ...(settings.monitoring.prometheus === "install" ? installedImages : []),
    ...(settings.monitoring.prometheus === "none" ? [] : monitorImages),
  ];
  const { prometheus, install } = settings.monitoring;
  const grafana = prometheus === "install" ? install?.grafana : undefined;
  return [...new Set([...used.map((image) => settings.images[image]), ...(grafana ? [grafana.image] : [])])];
}
