import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Images } from "../../settings/schema";
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
import type { Pods } from "../network";
import type { KubernetesObject, PlannedObject } from "../objects";
import { monitor } from "./names";
import type { Monitored } from "./monitored";

/** The pod that says what no exporter says: when certificates end. */

/** The settings' images that it runs. */
export const monitorImages = ["backupTools"] as const satisfies readonly (keyof Images)[];

const name = "certificates.sh";
const script = asset(join(__dirname, "scripts"), name);

/** Kubernetes brings a renewed Secret to the pod within about a minute. */
const SECONDS_BETWEEN = 60;

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
          // The script is read when the pod starts.
          annotations: { "pgplatform.io/scripts": createHash("sha256").update(script).digest("hex") },
        },
        spec: {
          ...restrictedPod(settings, unprivileged, 5),
          containers: [
            {
              name: "certificates",
              ...container("32Mi"),
              command: ["sh", `/scripts/${name}`],
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
        data: { [name]: script },
      },
    },
    { id: "monitor", stage: 1, object: deployment(monitored) },
  ];
}
