import { asset } from "../../../shell/asset";
import type { Settings } from "../../../settings/schema";
import { environment, hardened, restrictedPod, tmpMount, tmpVolume, unprivileged } from "../../containers";
import { clusterLabel, roleLabel, roles, secretNames, serviceHost } from "../../names";
import { type Flow, type Pods, tcp } from "../../network";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { apiServerFlows, clusterPods } from "./flows";
import { caSource } from "../../tls";
import { ports } from "./names";

/** Two pods of which one deletes a primary that answers nothing, so that the operator replaces it; `watchdog.py` explains itself. */

const script = asset(__dirname, "watchdog.py");

const caFolder = "/ca";
/** The program makes this file once it has looked. */
const READY = `${tmpMount.mountPath}/ready`;

export const watchdogName = (cluster: string): string => `${cluster}-watchdog`;

const labelsOf = (cluster: string): Record<string, string> => ({
  [clusterLabel]: cluster,
  [roleLabel]: "watchdog",
});

const podsOf = ({ name, namespace }: Settings["cluster"]): Pods => ({
  kind: "pods",
  name: "watchdog",
  namespace,
  labels: labelsOf(name),
});

export function watchdogFlows(settings: Settings): Flow[] {
  const { cluster } = settings;
  if (cluster.watchdogSeconds === undefined) return [];
  const pods = podsOf(cluster);
  return [
    tcp("watchdog-instances", pods, clusterPods(cluster), ports.postgres, "the watchdog asks each instance"),
    ...apiServerFlows(
      settings,
      "watchdog-api-server",
      pods,
      "the watchdog takes its Lease, and deletes a silent primary's pod",
    ),
  ];
}

/** What it may do, and no more: a Role can't tell the primary's pod from others of the namespace. */
const rules = (cluster: string) => [
  {
    apiGroups: ["postgresql.cnpg.io"],
    resources: ["clusters"],
    resourceNames: [cluster],
    verbs: ["get"],
  },
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "delete"] },
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: [watchdogName(cluster)],
    verbs: ["get", "update"],
  },
  // A name can't be asked for where something is made.
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
];

function podSpec(settings: Settings, silence: number) {
  const { cluster, images } = settings;
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    ...restrictedPod(settings, unprivileged, 5),
    // Kubernetes' API is what it works on.
    automountServiceAccountToken: true,
    serviceAccountName: watchdogName(cluster.name),
    // One is left when a node is lost, the primary's too.
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: labelsOf(cluster.name) },
      },
    ],
    containers: [
      {
        name: "watchdog",
        image: images.backupSidecar,
        imagePullPolicy: "IfNotPresent",
        command: ["python3", "-u", "-c", script],
        env: [
          ...environment({
            CLUSTER: cluster.name,
            SILENCE: String(silence),
            REQUIRED: cluster.durability === "zero-loss" ? "1" : "0",
            READY,
            HOME: tmpMount.mountPath,
            PGHOST: serviceHost(`${cluster.name}-rw`, cluster.namespace),
            PGUSER: roles.health,
            PGDATABASE: cluster.databases[0]?.name ?? "postgres",
            PGSSLMODE: "verify-full",
            PGSSLROOTCERT: `${caFolder}/ca.crt`,
          }),
          field("NAMESPACE", "metadata.namespace"),
          field("POD", "metadata.name"),
          {
            name: "PGPASSWORD",
            valueFrom: { secretKeyRef: { name: secretNames.health(cluster.name), key: "password" } },
          },
        ],
        securityContext: hardened,
        resources: { requests: { cpu: "20m", memory: "48Mi" }, limits: { cpu: "500m", memory: "96Mi" } },
        readinessProbe: { exec: { command: ["python3", "-c", `open("${READY}")`] }, periodSeconds: 10 },
        volumeMounts: [{ name: "ca", mountPath: caFolder, readOnly: true }, tmpMount],
      },
    ],
    volumes: [
      { name: "ca", secret: caSource(settings, 0o440) },
      tmpVolume({ medium: "Memory", sizeLimit: "1Mi" }),
    ],
  };
}

/** Nothing where the settings have no watchdog. */
export function watchdogObjects(settings: Settings): PlannedObject[] {
  const { cluster } = settings;
  if (cluster.watchdogSeconds === undefined) return [];
  const name = watchdogName(cluster.name);
  const { namespace } = cluster;
  const labels = labelsOf(cluster.name);
  const metadata = { name, namespace, labels };
  const rbac = "rbac.authorization.k8s.io";
  const objects: Record<string, KubernetesObject> = {
    account: { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
    role: { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules: rules(cluster.name) },
    binding: {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    pods: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels: { ...settings.labels, ...labels } },
          spec: podSpec(settings, cluster.watchdogSeconds),
        },
      },
    },
  };
  return Object.entries(objects).map(([id, object]) => ({ id: `watchdog-${id}`, stage: 1, object }));
}
