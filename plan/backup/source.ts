import type { KubernetesObject, Variable } from "../objects";
import type { Backups } from "../engines/planner";
import type { Settings } from "../../settings/schema";
import type { Store } from "./store";
import { backupNames, backupRoles } from "./names";
import { caMounts, caVolumes, container, places, podOf, podTemplate, remote, shell, small } from "./pods";
import { roleLabels } from "../names";
import { environment, unprivileged } from "../containers";
import { originArchive, secondsAt } from "./restore";

/** How long the store of a restore's source may take to start. */
const SOURCE_SECONDS = 60;
/** How long looking into it may take: a store may have many base backups, each of which takes a few requests. */
const LOOK_SECONDS = 3600;

/** Where the archives of the restore's source lie, as rclone names it. */
const placeOf = (
  stores: readonly Store[],
  { name, bucket, prefix }: Store,
  ...below: readonly (string | undefined)[]
): string =>
  `${remote(stores.findIndex((one) => one.name === name))}:${[bucket, prefix, ...below].filter(Boolean).join("/")}`;

/** Looks whether the source of a restore is there: the cluster is made after it. */
export function source(
  settings: Settings,
  stores: readonly Store[],
  origin: Store,
  baseTime: Backups["baseTime"],
): KubernetesObject {
  const { cluster, restore } = settings;
  const { time } = restore?.to ?? {};
  const name = backupNames.source(cluster.name);
  const labels = roleLabels(cluster.name, backupRoles.source);
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
                SOURCE: placeOf(stores, origin, restore && originArchive(restore)),
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

/**
 * A pod that says once what lies where a restore reads (scripts/look.sh). It needs what is made before a cluster: namespace, scripts, and the store's key.
 *
 * @param archiveId whose base backups are looked at more closely. @default - none's
 */
export function look(
  settings: Settings,
  stores: readonly Store[],
  origin: Store,
  archiveId = "",
): KubernetesObject {
  const { cluster } = settings;
  const own = environment({
    TARGETS: "1",
    TARGET_1: origin.name,
    PLACE_1: placeOf(stores, origin),
    REPORTS_1: placeOf(stores, { ...origin, prefix: origin.reports }),
    WAIT_SECONDS: String(SOURCE_SECONDS),
  });
  const named = new Set(own.map(({ name }) => name));
  const others = (places(stores) as Variable[]).filter(
    ({ name }) => !named.has(name) && name !== "ARCHIVE_ID",
  );
  const work = { name: "work", mountPath: "/work" };
  const shared = environment({ WORK: work.mountPath, ARCHIVE: archiveId });
  const { backupTools, postgresql } = settings.images;
  const { metadata, spec } = podTemplate(settings, backupRoles.source, {
    ...podOf(settings, unprivileged, [
      { name: "work", emptyDir: { sizeLimit: "512Mi" } },
      ...caVolumes(stores),
    ]),
    restartPolicy: "Never",
    activeDeadlineSeconds: LOOK_SECONDS,
    initContainers: [
      container(
        "look",
        backupTools,
        shell("look.sh"),
        [...others, ...own, ...shared],
        [work, ...caMounts(stores)],
        small(settings),
      ),
    ],
    containers: [container("last", postgresql, shell("last.sh"), shared, [work], small(settings))],
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, name: backupNames.look(cluster.name), namespace: cluster.namespace },
    spec,
  };
}
