import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Images, PoolerSettings, Settings } from "../../settings/schema";
import { asset } from "../../shell/asset";
import {
  environment,
  hardened,
  restrictedPod,
  serveMetrics,
  tmpMount,
  tmpVolume,
  unprivileged,
} from "../containers";
import { poolerName, poolerPorts, roles, secretNames, serviceHost } from "../names";
import type { Pods } from "../network";
import type { KubernetesObject, PlannedObject } from "../objects";
import { monitor } from "./names";
import type { Monitored } from "./monitored";

/** The pod that says what no exporter says: when certificates end, and whether a client can log in through the poolers. */

/** The settings' images that it runs, beside that of the poolers through which it logs in. */
export const monitorImages = ["backupTools"] as const satisfies readonly (keyof Images)[];

const names = ["certificates.sh", "logins.sh"] as const;
const scripts = Object.fromEntries(names.map((name) => [name, asset(join(__dirname, "scripts"), name)]));

/** Kubernetes brings a renewed Secret to the pod within about a minute. */
const SECONDS_BETWEEN = 60;
/** A login that takes longer doesn't work, for those who wait. */
const LOGIN_SECONDS = 5;
const SECONDS_BETWEEN_LOGINS = 15;

/** The poolers through which it logs in: the role of the health check may enter the first database alone. */
export const triedPoolers = ({ cluster, poolers }: Settings): PoolerSettings[] =>
  poolers.filter(({ database }) => database === cluster.databases[0]?.name);

function loginsContainer(settings: Settings) {
  const { cluster } = settings;
  const hosts = triedPoolers(settings).map(
    ({ name }) => `${name}=${serviceHost(poolerName(cluster.name, name), cluster.namespace)}`,
  );
  return {
    name: "logins",
    image: settings.images.pgbouncer,
    imagePullPolicy: "IfNotPresent",
    securityContext: hardened,
    resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { cpu: "200m", memory: "48Mi" } },
    command: ["bash", "/scripts/logins.sh"],
    env: environment({
      POOLERS: hosts.join(" "),
      PGUSER: roles.health,
      PGDATABASE: cluster.databases[0]?.name ?? "postgres",
      PGPORT: String(poolerPorts.service),
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/certificates/ca/tls.crt",
      PASSWORD: "/login/password",
      HOME: "/tmp",
      STATE: "/state",
      SECONDS_BETWEEN: String(SECONDS_BETWEEN_LOGINS),
      SECONDS_AT_MOST: String(LOGIN_SECONDS),
    }),
    volumeMounts: [
      { name: "scripts", mountPath: "/scripts", readOnly: true },
      { name: "state", mountPath: "/state" },
      { name: "ca", mountPath: "/certificates/ca", readOnly: true },
      { name: "login", mountPath: "/login", readOnly: true },
      tmpMount,
    ],
  };
}

export const monitorPeer = ({ settings: { cluster } }: Monitored): Pods => ({
  kind: "pods",
  name: monitor.role,
  namespace: cluster.namespace,
  labels: monitor.labels(cluster.name),
});

/** The certificates alone: no private key comes to the pod. */
function certificatesOf({ cluster: { tls } }: Monitored) {
  const { ca, server } = tls;
  return {
    server: { secretName: server.secretName, key: server.certificateKey },
    ca: { secretName: ca.secretName, key: ca.key },
  };
}

function deployment(monitored: Monitored): KubernetesObject {
  const { settings } = monitored;
  const { cluster, images, labels } = settings;
  const certificates = Object.entries(certificatesOf(monitored));
  const state = { name: "state", mountPath: "/state" };
  const folder = "/certificates";
  const own = monitor.labels(cluster.name);
  const logsIn = triedPoolers(settings).length > 0;
  const digest = createHash("sha256").update(JSON.stringify(scripts)).digest("hex");
  const container = (memory: string) => ({
    image: images.backupTools,
    imagePullPolicy: "IfNotPresent",
    securityContext: hardened,
    resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { cpu: "100m", memory } },
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: monitor.name(cluster.name), namespace: cluster.namespace, labels: own },
    spec: {
      replicas: 1,
      selector: { matchLabels: own },
      template: {
        metadata: {
          labels: { ...labels, ...own },
          // The scripts are read when the pod starts.
          annotations: { "pgplatform.io/scripts": digest },
        },
        spec: {
          ...restrictedPod(settings, unprivileged, 5),
          containers: [
            {
              name: "certificates",
              ...container("32Mi"),
              command: ["sh", "/scripts/certificates.sh"],
              env: environment({
                CERTIFICATES: certificates.map(([of]) => of).join(" "),
                FOLDER: folder,
                STATE: state.mountPath,
                SECONDS_BETWEEN: String(SECONDS_BETWEEN),
              }),
              readinessProbe: {
                exec: { command: ["test", "-e", `${state.mountPath}/metrics.txt`] },
                periodSeconds: 2,
              },
              volumeMounts: [
                { name: "scripts", mountPath: "/scripts", readOnly: true },
                state,
                ...certificates.map(([of]) => ({
                  name: of,
                  mountPath: `${folder}/${of}`,
                  readOnly: true,
                })),
              ],
            },
            ...(logsIn ? [loginsContainer(settings)] : []),
            {
              name: "metrics",
              ...container("96Mi"),
              command: serveMetrics(state.mountPath, monitor.port),
              env: environment({ RCLONE_CONFIG: "/dev/null", HOME: "/tmp", GOMEMLIMIT: "48MiB" }),
              ports: [{ name: "metrics", containerPort: monitor.port, protocol: "TCP" }],
              volumeMounts: [{ ...state, readOnly: true }, tmpMount],
            },
          ],
          volumes: [
            { name: "scripts", configMap: { name: monitor.name(cluster.name) } },
            { name: state.name, emptyDir: { sizeLimit: "4Mi" } },
            tmpVolume({ sizeLimit: "4Mi" }),
            ...(logsIn
              ? [
                  {
                    name: "login",
                    secret: {
                      secretName: secretNames.health(cluster.name),
                      items: [{ key: "password", path: "password" }],
                      defaultMode: 0o440,
                    },
                  },
                ]
              : []),
            ...certificates.map(([of, { secretName, key }]) => ({
              name: of,
              secret: { secretName, items: [{ key, path: "tls.crt" }], defaultMode: 0o440 },
            })),
          ],
        },
      },
    },
  };
}

export function monitorPod(monitored: Monitored): PlannedObject[] {
  const { cluster } = monitored.settings;
  return [
    {
      id: "monitor-scripts",
      stage: 0,
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: monitor.name(cluster.name),
          namespace: cluster.namespace,
          labels: monitor.labels(cluster.name),
        },
        data: scripts,
      },
    },
    { id: "monitor", stage: 1, object: deployment(monitored) },
  ];
}
