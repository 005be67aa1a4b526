import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { memoryOf } from "../../../settings/sums/memory";
import { stopSeconds } from "../../../settings/sums/sizes";
import type { OperatorPlan } from "../../plan";
import { installedBy, secretNames } from "../../names";
import { merge, type KubernetesObject, type PlannedObject } from "../../objects";
import { configurationName, deploymentName, operatorNamespace, operatorPodLabels, podAccount } from "./names";
import { server } from "./image";
import type { OperatorConfiguration } from "./resources";
import { copyOf } from "../../deployment";

/** The released limit of half a core makes a roll of instances wait for the operator's turn. */
const resources = ({ operator }: Settings) => ({
  requests: { cpu: "100m", memory: "128Mi" },
  limits: { cpu: operator.cpu ?? "1", memory: operator.memory ?? "512Mi" },
});

/** What differs from the released configuration. It holds for every cluster of this operator. */
const configuration = ({ cluster, images, labels }: Settings): OperatorConfiguration => ({
  docker_image: images.postgresql,
  // How soon it comes back to what it has put off: it looks at nothing, not even at what `repair_period` names, more often than this.
  resync_period: "1m",
  // They are objects of the stack.
  enable_crd_registration: false,
  kubernetes: {
    watched_namespace: "*",
    // A cluster object that was deleted by mistake leaves data and passwords.
    enable_persistent_volume_claim_deletion: false,
    enable_secrets_deletion: false,
    enable_pod_antiaffinity: true,
    pod_antiaffinity_preferred_during_scheduling: cluster.spread === "preferred",
    enable_readiness_probe: true,
    // All instances at once, also after all were gone: the one with the newest data may be any.
    pod_management_policy: "parallel",
    pod_terminate_grace_period: `${Math.ceil(stopSeconds(memoryOf(cluster).sharedBuffers, 120) / 60)}m`,
    pod_service_account_name: podAccount,
    spilo_allow_privilege_escalation: false,
    spilo_runasuser: server.user,
    spilo_runasgroup: server.group,
    spilo_fsgroup: server.group,
    inherited_labels: Object.keys(labels),
  },
  // `make up` refuses a new major version; by default the operator would upgrade in place, whoever else changes it.
  major_version_upgrade: { major_version_upgrade_mode: "off" },
  timeouts: {
    // While it rolls pods it may miss the event that it waits for, which costs ten minutes by default. It gives up sooner, and continues the roll
    // at its next round; a pod that takes longer to stop keeps stopping meanwhile.
    pod_deletion_wait_timeout: "1m",
    pod_label_wait_timeout: "3m",
  },
  load_balancer: { enable_master_load_balancer: false, enable_replica_load_balancer: false },
  patroni: { enable_patroni_failsafe_mode: true },
  debug: {
    debug_logging: false,
    // With SCRAM it would set every role's password again, with a new salt, at each of its rounds.
    enable_database_access: false,
  },
});

function adaptDeployment(
  released: KubernetesObject,
  settings: Settings,
  config: KubernetesObject,
): KubernetesObject {
  const { cluster, images, registries } = settings;
  const deployment = copyOf(released, settings);
  const { template } = deployment.spec;
  const container = template.spec.containers.find(({ name }) => name === deploymentName);
  if (!container) throw new Error(`the operator's released Deployment has no container "${deploymentName}"`);
  container.image = images.operator;
  container.imagePullPolicy = "IfNotPresent";
  container.env = [{ name: "POSTGRES_OPERATOR_CONFIGURATION_OBJECT", value: configurationName }];
  container.resources = resources(settings);
  container.securityContext = { ...container.securityContext, capabilities: { drop: ["ALL"] } };
  template.spec.securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  if (registries.length > 0)
    template.spec.imagePullSecrets = [{ name: secretNames.registries(cluster.name) }];
  template.metadata.annotations = {
    // It reads its configuration when it starts.
    "pgplatform.io/configuration": createHash("sha256").update(JSON.stringify(config)).digest("hex"),
  };
  deployment.metadata.annotations = {
    ...deployment.metadata.annotations,
    // A second stack that would install an operator of its own is refused by this.
    [installedBy]: `${cluster.namespace}/${cluster.name}`,
  };
  return deployment;
}

const namespace: KubernetesObject = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: operatorNamespace,
    labels: Object.fromEntries(
      ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
    ),
  },
};

/** The released objects name the namespace `default`, or none. */
function moved(object: KubernetesObject): KubernetesObject {
  if (object.kind === "ClusterRoleBinding") {
    const subjects = object.subjects as { namespace: string }[];
    return { ...object, subjects: subjects.map((one) => ({ ...one, namespace: operatorNamespace })) };
  }
  return object.kind === "CustomResourceDefinition" || object.kind === "ClusterRole"
    ? object
    : { ...object, metadata: { ...object.metadata, namespace: operatorNamespace } };
}

/** Namespace and CRDs, then what the operator reads when it starts, then the operator. */
const stageOf = ({ kind }: KubernetesObject): number =>
  kind === "Namespace" || kind === "CustomResourceDefinition" ? 0 : kind === "Deployment" ? 2 : 1;

const kindId: Record<string, string> = {
  Namespace: "namespace",
  CustomResourceDefinition: "crd",
  ServiceAccount: "account",
  ClusterRole: "role",
  ClusterRoleBinding: "binding",
  OperatorConfiguration: "configuration",
  Deployment: "deployment",
};

const idOf = ({ kind, metadata }: KubernetesObject): string =>
  `${kindId[kind] ?? kind.toLowerCase()}-${metadata.name.replace(/\.acid\.zalan\.do$/, "")}`;

function planned(object: KubernetesObject): PlannedObject {
  const crd = object.kind === "CustomResourceDefinition";
  return {
    id: idOf(object),
    stage: stageOf(object),
    object: crd
      ? // A retained CRD meets the next installation, which then takes it over.
        merge(object, { metadata: { annotations: { "pulumi.com/patchForce": "true" } } })
      : object,
    ...(crd && { retain: "deleting it would delete every cluster of this Kubernetes cluster" }),
  };
}

export function operatorPlan(settings: Settings, released: readonly KubernetesObject[]): OperatorPlan {
  const given = released.find(({ kind }) => kind === "OperatorConfiguration");
  if (!given) throw new Error("the operator's released manifest has no OperatorConfiguration");
  const config = merge(moved(given), { configuration: configuration(settings) });
  const objects = released.map((object) => {
    if (object === given) return config;
    return object.kind === "Deployment" ? adaptDeployment(moved(object), settings, config) : moved(object);
  });
  return {
    namespace: operatorNamespace,
    podLabels: operatorPodLabels,
    objects: [namespace, ...objects].map(planned),
  };
}
