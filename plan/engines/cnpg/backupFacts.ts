import { daysOfGoCron, forms } from "../../../settings/goCron";
import { isRecord } from "../../../settings/record";
import { type KubernetesObject, namespaceOf, type Variable } from "../../objects";
import type { ArchiveFacts, BaseBackupFacts, StoreFacts } from "../reader";
import { pluginName } from "./names";
import { type BarmanStore, type Cluster, isCluster, isObjectStore, isScheduledBackup } from "./resources";

/** What objects of the operator and of its backup plugin claim of archives and base backups. */

const storeParameter = "barmanObjectName";

export function archiveFacts(cluster: Cluster): ArchiveFacts {
  const spec = cluster.spec ?? {};
  const archivers = () =>
    (spec.plugins ?? []).filter(({ enabled = true, isWALArchiver = false }) => enabled && isWALArchiver);
  const inTree = () => spec.backup?.barmanObjectStore;
  return {
    get archivers() {
      return archivers().length + (inTree() === undefined ? 0 : 1);
    },
    get store() {
      const name = archivers().find((plugin) => plugin.name === pluginName)?.parameters?.[storeParameter];
      if (name !== undefined) return { kind: "ObjectStore", name };
      return inTree() === undefined ? undefined : { kind: "Cluster", name: cluster.metadata.name };
    },
    get archiveId() {
      const [plugin] = archivers();
      return plugin?.parameters?.serverName ?? inTree()?.serverName ?? cluster.metadata.name;
    },
    get outdated() {
      return inTree() === undefined
        ? undefined
        : {
            way: "spec.backup.barmanObjectStore",
            instead: `the plugin ${pluginName} with an ObjectStore: CloudNativePG 1.31 removed the other`,
          };
    },
  };
}

const pair = ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"];

function barmanFacts(
  object: KubernetesObject,
  configuration: BarmanStore,
  retentionPolicy: string | undefined,
  environment: () => readonly Variable[],
): StoreFacts {
  return {
    kind: object.kind,
    get name() {
      return object.metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get destination() {
      return (configuration.destinationPath ?? "").replace(/\/+$/, "");
    },
    get endpoint() {
      // Empty is the operator's own way to leave it out.
      return configuration.endpointURL === "" ? undefined : configuration.endpointURL;
    },
    get secrets() {
      const { s3Credentials, azureCredentials, googleCredentials } = configuration;
      return [s3Credentials, azureCredentials, googleCredentials]
        .flatMap((one): unknown[] => Object.values(one ?? {}))
        .flatMap((from) => (isRecord(from) && typeof from.name === "string" ? [from.name] : []));
    },
    get plainChecksums() {
      return pair.every((variable) =>
        environment().some(({ name, value }) => name === variable && value === "when_required"),
      );
    },
    get encryption() {
      return configuration.wal?.encryption ?? configuration.data?.encryption;
    },
    get retentionDays() {
      const [, count, unit = "d"] = /^(\d+)([dwm])$/.exec(retentionPolicy ?? "") ?? [];
      return count === undefined ? undefined : Number(count) * { d: 1, w: 7, m: 31 }[unit as "d" | "w" | "m"];
    },
  };
}

export function storeFacts(object: KubernetesObject): StoreFacts | undefined {
  if (isObjectStore(object)) {
    const { configuration = {}, retentionPolicy, instanceSidecarConfiguration } = object.spec ?? {};
    return barmanFacts(object, configuration, retentionPolicy, () => instanceSidecarConfiguration?.env ?? []);
  }
  if (!isCluster(object)) return undefined;
  const { spec = {} } = object;
  const inTree = spec.backup?.barmanObjectStore;
  return inTree && barmanFacts(object, inTree, spec.backup?.retentionPolicy, () => spec.env ?? []);
}

export function baseBackupFacts(object: KubernetesObject): BaseBackupFacts | undefined {
  if (!isScheduledBackup(object)) return undefined;
  // All of it may be made by a function whose result a preview doesn't know.
  const spec = () => object.spec ?? {};
  return {
    kind: object.kind,
    get name() {
      return object.metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get cluster() {
      return spec().cluster?.name ?? "";
    },
    get suspended() {
      return spec().suspend ?? false;
    },
    get schedule() {
      return spec().schedule ?? "";
    },
    get days() {
      return daysOfGoCron(spec().schedule ?? "", 1);
    },
    form: forms[1],
    get explicitMethod() {
      return spec().method !== undefined;
    },
    get store() {
      return spec().pluginConfiguration?.parameters?.[storeParameter];
    },
  };
}
