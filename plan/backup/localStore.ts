import type { Settings } from "../../settings/schema";
import type { Labels } from "../network";
import type { KubernetesObject, PlannedObject } from "../objects";
import { environment, hardened, unprivileged, restrictedPod } from "../containers";
import { tlsNames } from "../names";
import { keyVariables, type Store } from "./store";
import { localBucket, localStorePort, storeLabels, storeName, storeNamespace } from "./storeNames";
import type { TargetOf } from "../../settings/schema/targets";

/** A store of the platform's own: versitygw, which serves S3 from a volume. What lies in it is lost with the Kubernetes cluster. */

const paths = { root: "/data", tls: "/tls" } as const;
const DEFAULT_SIZE = "10Gi";
/** Why objects of a local store outlive the stack. */
export const RETAINED = "backups outlive what they are of";

/** Names that the store's certificate carries. */
export const localStoreTlsNames = ({ cluster }: Settings, target: TargetOf<"local">): string[] =>
  tlsNames(storeName(cluster.name, target.name), storeNamespace(cluster));

const away = (weight: number, namespaces: readonly string[], labels: Labels) => ({
  weight,
  podAffinityTerm: {
    topologyKey: "kubernetes.io/hostname",
    namespaces,
    labelSelector: { matchLabels: labels },
  },
});

/** `instances`: labels of the pods that run the database. */
export function localStoreObjects(
  settings: Settings,
  target: TargetOf<"local">,
  store: Store,
  instances: Labels,
): PlannedObject[] {
  const { cluster, images } = settings;
  const name = storeName(cluster.name, target.name);
  const labels = storeLabels(cluster.name, target.name);
  const metadata = { name, namespace: storeNamespace(cluster), labels };
  const service: KubernetesObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector: labels, ports: [{ name: "s3", port: localStorePort, protocol: "TCP" }] },
  };
  const set: KubernetesObject = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata,
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: labels },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      template: {
        metadata: { labels: { ...settings.labels, ...labels } },
        spec: {
          ...restrictedPod(settings, unprivileged, 10),
          // Copies shouldn't go with what they are of: a node without another store, and without an instance, where there is one.
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                away(100, [metadata.namespace], { "app.kubernetes.io/name": "versitygw" }),
                away(50, [cluster.namespace], instances),
              ],
            },
          },
          containers: [
            {
              name: "store",
              image: images.objectStore,
              imagePullPolicy: "IfNotPresent",
              securityContext: hardened,
              resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } },
              args: ["posix", paths.root],
              env: [
                ...keyVariables(store, {
                  accessKeyId: "ROOT_ACCESS_KEY_ID",
                  secretAccessKey: "ROOT_SECRET_ACCESS_KEY",
                }),
                ...environment({
                  VGW_PORT: `:${localStorePort}`,
                  VGW_REGION: store.region,
                  VGW_CERT: `${paths.tls}/tls.crt`,
                  VGW_KEY: `${paths.tls}/tls.key`,
                  VGW_HEALTH: "/health",
                  VGW_QUIET: "true",
                }),
              ],
              ports: [{ name: "s3", containerPort: localStorePort, protocol: "TCP" }],
              readinessProbe: {
                httpGet: { path: "/health", port: localStorePort, scheme: "HTTPS" },
                periodSeconds: 2,
              },
              volumeMounts: [
                { name: "root", mountPath: paths.root },
                // A folder below the root is a bucket.
                { name: "data", mountPath: `${paths.root}/${localBucket}` },
                { name: "tls", mountPath: paths.tls, readOnly: true },
              ],
            },
          ],
          volumes: [
            // The root itself holds locks of objects that are being written.
            { name: "root", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
            { name: "tls", secret: { secretName: `${name}-server`, defaultMode: 0o440 } },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: "data", labels },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: target.size ?? DEFAULT_SIZE } },
            ...(cluster.storage.class !== undefined && { storageClassName: cluster.storage.class }),
          },
        },
      ],
    },
  };
  return [
    { id: `store-${target.name}-service`, stage: 0, object: service, retain: RETAINED },
    { id: `store-${target.name}`, stage: 0, object: set, retain: RETAINED },
  ];
}
