import type { Settings } from "../../settings/schema";
import { shareOf } from "../../settings/sums/sizes";
import type { Flow, Labels } from "../network";
import { networkPolicies } from "../networkPolicies";
import { type KubernetesObject, type PlannedObject, withLabels } from "../objects";
import type { Plan } from "../plan";
import { podSecurity } from "../podSecurity";
import { environment, hardened, unprivileged, restrictedPod } from "../containers";
import { clusterLabel, tlsNames, topologyKeys } from "../names";
import { keyVariables, type Store, storeOf } from "./store";
import {
  defaultSize,
  localBucket,
  localStorePort,
  storeLabels,
  storeName,
  storeNamespace,
} from "./storeNames";
import type { TargetOf } from "../../settings/schema/targets";

/** A store of the platform's own: versitygw, which serves S3 from a volume. What lies in it is lost with the Kubernetes cluster. */

const paths = { root: "/data", tls: "/tls" } as const;
/** Why objects of a local store outlive the stack. */
const RETAINED = "backups outlive what they are of";

/** The stores of local targets, and the namespace that they share. */
export interface LocalStores {
  readonly namespace: { readonly name: string; readonly labels: Labels };
  /** The flows to the stores as network policies; everything else is denied. */
  readonly networkPolicies: readonly PlannedObject[];
  readonly stores: readonly LocalStore[];
}

export interface LocalStore {
  /** Name of the target. */
  readonly target: string;
  /** Names that its certificate carries, and the Secrets that it goes into. */
  readonly tls: Omit<Plan["tls"], "issuer">;
  readonly objects: readonly PlannedObject[];
}

/** `instances`: labels of the pods that run the database; `flows`: all that may pass. Undefined where no target is local. */
export function planLocalStores(
  settings: Settings,
  instances: Labels,
  flows: readonly Flow[],
): LocalStores | undefined {
  const { cluster, labels, backup } = settings;
  const name = storeNamespace(cluster);
  const stores = (backup?.targets ?? []).flatMap((target) => {
    const store = storeOf(settings, target);
    if (target.kind !== "local" || store.ca === undefined) return [];
    const service = storeName(cluster.name, target.name);
    return [
      {
        target: target.name,
        tls: {
          names: tlsNames(service, name),
          ca: store.ca,
          server: {
            secretName: `${service}-server`,
            certificateKey: "tls.crt",
            privateKeyKey: "tls.key",
          },
        },
        objects: withLabels(localStoreObjects(settings, target, store, instances), labels),
      },
    ];
  });
  if (stores.length === 0) return undefined;
  const policies = networkPolicies(cluster.name, name, flows);
  return {
    namespace: {
      name,
      labels: { ...labels, [clusterLabel]: cluster.name, ...podSecurity(true) },
    },
    networkPolicies: withLabels(policies, labels).map((policy) => ({ ...policy, retain: RETAINED })),
    stores,
  };
}

const away = (weight: number, namespaces: readonly string[], labels: Labels) => ({
  weight,
  podAffinityTerm: {
    topologyKey: topologyKeys.host,
    namespaces,
    labelSelector: { matchLabels: labels },
  },
});

function localStoreObjects(
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
              resources: {
                requests: { cpu: "50m", memory: "128Mi" },
                limits: { cpu: "1", memory: shareOf(settings.backup?.memory ?? "0", 4, "256Mi") },
              },
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
            // The root itself holds locks of objects that are being written. Not in memory: tmpfs has no user xattrs before Linux 6.6.
            { name: "root", emptyDir: { sizeLimit: "16Mi" } },
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
            resources: { requests: { storage: target.size ?? defaultSize } },
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
