import { hardened } from "../../hardened";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../../stacks/schema";
import type { KubernetesObject, PlannedObject } from "../../engine";
import { clusterLabel, roleLabel, roles, secretNames, serviceHost } from "../../names";
import { wantedRoles } from "../../postgres/roles";
import { applyScript, scriptFiles } from "../../postgres/sql/scripts";
import { metricsSecret, operatorSecret, ports, services, superuser, user } from "./names";
import { furtherConfiguration } from "./timing";

/**
 * The Job that makes roles, databases and what belongs in them, and sets Patroni's further configuration. The operator could make roles,
 * but sets every password anew, with a new salt, at each of its rounds, and PgBouncer logs in with keys that hold for one salt.
 */

export const sqlLabels = (cluster: string): Record<string, string> => ({
  [clusterLabel]: cluster,
  [roleLabel]: "sql",
});

const patroniScript = readFileSync(join(__dirname, "patroni.py"), "utf8");

const paths = { files: "/settings", passwords: "/passwords", tls: "/tls" } as const;
const command = `bash ${paths.files}/apply.sh ${paths.files} ${paths.passwords} && python3 ${paths.files}/patroni.py`;

function podSpec(settings: Settings, name: string): Record<string, unknown> {
  const { cluster, images, registries } = settings;
  const host = serviceHost(services.primary(cluster.name), cluster.namespace);
  const tls = { sslmode: "verify-full", sslrootcert: `${paths.tls}/ca.crt` };
  const environment: Record<string, string> = {
    PGHOST: host,
    PGPORT: String(ports.postgres),
    PGUSER: superuser,
    PGSSLMODE: tls.sslmode,
    PGSSLROOTCERT: tls.sslrootcert,
    APPLY_LOGIN: `host=${host} port=${ports.postgres} sslmode=${tls.sslmode} sslrootcert=${tls.sslrootcert}`,
    PATRONI_URL: `http://${serviceHost(services.any(cluster.name), cluster.namespace)}:${ports.status}`,
    PATRONI_CONFIGURATION: JSON.stringify(furtherConfiguration),
  };
  const passwordFile = (secretName: string, role: string) => ({
    secret: { name: secretName, items: [{ key: "password", path: role }] },
  });
  const passwords = [
    ...wantedRoles(settings).flatMap(({ name: role, secretName }) =>
      secretName === undefined ? [] : [passwordFile(secretName, role)],
    ),
    passwordFile(metricsSecret(cluster.name), roles.metrics),
  ];
  return {
    restartPolicy: "OnFailure",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user.id,
      runAsGroup: user.group,
      fsGroup: user.group,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(registries.length > 0 && { imagePullSecrets: [{ name: secretNames.registries(cluster.name) }] }),
    containers: [
      {
        name: "sql",
        image: images.postgresql,
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/bash", "-c", command],
        env: [
          ...Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
          {
            name: "PGPASSWORD",
            valueFrom: {
              secretKeyRef: { name: operatorSecret(cluster.name, superuser), key: "password" },
            },
          },
        ],
        securityContext: hardened,
        resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
        volumeMounts: [
          { name: "files", mountPath: paths.files, readOnly: true },
          { name: "passwords", mountPath: paths.passwords, readOnly: true },
          { name: "tls", mountPath: paths.tls, readOnly: true },
          // bash keeps here-strings in files.
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "files", configMap: { name, defaultMode: 0o444 } },
      { name: "passwords", projected: { defaultMode: 0o440, sources: passwords } },
      {
        name: "tls",
        secret: {
          secretName: `${cluster.name}-ca`,
          items: [{ key: "ca.crt", path: "ca.crt" }],
          defaultMode: 0o444,
        },
      },
      { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ],
  };
}

/** What is applied, and the Job, whose name changes with it: another name is another Job, which Pulumi waits for. */
export function sqlObjects(settings: Settings): Omit<PlannedObject, "stage">[] {
  const { cluster } = settings;
  const name = `${cluster.name}-sql`;
  const labels = sqlLabels(cluster.name);
  const files = { ...scriptFiles(settings), "apply.sh": applyScript, "patroni.py": patroniScript };
  const spec = podSpec(settings, name);
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
  return [
    { id: "sql", object: config },
    { id: "sql-job", object: job, waitFor: "condition=Complete" },
  ];
}
