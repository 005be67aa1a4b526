import { daysOfGoCron, forms } from "../../../settings/goCron";
import { type KubernetesObject, namespaceOf } from "../../objects";
import type { ArchiveFacts, BaseBackupFacts, StoreFacts } from "../reader";
import { clusterLabel } from "../../names";
import { names } from "./names";
import { isBaseBackups, isServer, type StatefulSet } from "./resources";

/** What the server's StatefulSet claims of its archive, by the container that sends log to a store, and the CronJob of its base backups. */

const archiver = ({ spec }: StatefulSet) =>
  spec?.template?.spec?.initContainers?.find(({ name }) => name === "archiver");

export const archiveFacts = (object: StatefulSet): ArchiveFacts => {
  const toStore = archiver(object) !== undefined;
  return {
    archivers: toStore ? 1 : 0,
    volume: names.archive(object.metadata.name),
    store: toStore ? { kind: object.kind, name: object.metadata.name } : undefined,
    // It is in the configuration; the place in the store is this cluster's alone.
    archiveId: "",
    outdated: undefined,
  };
};

export function storeFacts(object: KubernetesObject): StoreFacts | undefined {
  if (!isServer(object)) return undefined;
  const container = archiver(object);
  if (container === undefined) return undefined;
  const value = (name: string) => container.env?.find((one) => one.name === `ARCHIVE_${name}`)?.value;
  return {
    kind: object.kind,
    name: object.metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    get destination() {
      return value("LOCATION") ?? "";
    },
    get endpoint() {
      return value("ENDPOINT");
    },
    get plainChecksums() {
      return value("PLAIN_CHECKSUMS") === "yes";
    },
    encryption: undefined,
    retentionDays: undefined,
  };
}

export function baseBackupFacts(object: KubernetesObject): BaseBackupFacts | undefined {
  if (!isBaseBackups(object)) return undefined;
  const schedule = () => object.spec?.schedule ?? "";
  return {
    kind: object.kind,
    name: object.metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    cluster: object.metadata.labels?.[clusterLabel] ?? "",
    get suspended() {
      return object.spec?.suspend ?? false;
    },
    get schedule() {
      return schedule();
    },
    get days() {
      return daysOfGoCron(schedule(), 3);
    },
    form: forms[3],
    explicitMethod: true,
    store: undefined,
  };
}
