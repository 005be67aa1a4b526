import type { Settings } from "../../../settings/schema";
import type { OperatorCertificate } from "../../plan";
import type { KubernetesObject } from "../../objects";
import { secretNames } from "../../names";
import { copyOf } from "../../deployment";

/** The backup plugin of CloudNativePG, which its operator calls, out of the plugin's released manifest. */

const deploymentName = "barman-cloud";
/** Secrets with the certificates by which the operator and the plugin know each other: each trusts the certificate in the other's Secret. */
const tlsSecrets = { server: "barman-cloud-server-tls", client: "barman-cloud-client-tls" } as const;

/** The release has them made by cert-manager; here the platform makes them. */
const byCertManager = (object: KubernetesObject): boolean => object.apiVersion.startsWith("cert-manager.io/");

/** Whether a released object belongs to the plugin. */
export const ofPlugin = (object: KubernetesObject): boolean =>
  byCertManager(object) ||
  /barman/.test(object.metadata.name) ||
  /barman/.test((object.spec as { group?: string } | undefined)?.group ?? "");

function adaptDeployment(released: KubernetesObject, settings: Settings): KubernetesObject {
  const { cluster, images, registries } = settings;
  const deployment = copyOf(released, settings);
  const { spec: pod } = deployment.spec.template;
  const container = pod.containers.find(({ name }) => name === deploymentName);
  const sidecar = container?.env.find(({ name }) => name === "SIDECAR_IMAGE");
  if (!container || !sidecar)
    throw new Error(
      `the plugin's released Deployment ${deploymentName} has no container of that name with SIDECAR_IMAGE`,
    );
  container.image = images.backupPlugin;
  container.imagePullPolicy = "IfNotPresent";
  container.args = container.args.map((arg) => (arg.startsWith("--log-level") ? "--log-level=info" : arg));
  container.resources = {
    requests: { cpu: "20m", memory: "64Mi" },
    limits: { cpu: settings.operator.cpu ?? "500m", memory: settings.operator.memory ?? "128Mi" },
  };
  delete sidecar.valueFrom;
  sidecar.value = images.backupSidecar;
  if (registries.length > 0) pod.imagePullSecrets = [{ name: secretNames.registries(cluster.name) }];
  return deployment;
}

/** The plugin's objects for these settings. */
export const pluginObjects = (
  settings: Settings,
  released: readonly KubernetesObject[],
): KubernetesObject[] =>
  released
    .filter((object) => !byCertManager(object) && object.kind !== "Secret")
    .map((object) => (object.kind === "Deployment" ? adaptDeployment(object, settings) : object));

export const pluginCertificates: readonly OperatorCertificate[] = [
  { id: "plugin-server", use: "server", secretName: tlsSecrets.server, names: [deploymentName] },
  { id: "plugin-client", use: "client", secretName: tlsSecrets.client, names: [`${deploymentName}-client`] },
];
