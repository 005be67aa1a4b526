import type { KubernetesObject } from "../objects";
import type { Settings } from "../../settings/schema";
import type { Store } from "./store";
import {
  verifyHours,
  caMounts,
  caVolumes,
  container,
  cronJob,
  places,
  podOf,
  shell,
  transfers,
} from "./pods";
import { backupNames, backupRoles } from "./names";
import { unprivileged } from "../containers";

/** Brings what the second target lacks. */
export const copy = (settings: Settings, stores: readonly Store[], schedule: string): KubernetesObject =>
  cronJob(
    settings,
    backupNames.copy(settings.cluster.name),
    backupRoles.copy,
    schedule,
    verifyHours(settings),
    {
      ...podOf(settings, unprivileged, caVolumes(stores)),
      containers: [
        container(
          "copy",
          settings.images.backupTools,
          shell("copy.sh"),
          places(stores),
          caMounts(stores),
          transfers(settings),
        ),
      ],
    },
  );
