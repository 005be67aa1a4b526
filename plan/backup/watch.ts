import type { KubernetesObject } from "../objects";
import type { Settings } from "../../settings/schema";
import type { Store } from "./store";
import { backupNames, backupRoles, metricsPort } from "./names";
import type { Plan } from "../plan";
import { archiveSeconds } from "../postgres/parameters";
import {
  asHealth,
  caMounts,
  caVolumes,
  container,
  places,
  podOf,
  podTemplate,
  serverCa,
  serverCaMount,
  shell,
  small,
} from "./pods";
import { roleLabels } from "../names";
import { environment, serveMetrics, unprivileged } from "../containers";

/** How many requests that list objects each store may get in a day, where they are counted. */
const budgets = (stores: readonly Store[]): Record<string, string> =>
  Object.fromEntries(
    stores.flatMap(({ listsADay }, index) =>
      listsADay === undefined ? [] : [[`LISTS_${index + 1}`, String(listsADay)]],
    ),
  );

/** Looks into the stores, and asks the primary, all the time, and says what it sees. */
export function watch(settings: Settings, plan: Plan, stores: readonly Store[]): KubernetesObject {
  const { cluster, images, backup } = settings;
  if (backup === undefined) throw new Error("there are backups to watch");
  const name = backupNames.watch(cluster.name);
  const labels = roleLabels(cluster.name, backupRoles.watch);
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
          // The engine may make it after this pod.
          serverCa(plan, { optional: true }),
          ...caVolumes(stores),
        ]),
        containers: [
          {
            ...container(
              "watch",
              images.backupTools,
              shell("watch.sh"),
              [
                ...places(stores),
                ...environment({
                  STATE: "/state",
                  RPO_SECONDS: String(backup.rpoMinutes * 60),
                  ...budgets(stores),
                }),
              ],
              [state, ...caMounts(stores)],
              small(settings),
            ),
            readinessProbe: { exec: { command: ["test", "-e", "/state/metrics.txt"] }, periodSeconds: 2 },
          },
          container(
            "database",
            images.postgresql,
            ["bash", "/scripts/database.sh"],
            [
              ...environment({ STATE: "/state", ARCHIVE_SECONDS: String(archiveSeconds(backup)) }),
              ...asHealth(settings, plan),
            ],
            [state, serverCaMount],
            small(settings),
          ),
          {
            ...container(
              "metrics",
              images.backupTools,
              serveMetrics("/state", metricsPort),
              environment({ RCLONE_CONFIG: "/dev/null", HOME: "/tmp" }),
              [{ ...state, readOnly: true }],
              small(settings),
            ),
            ports: [{ name: "metrics", containerPort: metricsPort, protocol: "TCP" }],
          },
        ],
      }),
    },
  };
}
