import { asset } from "../../shell/asset";
import type { Settings } from "../../settings/schema";
import { clientOwner, environment, hardened, restrictedPod, tmpMount, tmpVolume } from "../containers";
import type { EngineTraits } from "../engines/planner";
import {
  clusterLabel,
  helperRoles,
  poolerPeersName,
  poolerPorts,
  roleLabels,
  roles,
  secretNames,
} from "../names";
import { type Flow, podsOfRole, tcp } from "../network";
import type { KubernetesObject, PlannedObject } from "../objects";
import type { Plan } from "../plan";
import type { PoolerPlan } from "../pooler/plan";
import { caSource } from "../tls";
import { sourcedRoles } from "./source";

/**
 * The login reloader: one pod beside the cluster, the same for every engine, that gives PostgreSQL's logins the passwords that Secrets of another owner
 * say. It has no access to Kubernetes' API: the kubelet renews its files.
 */

const script = asset(__dirname, "reload.sh");

const paths = { logins: "/logins", tls: "/tls", state: "/run/logins" } as const;
const READY = `test -e ${paths.state}/ready`;

const nameOf = (cluster: string): string => `${cluster}-login-reloader`;
/** Service with the addresses of all instances. */
const instancesName = (cluster: string): string => `${cluster}-login-instances`;

const role = helperRoles.loginReloader;

/** Whom it asks; nobody where the stack owns all passwords. */
export function reloaderFlows(settings: Settings, plan: Plan, poolers: readonly PoolerPlan[]): Flow[] {
  if (sourcedRoles(settings).length === 0) return [];
  const pods = podsOfRole(settings.cluster, role);
  return [
    tcp(
      "login-reloader-instances",
      pods,
      plan.pods,
      plan.ports.postgres,
      "the login reloader sets passwords at the primary, and counts the sessions of each instance",
    ),
    ...poolers.map(({ name, pods: pooler }) =>
      tcp(
        `login-reloader-pooler-${name}`,
        pods,
        pooler,
        poolerPorts.metrics,
        "the login reloader counts the pooler's clients by their logins",
      ),
    ),
  ];
}

/** Never in the way of its start: a Secret that is missing is what it says. */
const loginFiles = (settings: Settings) =>
  sourcedRoles(settings).map(({ id, secretName, usernameKey, passwordKey }) => ({
    secret: {
      name: secretName,
      optional: true,
      items: [
        { key: usernameKey, path: `${id}/username` },
        { key: passwordKey, path: `${id}/password` },
      ],
    },
  }));

function podSpec(settings: Settings, plan: Plan) {
  const { cluster, images, secrets } = settings;
  const { primary, any } = plan.endpoints;
  const overlapMinutes = secrets.source === "generated" ? 0 : secrets.overlapMinutes;
  return {
    ...restrictedPod(settings, clientOwner, 5),
    containers: [
      {
        name: "reloader",
        image: images.postgresql,
        imagePullPolicy: "IfNotPresent",
        command: [
          "/bin/bash",
          "-c",
          script,
          "reload",
          ...sourcedRoles(settings).map(({ id, role, second }) => [id, role, second].join("|")),
        ],
        env: [
          ...environment({
            PGHOST: primary.host,
            PGPORT: String(primary.port),
            PGUSER: roles.logins,
            PGSSLMODE: "verify-full",
            PGSSLROOTCERT: `${paths.tls}/ca.crt`,
            // psql looks into its user's home, which in some images is closed to this one.
            HOME: tmpMount.mountPath,
            LOGINS: paths.logins,
            STATE: paths.state,
            OVERLAP_SECONDS: String(overlapMinutes * 60),
            INSTANCES: instancesName(cluster.name),
            INSTANCES_HOST: any.host,
            POOLERS: settings.poolers.map(({ name }) => poolerPeersName(cluster.name, name)).join(" "),
            POOLER_METRICS: String(poolerPorts.metrics),
          }),
          {
            name: "PGPASSWORD",
            valueFrom: {
              secretKeyRef: { name: secretNames.loginReloader(cluster.name), key: "password" },
            },
          },
        ],
        securityContext: hardened,
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
        // Each Secret's login works.
        readinessProbe: {
          exec: { command: ["/bin/bash", "-c", READY] },
          periodSeconds: 5,
          timeoutSeconds: 5,
        },
        volumeMounts: [
          { name: "logins", mountPath: paths.logins, readOnly: true },
          { name: "tls", mountPath: paths.tls, readOnly: true },
          { name: "state", mountPath: paths.state },
          tmpMount,
        ],
      },
    ],
    volumes: [
      { name: "logins", projected: { defaultMode: 0o440, sources: loginFiles(settings) } },
      { name: "tls", secret: caSource(settings, 0o440) },
      { name: "state", emptyDir: { sizeLimit: "1Mi" } },
      tmpVolume({ medium: "Memory", sizeLimit: "1Mi" }),
    ],
  };
}

/** The pod, and the name by which it finds every instance; nothing where the stack owns all passwords. */
export function reloaderObjects(settings: Settings, plan: Plan, engine: EngineTraits): PlannedObject[] {
  if (sourcedRoles(settings).length === 0) return [];
  const { cluster } = settings;
  const labels = roleLabels(cluster.name, role);
  const service: KubernetesObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: instancesName(cluster.name),
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
      // It has no address of its own to wait for.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      clusterIP: "None",
      // One that isn't ready may have sessions.
      publishNotReadyAddresses: true,
      selector: engine.instancePods.labels(cluster.name),
      ports: [
        {
          name: "postgres",
          port: plan.ports.postgres,
          targetPort: plan.ports.postgres,
          protocol: "TCP",
        },
      ],
    },
  };
  const deployment: KubernetesObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: nameOf(cluster.name), namespace: cluster.namespace, labels },
    spec: {
      replicas: 1,
      // Two would count, and set, the same.
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: { metadata: { labels: { ...settings.labels, ...labels } }, spec: podSpec(settings, plan) },
    },
  };
  return [
    { id: "instances", stage: 0, object: service },
    { id: "pod", stage: 0, object: deployment },
  ];
}
