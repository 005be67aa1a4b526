import type { Settings } from "../../../settings/schema";
import type { OperatorPlan } from "../../plan";
import type { KubernetesObject, PlannedObject } from "../../objects";
import { installedBy, secretNames, topologyKeys } from "../../names";
import { ofPlugin, pluginCertificates, pluginObjects } from "./plugin";
import { deploymentName, operatorNamespace, operatorPodLabels } from "./names";
import { copyOf } from "../../deployment";

const configName = "cnpg-controller-manager-config";

/** The released limit of a tenth of a core makes a failover wait for the operator's turn. */
const resources = ({ operator }: Settings) => ({
  requests: { cpu: "100m", memory: "128Mi" },
  limits: { cpu: operator.cpu ?? "1", memory: operator.memory ?? "512Mi" },
});

/**
 * Milliseconds after which a standby gives up a connection to a primary that has vanished without a word. The operator's own
 * 5 s are paid twice when a primary is cut off: once to notice, and once more in a connect to its old address.
 */
const STANDBY_TCP_USER_TIMEOUT = "1000";

/** Two, on two nodes where there are two: the loss of the primary's node must not stop the operator that handles it. */
const REPLICAS = 2;

/**
 * Seconds without a renewal after which the other replica leads, and after which the leading one gives up. The released 15 and
 * 10 s would be added to a failover whose operator is lost with the primary.
 */
const leadership = { lease: 8, renewal: 5 };

/** The Deployment with our image in both places: its container, and what it tells instances to copy their manager from. */
function adaptDeployment(released: KubernetesObject, settings: Settings): KubernetesObject {
  const { cluster, images, registries } = settings;
  const deployment = copyOf(released, settings);
  const image = images.operator;
  const spec = deployment.spec;
  const pod = spec.template.spec;
  const manager = pod.containers.find(({ name }) => name === "manager");
  const imageName = manager?.env.find(({ name }) => name === "OPERATOR_IMAGE_NAME");
  if (!manager || !imageName)
    throw new Error(
      `the operator's released Deployment ${deploymentName} has no container "manager" with OPERATOR_IMAGE_NAME`,
    );
  manager.image = image;
  imageName.value = image;
  manager.imagePullPolicy = "IfNotPresent";
  manager.resources = resources(settings);
  manager.env.push({ name: "STANDBY_TCP_USER_TIMEOUT", value: STANDBY_TCP_USER_TIMEOUT });
  manager.args.push(
    `--leader-lease-duration=${leadership.lease}`,
    `--leader-renew-deadline=${leadership.renewal}`,
  );
  spec.replicas = REPLICAS;
  pod.affinity = {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: topologyKeys.host,
            labelSelector: { matchLabels: operatorPodLabels },
          },
        },
      ],
    },
  };
  if (registries.length > 0) pod.imagePullSecrets = [{ name: secretNames.registries(cluster.name) }];
  deployment.metadata.annotations = {
    ...deployment.metadata.annotations,
    // A second stack that would install an operator of its own is refused by this.
    [installedBy]: `${cluster.namespace}/${cluster.name}`,
  };
  return deployment;
}

const configuration = ({ images }: Settings): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: configName, namespace: operatorNamespace },
  data: { POSTGRES_IMAGE_NAME: images.postgresql },
});

/** Namespace and CRDs, then what the operator reads when it starts, then the operator with its Service. */
function stageOf(object: KubernetesObject): number {
  const { kind } = object;
  if (kind === "Namespace" || kind === "CustomResourceDefinition") return 0;
  // The Service counts as ready when the Deployment's pods answer behind it, so that neither may wait for the other.
  // The plugin's has a finalizer of the operator's, which must still be there when it goes.
  if (kind === "Deployment" || kind === "Service") return kind === "Service" && ofPlugin(object) ? 3 : 2;
  return 1;
}

const kindId: Record<string, string> = {
  Namespace: "namespace",
  CustomResourceDefinition: "crd",
  ServiceAccount: "account",
  Role: "namespace-role",
  RoleBinding: "namespace-binding",
  ClusterRole: "role",
  ClusterRoleBinding: "binding",
  ConfigMap: "config",
  Service: "service",
  Deployment: "deployment",
  MutatingWebhookConfiguration: "mutating-webhooks",
  ValidatingWebhookConfiguration: "validating-webhooks",
};

const idOf = ({ kind, metadata }: KubernetesObject): string =>
  `${kindId[kind] ?? kind.toLowerCase()}-${metadata.name.replace(/\.postgresql\.cnpg\.io$/, "").replace(/^cnpg-/, "")}`;

function planned(object: KubernetesObject): PlannedObject {
  const crd = object.kind === "CustomResourceDefinition";
  return {
    id: idOf(object),
    stage: stageOf(object),
    object: crd
      ? {
          ...object,
          metadata: {
            ...object.metadata,
            // A retained CRD meets the next installation, which then takes it over.
            annotations: { ...object.metadata.annotations, "pulumi.com/patchForce": "true" },
          },
        }
      : object,
    ...(crd && { retain: "deleting it would delete every cluster of this Kubernetes cluster" }),
  };
}

export function operatorPlan(settings: Settings, released: readonly KubernetesObject[]): OperatorPlan {
  const archives = settings.backup !== undefined;
  const objects = released
    .filter((object) => !ofPlugin(object))
    .map((object) =>
      object.kind === "Deployment" && object.metadata.name === deploymentName
        ? adaptDeployment(object, settings)
        : object,
    );
  return {
    namespace: operatorNamespace,
    podLabels: operatorPodLabels,
    objects: [
      ...objects,
      configuration(settings),
      ...(archives ? pluginObjects(settings, released.filter(ofPlugin)) : []),
    ].map(planned),
    ...(archives && { certificates: pluginCertificates }),
  };
}
