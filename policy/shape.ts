import type { KubernetesObject } from "../plan/objects";
import { type NotKnown, throwing } from "./notKnown";
import { isRecord } from "../settings/record";

/**
 * Objects come from programs that no API server has checked yet. Here fields that readers look for get the form that the API gives them: one of
 * another form counts as left out, an element of a list as empty. Readers then need no checks of their own. `unknown-fields` says what was odd.
 */

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

const records = new Set(
  words(`metadata spec template jobTemplate resources affinity podAntiAffinity postgresql synchronous
    patroni initdb bootstrap recovery storage walStorage volume managed services serviceTemplate pgbouncer cluster configuration backup
    barmanObjectStore pluginConfiguration instanceSidecarConfiguration pvcTemplate imageCatalogRef namespaceSelector podSelector labelSelector ipBlock configMap configMapRef configMapKeyRef projected replica
    connectionPooler scaleTargetRef podAffinityTerm valueFrom kubernetes load_balancer connection_pooler aws_or_gcp
    postgres_pod_resources major_version_upgrade securityContext persistent_volume_claim_retention_policy passwordSecret wal
    secret secretKeyRef`),
);
/** Fields whose values are all text; numbers and booleans become text. */
const texts = new Set(words(`labels annotations matchLabels data parameters requests limits`));
const recordLists = new Set(
  words(`containers initContainers env volumes plugins additional roles topologySpreadConstraints ingress egress from
    to ports matchExpressions groups rules externalClusters volumeClaimTemplates preferredDuringSchedulingIgnoredDuringExecution volumeMounts
    envFrom sources tablespaces sidecars items`),
);
const textLists = new Set(
  words(
    `pg_hba policyTypes values loadBalancerSourceRanges allowedSourceRanges externalIPs except args command`,
  ),
);
const plainTexts = new Set(
  words(`name namespace image imageName dockerImage schedule destinationPath endpointURL endpoint type size storageClass
    storageClassName topologyKey podAntiAffinityType dataDurability method alert key operator cidr docker_image retentionPolicy serverName
    encryption podPriorityClassName barmanObjectName username owner source loadBalancerClass reference path prefix
    mountPath subPath`),
);
const numbers = new Set(
  words(`instances replicas numberOfInstances number endPort minReplicas maxReplicas synchronous_node_count`),
);
/** Numbers, or what stands for one: the name of a port, a share. */
const scalars = new Set(words(`port targetPort minAvailable maxUnavailable`));
const booleans = new Set(
  words(`enabled isWALArchiver suspend enablePDB enableSuperuserAccess enablePodAntiAffinity failoverQuorum synchronous_mode
    synchronous_mode_strict failsafe_mode enableMasterLoadBalancer enableReplicaLoadBalancer enableMasterPoolerLoadBalancer
    enableReplicaPoolerLoadBalancer useLoadBalancer replicaLoadBalancer enableConnectionPooler
    enableReplicaConnectionPooler dataChecksums allowVolumeExpansion superuser`),
);

const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

type Make = (value: unknown) => unknown;
const odd = undefined;

const asTexts: Make = (value) =>
  isRecord(value) ? filled({}, value, (one) => (isScalar(one) ? String(one) : odd)) : odd;
const asRecord: Make = (value) => (isRecord(value) ? shapedRecord(value) : odd);
const asRecords: Make = (value) =>
  Array.isArray(value) ? filled([], value, (one) => (isRecord(one) ? shapedRecord(one) : {})) : odd;
const asTextList: Make = (value) =>
  Array.isArray(value) ? filled([], value, (one) => (isScalar(one) ? String(one) : "")) : odd;
const asText: Make = (value) => (isScalar(value) ? String(value) : odd);
const asScalar: Make = (value) => (isScalar(value) ? value : odd);
const asNumber: Make = (value) =>
  (typeof value === "number" || (typeof value === "string" && value.trim() !== "")) &&
  Number.isFinite(Number(value))
    ? Number(value)
    : odd;
const asBoolean: Make = (value) =>
  typeof value === "boolean" ? value : value === "true" ? true : value === "false" ? false : odd;

/** A Service's has labels of any names. */
const asSelector: Make = (value) =>
  (isRecord(value) && ("matchLabels" in value || "matchExpressions" in value) ? asRecord : asTexts)(value);

/** Users by names of any kind, each with its flags; of an operator's configuration, what it says of all of them. */
const asUsers: Make = (value) =>
  isRecord(value) ? filled({}, value, (one) => (Array.isArray(one) ? asTextList(one) : asScalar(one))) : odd;

/** An extension's image is a record, everywhere else it is a name. */
const asExtensions: Make = (value) =>
  Array.isArray(value)
    ? filled([], value, (one) =>
        isRecord(one)
          ? filled({}, one, (inner, key) => (key === "image" ? asRecord : formOf(key))(inner))
          : {},
      )
    : odd;

/** What else the same words are elsewhere: terms about pods are lists, those about nodes, of the same name, are a record. */
const asTerms: Make = (value) =>
  isRecord(value)
    ? filled({}, value, (one, key) => (/DuringExecution$/.test(key) ? asRecords : shapedValue)(one))
    : odd;

function formOf(key: string): Make {
  if (/pod(Anti)?Affinity$/i.test(key)) return asTerms;
  if (key === "selector") return asSelector;
  if (key === "users") return asUsers;
  if (key === "extensions") return asExtensions;
  if (texts.has(key)) return asTexts;
  if (records.has(key)) return asRecord;
  if (recordLists.has(key)) return asRecords;
  if (textLists.has(key)) return asTextList;
  if (plainTexts.has(key)) return asText;
  if (numbers.has(key)) return asNumber;
  if (scalars.has(key)) return asScalar;
  if (booleans.has(key)) return asBoolean;
  return shapedValue;
}

/** Copies what is known; what isn't stays so, and what has no form is left out of a record. */
function filled<T extends object>(
  into: T,
  source: object,
  make: (value: unknown, key: string) => unknown,
): T {
  for (const key of Object.keys(source)) {
    let value: unknown;
    try {
      value = (source as Record<string, unknown>)[key];
    } catch (error) {
      throwing(into, key, error as NotKnown);
      continue;
    }
    const made = make(value, key);
    if (made === odd) continue;
    if (key === "__proto__") Object.defineProperty(into, key, { value: made, enumerable: true });
    else (into as Record<string, unknown>)[key] = made;
  }
  return into;
}

const shapedValue: Make = (value) =>
  Array.isArray(value)
    ? filled([], value, (one) => shapedValue(one) ?? null)
    : isRecord(value)
      ? shapedRecord(value)
      : (value ?? odd);

const shapedRecord = (record: Record<string, unknown>): Record<string, unknown> =>
  filled({}, record, (value, key) => formOf(key)(value));

const raws = new WeakMap<KubernetesObject, KubernetesObject>();

/** The object as readers may read it. */
export function shaped(object: KubernetesObject): KubernetesObject {
  const made = shapedRecord(object) as KubernetesObject;
  raws.set(made, object);
  return made;
}

/** The object as the program gave it, whatever form its fields have. */
export const rawOf = (object: KubernetesObject): KubernetesObject => raws.get(object) ?? object;

const protection = new WeakMap<KubernetesObject, boolean>();

/** Notes whether an object's resource is registered with `protect`. */
export const registered = (object: KubernetesObject, protect: boolean): void => {
  protection.set(object, protect);
};

/** Whether an object's resource is protected; undefined where nothing says it. */
export const isProtected = (object: KubernetesObject): boolean | undefined => protection.get(object);
