import type { KubernetesObject } from "../objects";
import type { Settings } from "../../settings/schema";
import type { Store } from "./store";
import { backupNames, backupRoles, metricsPort } from "./names";
import { caMounts, caVolumes, container, places, podOf, podTemplate, shell, small } from "./pods";
import { clusterLabel, roleLabel } from "../names";
import { environment, unprivileged } from "../containers";

/** How many requests that list objects each store may get in a day, where they are counted. */
const budgets = (stores: readonly Store[]): Record<string, string> =>
  Object.fromEntries(
    stores.flatMap(({ listsADay }, index) =>
      listsADay === undefined ? [] : [[`LISTS_${index + 1}`, String(listsADay)]],
    ),
  );

/** Looks into the stores all the time, and says what it sees. */
export function watch(settings: Settings, stores: readonly Store[]): KubernetesObject {
  const { cluster, images } = settings;
  const name = backupNames.watch(cluster.name);
  const labels = { [clusterLabel]: cluster.name, [roleLabel]: backupRoles.watch };
  const state = { name: "state", mountPath: "/state" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: cluster.namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: podTemplate(settings, backupRoles.watch, {
        ...podOf(settings, unprivileged, [
          { name: "state", emptyDir: { sizeLimit: "16Mi" } },
          ...caVolumes(stores),
        ]),
        containers: [
          {
            ...container(
              "watch",
              images.backupTools,
              shell("watch.sh"),
              [...places(stores), ...environment({ STATE: "/state", ...budgets(stores) })],
              [state, ...caMounts(stores)],
              small,
            ),
            readinessProbe: { exec: { command: ["test", "-e", "/state/metrics.txt"] }, periodSeconds: 2 },
          },
          {
            ...container(
              "metrics",
              images.backupTools,
              ["rclone", "serve", "http", "/state", "--addr", `:${metricsPort}`, "--include", "/metrics.txt"],
              environment({ RCLONE_CONFIG: "/dev/null", HOME: "/tmp" }),
              [{ ...state, readOnly: true }],
              small,
            ),
            ports: [{ name: "metrics", containerPort: metricsPort, protocol: "TCP" }],
          },
        ],
      }),
    },
  };
}
