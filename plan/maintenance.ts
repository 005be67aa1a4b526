import { asset } from "../shell/asset";
import type { Settings } from "../settings/schema";
import { clientOwner, environment, hardened, restrictedPod } from "./containers";
import { clusterLabel, healthCheckLabels } from "./names";
import type { PlannedObject } from "./objects";
import type { Plan } from "./plan";
import { credentialOf, keysOf } from "./postgres/roles";
import { caSource } from "./tls";

/** What a Job needs beside the window: its pod's start, and the end of a statement that is cancelled. */
const GRACE_SECONDS = 300;

const script = asset(__dirname, "maintenance.sh");

export const maintenanceName = (cluster: string): string => `${cluster}-maintenance`;

/** A CronJob that goes over every database in its window, as the owners do; nothing where the settings have none. Its pods go in by the flow of those that check health. */
export function maintenanceObjects(settings: Settings, plan: Plan): PlannedObject[] {
  const { cluster, maintenance, images, labels } = settings;
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
  const secrets = new Map(logins.map((login) => [login.id, login]));
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
        spec: {
          schedule: maintenance.schedule,
          timeZone: maintenance.timeZone,
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: maintenance.minutes * 60,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 2,
          jobTemplate: {
            spec: {
              backoffLimit: 0,
              ttlSecondsAfterFinished: 24 * 3600,
              activeDeadlineSeconds: maintenance.minutes * 60 + GRACE_SECONDS,
              template: {
                metadata: { labels: { ...labels, ...own } },
                spec: {
                  restartPolicy: "Never",
                  ...restrictedPod(settings, clientOwner, 1),
                  containers: [
                    {
                      name: "vacuum",
                      image: images.postgresql,
                      imagePullPolicy: "IfNotPresent",
                      command: ["bash", "-c", script, "maintenance", ...arguments_],
                      env: environment({
                        PGHOST: plan.endpoints.primary.host,
                        PGPORT: String(plan.endpoints.primary.port),
                        PGSSLMODE: "verify-full",
                        PGSSLROOTCERT: "/tls/ca.crt",
                        PGCONNECT_TIMEOUT: "10",
                        HOME: "/tmp",
                        LOGINS: "/logins",
                        WINDOW_SECONDS: String(maintenance.minutes * 60),
                      }),
                      securityContext: hardened,
                      resources: {
                        requests: { cpu: "10m", memory: "32Mi" },
                        limits: { cpu: "500m", memory: "128Mi" },
                      },
                      volumeMounts: [
                        { name: "tls", mountPath: "/tls", readOnly: true },
                        { name: "logins", mountPath: "/logins", readOnly: true },
                      ],
                    },
                  ],
                  volumes: [
                    { name: "tls", secret: caSource(settings, 0o440) },
                    {
                      name: "logins",
                      projected: {
                        defaultMode: 0o440,
                        sources: [...secrets.values()].map((login) => ({
                          secret: {
                            name: login.secretName,
                            items: Object.values(keysOf(login)).map((key) => ({
                              key,
                              path: `${login.id}/${key}`,
                            })),
                          },
                        })),
                      },
                    },
                  ],
                },
              },
            },
          },
        },
      },
    },
  ];
}
