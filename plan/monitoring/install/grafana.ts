import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { environment, hardened, restrictedPod, tmpMount, tmpVolume, type Owner } from "../../containers";
import { clusterLabel, serviceHost } from "../../names";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { dashboardObjects } from "../dashboards";
import { grafanaKeys, names, podLabels, ports, services, type Installation } from "./names";
import { goMemory, resources } from "./workloads";

/** A Grafana that shows the stack's dashboards, and keeps nothing: what it has is provisioned when it starts. */

/** User of the upstream image. */
const owner: Owner = { user: 472, group: 472 };

const paths = {
  provisioning: "/etc/grafana/provisioning",
  dashboards: "/etc/dashboards",
  data: "/var/lib/grafana",
  secret: "/etc/grafana-secret",
  ca: "/etc/prometheus-ca",
} as const;

/** Seconds between two looks at the files of the dashboards. */
const DASHBOARDS_SECONDS = 30;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A value out of a file, which Grafana itself reads, in its configuration as in what is provisioned. */
const inFile = (path: string): string => `$__file{${path}}`;

/** The installed Prometheus. */
const dataSources = ({ namespace, install }: Installation) => ({
  apiVersion: 1,
  datasources: [
    {
      name: "Prometheus",
      uid: "prometheus",
      type: "prometheus",
      access: "proxy",
      isDefault: true,
      editable: false,
      url: `${install.tls ? "https" : "http"}://${serviceHost(services.prometheus, namespace)}:${ports.prometheus}`,
      jsonData: {
        httpMethod: "POST",
        timeInterval: `${install.scrapeSeconds}s`,
        ...(install.tls && { tlsAuthWithCACert: true }),
      },
      ...(install.tls && { secureJsonData: { tlsCACert: inFile(`${paths.ca}/ca.crt`) } }),
    },
  ],
});

const providers = ({ cluster }: Settings) => ({
  apiVersion: 1,
  providers: [
    {
      name: "pgplatform",
      type: "file",
      folder: `PostgreSQL ${cluster.namespace} ${cluster.name}`,
      disableDeletion: true,
      allowUiUpdates: false,
      updateIntervalSeconds: DASHBOARDS_SECONDS,
      options: { path: paths.dashboards },
    },
  ],
});

/** Of Grafana's configuration what isn't its default: nobody but its admin comes in, and nothing is asked of the internet. */
const configuration = {
  GF_PATHS_DATA: paths.data,
  GF_PATHS_LOGS: `${paths.data}/log`,
  GF_PATHS_PLUGINS: `${paths.data}/plugins`,
  GF_PATHS_PROVISIONING: paths.provisioning,
  GF_LOG_MODE: "console",
  GF_SERVER_HTTP_PORT: String(ports.grafana),
  GF_SECURITY_ADMIN_USER: "admin",
  GF_SECURITY_ADMIN_PASSWORD: inFile(`${paths.secret}/${grafanaKeys.password}`),
  GF_SECURITY_SECRET_KEY: inFile(`${paths.secret}/${grafanaKeys.secretKey}`),
  GF_SECURITY_DISABLE_GRAVATAR: "true",
  GF_AUTH_ANONYMOUS_ENABLED: "false",
  GF_USERS_ALLOW_SIGN_UP: "false",
  GF_USERS_ALLOW_ORG_CREATE: "false",
  GF_ANALYTICS_REPORTING_ENABLED: "false",
  GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
  GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: "false",
  GF_NEWS_NEWS_FEED_ENABLED: "false",
  GF_SNAPSHOTS_ENABLED: "false",
  GF_SNAPSHOTS_EXTERNAL_ENABLED: "false",
  GF_PUBLIC_DASHBOARDS_ENABLED: "false",
  GF_PLUGINS_PREINSTALL_DISABLED: "true",
  GF_PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
  GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: "true",
} as const;

const health = (more: Record<string, unknown>) => ({
  httpGet: { path: "/api/health", port: "http" },
  timeoutSeconds: 5,
  ...more,
});

function deployment(
  settings: Settings,
  { namespace, install }: Installation,
  { image, memory, cpu }: NonNullable<Installation["install"]["grafana"]>,
  provisioning: Readonly<Record<string, string>>,
  dashboards: readonly KubernetesObject[],
): KubernetesObject {
  const labels = podLabels.grafana;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: names.grafana, namespace, labels },
    spec: {
      replicas: 1,
      // Sessions are each pod's own.
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          // Data sources are read when it starts; dashboards at any time.
          annotations: {
            "pgplatform.io/provisioning": createHash("sha256").update(json(provisioning)).digest("hex"),
          },
        },
        spec: {
          ...restrictedPod(settings, owner, 30),
          containers: [
            {
              name: names.grafana,
              image,
              imagePullPolicy: "IfNotPresent",
              securityContext: hardened,
              env: [...environment(configuration), goMemory(memory)],
              ports: [{ name: "http", containerPort: ports.grafana, protocol: "TCP" }],
              resources: resources(memory, "50m", cpu),
              // Its first start makes its tables.
              startupProbe: health({ periodSeconds: 2, failureThreshold: 90 }),
              readinessProbe: health({ periodSeconds: 10 }),
              livenessProbe: health({ periodSeconds: 30, failureThreshold: 5 }),
              volumeMounts: [
                { name: "data", mountPath: paths.data },
                tmpMount,
                ...["datasources", "dashboards"].map((kind) => ({
                  name: kind,
                  mountPath: `${paths.provisioning}/${kind}`,
                  readOnly: true,
                })),
                { name: "files", mountPath: paths.dashboards, readOnly: true },
                { name: "secret", mountPath: paths.secret, readOnly: true },
                ...(install.tls ? [{ name: "ca", mountPath: paths.ca, readOnly: true }] : []),
              ],
            },
          ],
          volumes: [
            { name: "data", emptyDir: { sizeLimit: "512Mi" } },
            tmpVolume({ sizeLimit: "128Mi" }),
            ...["datasources", "dashboards"].map((kind) => ({
              name: kind,
              configMap: { name: names.provisioning, items: [{ key: `${kind}.yaml`, path: `${kind}.yaml` }] },
            })),
            {
              name: "files",
              projected: {
                sources: dashboards.map(({ metadata }) => ({ configMap: { name: metadata.name } })),
              },
            },
            { name: "secret", secret: { secretName: names.grafanaSecret, defaultMode: 0o440 } },
            ...(install.tls
              ? [
                  {
                    name: "ca",
                    // Its key stays where it is.
                    secret: { secretName: names.tls, items: [{ key: "ca.crt", path: "ca.crt" }] },
                  },
                ]
              : []),
          ],
        },
      },
    },
  };
}

/** Nothing where the settings ask for no Grafana. */
export function grafanaObjects(settings: Settings, installation: Installation): PlannedObject[] {
  const { namespace, install } = installation;
  const { grafana } = install;
  if (grafana === undefined) return [];
  // Pods mount ConfigMaps of their own namespace alone: the same files as beside the cluster.
  const dashboards = dashboardObjects(settings).map(({ metadata, ...rest }): KubernetesObject => ({
    ...rest,
    metadata: {
      name: metadata.name,
      namespace,
      labels: { ...podLabels.grafana, [clusterLabel]: settings.cluster.name },
    },
  }));
  const provisioning = {
    "datasources.yaml": json(dataSources(installation)),
    "dashboards.yaml": json(providers(settings)),
  };
  const metadata = { namespace, labels: podLabels.grafana };
  return [
    ...dashboards.map((object) => ({
      id: object.metadata.name.slice(settings.cluster.name.length + 1),
      stage: 1,
      object,
    })),
    {
      id: "grafana-provisioning",
      stage: 1,
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: names.provisioning, ...metadata },
        data: provisioning,
      },
    },
    // Pulumi waits for a Service's pods, so both come at once.
    {
      id: "grafana-service",
      stage: 2,
      object: {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: names.grafana, ...metadata },
        spec: {
          type: "ClusterIP",
          selector: podLabels.grafana,
          ports: [{ name: "http", port: ports.grafana, targetPort: "http", protocol: "TCP" }],
        },
      },
    },
    {
      id: "grafana",
      stage: 2,
      object: deployment(settings, installation, grafana, provisioning, dashboards),
    },
  ];
}
