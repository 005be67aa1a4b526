import { asset } from "../../../shell/asset";
import type { Settings } from "../../../settings/schema";
import { environment, hardened, restrictedPod, tmpMount, tmpVolume, unprivileged } from "../../containers";
import { helperRoles, roleLabels, topologyKeys } from "../../names";
import { apiServerFlows, type Flow, podsOfRole, tcp } from "../../network";
import { asHealth, type Reached, serverCa, serverCaMount } from "../../backup/pods";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { clusterPods } from "./flows";
import { ports } from "./names";

/** Two pods of which one deletes a primary that answers nothing, so that the operator replaces it; `watchdog.py` explains itself. */

const script = asset(__dirname, "watchdog.py");

const role = helperRoles.watchdog;
/** The program makes this file once it has looked. */
const READY = `${tmpMount.mountPath}/ready`;

export const watchdogName = (cluster: string): string => `${cluster}-watchdog`;

export function watchdogFlows(settings: Settings): Flow[] {
  const { cluster } = settings;
  if (cluster.watchdogSeconds === undefined) return [];
  const pods = podsOfRole(cluster, role);
  return [
    tcp("watchdog-instances", pods, clusterPods(cluster), ports.postgres, "the watchdog asks each instance"),
    ...apiServerFlows(
      settings,
      pods,
      "the watchdog takes its Lease, and deletes a silent primary's pod",
      role,
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

function podSpec(settings: Settings, plan: Reached, silence: number) {
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
        topologyKey: topologyKeys.host,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: roleLabels(cluster.name, role) },
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
          }),
          field("NAMESPACE", "metadata.namespace"),
          field("POD", "metadata.name"),
          ...asHealth(settings, plan),
        ],
        securityContext: hardened,
        resources: { requests: { cpu: "20m", memory: "48Mi" }, limits: { cpu: "500m", memory: "96Mi" } },
        readinessProbe: { exec: { command: ["python3", "-c", `open("${READY}")`] }, periodSeconds: 10 },
        volumeMounts: [serverCaMount, tmpMount],
      },
    ],
    volumes: [serverCa(plan), tmpVolume({ medium: "Memory", sizeLimit: "1Mi" })],
  };
}

/** Nothing where the settings have no watchdog. */
export function watchdogObjects(settings: Settings, plan: Reached): PlannedObject[] {
  const { cluster } = settings;
  if (cluster.watchdogSeconds === undefined) return [];
  const name = watchdogName(cluster.name);
  const { namespace } = cluster;
  const labels = roleLabels(cluster.name, role);
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
          spec: podSpec(settings, plan, cluster.watchdogSeconds),
        },
      },
    },
  };
  return Object.entries(objects).map(([id, object]) => ({ id: `watchdog-${id}`, stage: 1, object }));
}
