import { asset } from "../shell/asset";
import type { Settings } from "../settings/schema";
import { clientPodSpec, loginsVolume } from "./client";
import { oneAtATime } from "./cronJob";
import { clusterLabel, healthCheckLabels } from "./names";
import type { PlannedObject } from "./objects";
import type { Plan } from "./plan";
import { credentialOf, keysOf } from "./postgres/roles";

/** What a Job needs beside the window: its pod's start, and the end of a statement that is cancelled. */
const GRACE_SECONDS = 300;

const script = asset(__dirname, "maintenance.sh");

export const maintenanceName = (cluster: string): string => `${cluster}-maintenance`;

/** A CronJob that goes over every database in its window, as the owners do; nothing where the settings have none. Its pods go in by the flow of those that check health. */
export function maintenanceObjects(settings: Settings, plan: Plan): PlannedObject[] {
  const { cluster, maintenance, labels } = settings;
  if (maintenance === undefined) return [];
  const logins = cluster.databases.map(({ name, owner }) => ({
    database: name,
    owner,
    ...credentialOf(plan.credentials, owner),
  }));
  const arguments_ = logins.map((login) => {
    const { username, password } = keysOf(login);
    return [login.id, login.owner, login.database, username, password].join("|");
  });
  const byId = new Map(logins.map((login) => [login.id, { ...login, keys: Object.values(keysOf(login)) }]));
  const files = loginsVolume([...byId.values()]);
  const own = { ...healthCheckLabels, [clusterLabel]: cluster.name };
  return [
    {
      id: "vacuum",
      stage: 0,
      object: {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: {
          name: maintenanceName(cluster.name),
          namespace: cluster.namespace,
          labels: { [clusterLabel]: cluster.name },
        },
        spec: oneAtATime(
          {
            schedule: maintenance.schedule,
            timeZone: maintenance.timeZone,
            lateSeconds: maintenance.minutes * 60,
            keeps: { successful: 1, failed: 2 },
          },
          {
            spec: {
              backoffLimit: 0,
              ttlSecondsAfterFinished: 24 * 3600,
              activeDeadlineSeconds: maintenance.minutes * 60 + GRACE_SECONDS,
              template: {
                metadata: { labels: { ...labels, ...own } },
                spec: clientPodSpec(settings, plan, {
                  name: "vacuum",
                  command: ["bash", "-c", script, "maintenance", ...arguments_],
                  variables: {
                    PGHOST: plan.endpoints.primary.host,
                    PGCONNECT_TIMEOUT: "10",
                    LOGINS: files.mount.mountPath,
                    WINDOW_SECONDS: String(maintenance.minutes * 60),
                  },
                  mounts: [files.mount],
                  volumes: [files.volume],
                }),
              },
            },
          },
        ),
      },
    },
  ];
}
