import type { Settings } from "../../../settings/schema";
import { environment, restrictedPod, unprivileged } from "../../containers";
import { exporterContainer, exporterFiles, exporterVolume } from "../../monitoring/exporterContainer";
import { clusterLabel, helperRoles, roleLabels, roles, serviceHost, tlsNames } from "../../names";
import { type Flow, type Peer, tcp } from "../../network";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { sourcedRole } from "../../secrets/source";
import { caSource } from "../../tls";
import { instanceLabels, metricsSecret, ports } from "./names";

/**
 * The metrics exporters: one for each instance, in a pod of its own. The operator gives each container beside a server the superuser's password, the
 * volume with the data, and the user that these belong to; nothing in its custom resource can refuse that.
 */

const instances = ({ name, instances: count }: Settings["cluster"]): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

const exporterName = (instance: string): string => `${instance}-exporter`;
const queriesName = (cluster: string): string => `${cluster}-exporter-queries`;
/** Name by which an exporter finds its instance, wherever that runs. */
const serverService = (instance: string): string => `${instance}-server`;

/** Names by which exporters find the instances: the servers' certificate carries them. */
export const exporterTlsNames = (cluster: Settings["cluster"]): string[] =>
  instances(cluster).flatMap((instance) => tlsNames(serverService(instance), cluster.namespace));

/** Label with the name of the instance that an exporter asks. */
export const instanceLabel = "pgplatform.io/instance";
/** Selects all exporters of a cluster. */
export const exporterLabels = (cluster: string): Record<string, string> =>
  roleLabels(cluster, helperRoles.metrics);

export const exporterPeer = ({ name, namespace }: Settings["cluster"]): Extract<Peer, { kind: "pods" }> => ({
  kind: "pods",
  name: "exporters",
  namespace,
  labels: exporterLabels(name),
});

export const exporterFlows = (settings: Settings, servers: Peer): Flow[] => [
  tcp(
    "exporter",
    exporterPeer(settings.cluster),
    servers,
    ports.postgres,
    "each metrics exporter asks its instance, as a role that reads statistics alone",
  ),
];

const ca = "/tls/ca.crt";
const CA_VOLUME = "tls";
const loginPath = "/login";

function service(
  settings: Settings,
  name: string,
  selector: Record<string, string>,
  port: "postgres" | "metrics",
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: settings.cluster.namespace,
      labels: { [clusterLabel]: settings.cluster.name },
      // An instance that isn't there yet is no fault of its Service's.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector,
      ports: [{ name: port, port: ports[port], targetPort: ports[port], protocol: "TCP" }],
    },
  };
}

function deployment(settings: Settings, instance: string): KubernetesObject {
  const { cluster, labels } = settings;
  const own = { ...exporterLabels(cluster.name), [instanceLabel]: instance };
  const server = serviceHost(serverService(instance), cluster.namespace);
  // In files, which only this user reads, and not in the environment. A Secret that changes under the pod has exporter.sh start the program again.
  const sourced = sourcedRole(settings, roles.metrics);
  const { secretName, passwordKey } = sourced ?? {
    secretName: metricsSecret(cluster.name),
    passwordKey: "password",
  };
  const login = {
    name: "login",
    secret: {
      secretName,
      defaultMode: 0o440,
      items: [
        ...(sourced ? [{ key: sourced.usernameKey, path: "username" }] : []),
        { key: passwordKey, path: "password" },
      ],
    },
  };
  const variables = environment({
    DATA_SOURCE_URI: `${server}:${ports.postgres}/postgres?sslmode=verify-full&sslrootcert=${ca}&connect_timeout=5`,
    ...(sourced ? { DATA_SOURCE_USER_FILE: `${loginPath}/username` } : { DATA_SOURCE_USER: roles.metrics }),
    DATA_SOURCE_PASS_FILE: `${loginPath}/password`,
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: exporterName(instance),
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
    },
    spec: {
      replicas: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: own },
      template: {
        metadata: { labels: { ...labels, ...own } },
        spec: {
          ...restrictedPod(settings, unprivileged, 5),
          containers: [
            exporterContainer(settings, ports.metrics, variables, [
              { name: CA_VOLUME, mountPath: "/tls", readOnly: true },
              { name: login.name, mountPath: loginPath, readOnly: true },
            ]),
          ],
          volumes: [
            exporterVolume(queriesName(cluster.name)),
            {
              name: CA_VOLUME,
              secret: caSource(settings, 0o444),
            },
            login,
          ],
        },
      },
    },
  };
}

export const exporterObjects = (settings: Settings): Omit<PlannedObject, "stage">[] => [
  {
    id: "exporter-queries",
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: queriesName(settings.cluster.name),
        namespace: settings.cluster.namespace,
        labels: { [clusterLabel]: settings.cluster.name },
      },
      data: exporterFiles(settings, ports.metrics),
    },
  },
  ...instances(settings.cluster).flatMap((instance, index) => [
    {
      id: `instance-${index}`,
      object: service(
        settings,
        serverService(instance),
        { ...instanceLabels(settings.cluster.name), "statefulset.kubernetes.io/pod-name": instance },
        "postgres",
      ),
    },
    {
      id: `exporter-${index}-service`,
      object: service(
        settings,
        exporterName(instance),
        { ...exporterLabels(settings.cluster.name), [instanceLabel]: instance },
        "metrics",
      ),
    },
    { id: `exporter-${index}`, object: deployment(settings, instance) },
  ]),
];
