import type { KubernetesObject } from "../objects";
import type { Backups } from "../engines/planner";
import type { Settings } from "../../settings/schema";
import type { Store } from "./store";
import { backupNames, backupRoles } from "./names";
import { caMounts, caVolumes, container, places, podOf, podTemplate, remote, shell, small } from "./pods";
import { clusterLabel, roleLabel } from "../names";
import { environment, unprivileged } from "../containers";
import { originArchive, secondsAt } from "./restore";

/** How long the store of a restore's source may take to start. */
const SOURCE_SECONDS = 60;

/** Looks whether the source of a restore is there: the cluster is made after it. */
export function source(
  settings: Settings,
  stores: readonly Store[],
  origin: Store,
  baseTime: Backups["baseTime"],
): KubernetesObject {
  const { cluster, restore } = settings;
  const index = stores.findIndex(({ name }) => name === origin.name);
  const { time } = restore?.to ?? {};
  const name = backupNames.source(cluster.name);
  const labels = { [clusterLabel]: cluster.name, [roleLabel]: backupRoles.source };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: cluster.namespace, labels },
    spec: {
      backoffLimit: 0,
      template: podTemplate(settings, backupRoles.source, {
        ...podOf(settings, unprivileged, caVolumes(stores)),
        restartPolicy: "Never",
        containers: [
          container(
            "look",
            settings.images.backupTools,
            shell("source.sh"),
            [
              ...places(stores),
              ...environment({
                SOURCE: `${remote(index)}:${[origin.bucket, origin.prefix, restore && originArchive(restore)].filter((part) => part !== "").join("/")}`,
                WAIT_SECONDS: String(SOURCE_SECONDS),
                ...(time !== undefined && { TO_SECONDS: secondsAt(time) }),
                ...(baseTime !== undefined && { BASE_TIME: baseTime }),
              }),
            ],
            caMounts(stores),
            small(settings),
          ),
        ],
      }),
    },
  };
}
