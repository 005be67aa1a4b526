import { asset } from "../../../shell/asset";
import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { environment, hardened, restrictedPod } from "../../containers";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { roleLabels, roles, serviceHost } from "../../names";
import { wantedRoles } from "../../postgres/roles";
import { applyScript, scriptFiles } from "../../postgres/sql/scripts";
import { sourcedRole } from "../../secrets/source";
import { oneAtATime } from "../../cronJob";
import { caSource } from "../../tls";
import { metricsSecret, operatorSecret, ports, services, superuser } from "./names";
import { server } from "./image";
import { furtherConfiguration } from "./timing";

/**
 * The Job that makes roles, databases and what belongs in them, and sets Patroni's further configuration, which a CronJob keeps so. The operator could make roles,
 * but sets every password again, with a new salt, at each of its rounds, and PgBouncer logs in with keys that hold for one salt.
 */

export const sqlLabels = (cluster: string): Record<string, string> => roleLabels(cluster, "sql");

const patroniScript = asset(__dirname, "patroni.py");

const paths = { files: "/settings", passwords: "/passwords", tls: "/tls" } as const;
const setFurther = `python3 ${paths.files}/patroni.py`;
const command = `bash ${paths.files}/apply.sh ${paths.files} ${paths.passwords} && ${setFurther}`;

/** How often Patroni's further configuration is checked: a cluster that is set up again begins without it. */
const UPKEEP_SCHEDULE = "*/5 * * * *";

interface Work {
  readonly command: string;
  readonly env: readonly object[];
  /** Beside the folder of the applied files: where each is mounted, and what it is. */
  readonly volumes: readonly { readonly name: string; readonly mountPath: string; readonly source: object }[];
}

const patroniVariables = ({ cluster }: Settings): object[] =>
  environment({
    PATRONI_URL: `http://${serviceHost(services.any(cluster.name), cluster.namespace)}:${ports.status}`,
    PATRONI_CONFIGURATION: JSON.stringify(furtherConfiguration),
  });

function podSpec(settings: Settings, name: string, work: Work): Record<string, unknown> {
  const { images } = settings;
  const volumes = [
    {
      name: "files",
      mountPath: paths.files,
      source: { configMap: { name, defaultMode: 0o444 } },
      readOnly: true,
    },
    ...work.volumes.map((volume) => ({ ...volume, readOnly: true })),
    // bash keeps here-strings in files.
    {
      name: "tmp",
      mountPath: "/tmp",
      source: { emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      readOnly: false,
    },
  ];
  return {
    restartPolicy: "OnFailure",
    ...restrictedPod(settings, server, 5),
    containers: [
      {
        name: "sql",
        image: images.postgresql,
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/bash", "-c", work.command],
        env: work.env,
        securityContext: hardened,
        resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
        volumeMounts: volumes.map(({ name: volume, mountPath, readOnly }) => ({
          name: volume,
          mountPath,
          ...(readOnly && { readOnly }),
        })),
      },
    ],
    volumes: volumes.map(({ name: volume, source }) => ({ name: volume, ...source })),
  };
}

/** Applies SQL as the superuser, then sets Patroni's further configuration. */
function applying(settings: Settings): Work {
  const { cluster } = settings;
  const host = serviceHost(services.primary(cluster.name), cluster.namespace);
  const tls = { sslmode: "verify-full", sslrootcert: `${paths.tls}/ca.crt` };
  const login = {
    PGHOST: host,
    PGPORT: String(ports.postgres),
    PGUSER: superuser,
    PGSSLMODE: tls.sslmode,
    PGSSLROOTCERT: tls.sslrootcert,
    APPLY_LOGIN: `host=${host} port=${ports.postgres} sslmode=${tls.sslmode} sslrootcert=${tls.sslrootcert}`,
  };
  const passwordFile = (secretName: string, role: string) => ({
    secret: { name: secretName, items: [{ key: "password", path: role }] },
  });
  const passwords = [
    ...wantedRoles(settings).flatMap(({ name: role, secretName }) =>
      secretName === undefined ? [] : [passwordFile(secretName, role)],
    ),
    ...(sourcedRole(settings, roles.metrics)
      ? []
      : [passwordFile(metricsSecret(cluster.name), roles.metrics)]),
  ];
  return {
    command,
    env: [
      ...environment(login),
      ...patroniVariables(settings),
      {
        name: "PGPASSWORD",
        valueFrom: { secretKeyRef: { name: operatorSecret(cluster.name, superuser), key: "password" } },
      },
    ],
    volumes: [
      {
        name: "passwords",
        mountPath: paths.passwords,
        source: { projected: { defaultMode: 0o440, sources: passwords } },
      },
      {
        name: "tls",
        mountPath: paths.tls,
        source: { secret: caSource(settings, 0o444) },
      },
    ],
  };
}

/** What is applied, and the Job, whose name changes with it: another name is another Job, which Pulumi waits for. */
export function sqlObjects(settings: Settings): Omit<PlannedObject, "stage">[] {
  const { cluster } = settings;
  const name = `${cluster.name}-sql`;
  const labels = sqlLabels(cluster.name);
  const files = { ...scriptFiles(settings), "apply.sh": applyScript, "patroni.py": patroniScript };
  const spec = podSpec(settings, name, applying(settings));
  const digest = createHash("sha256").update(JSON.stringify({ files, spec })).digest("hex").slice(0, 10);
  const config: KubernetesObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: cluster.namespace, labels },
    data: files,
  };
  const job: KubernetesObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${name}-${digest}`, namespace: cluster.namespace, labels },
    spec: {
      // It may be repeated at any time, and is until it succeeds.
      backoffLimit: 1000,
      template: { metadata: { labels: { ...settings.labels, ...labels } }, spec },
    },
  };
  const upkeep: KubernetesObject = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: `${cluster.name}-upkeep`, namespace: cluster.namespace, labels },
    spec: oneAtATime(
      { schedule: UPKEEP_SCHEDULE, lateSeconds: 60, keeps: { successful: 1, failed: 1 } },
      {
        metadata: { labels },
        spec: {
          backoffLimit: 0,
          template: {
            metadata: { labels: { ...settings.labels, ...labels } },
            spec: {
              ...podSpec(settings, name, {
                command: setFurther,
                env: patroniVariables(settings),
                volumes: [],
              }),
              restartPolicy: "Never",
            },
          },
        },
      },
    ),
  };
  return [
    { id: "sql", object: config },
    { id: "sql-job", object: job, waitFor: "condition=Complete" },
    { id: "upkeep", object: upkeep },
  ];
}
