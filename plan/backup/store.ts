import type { Settings } from "../../settings/schema";
import type { Target } from "../../settings/schema/targets";
import { storeName } from "./storeNames";
import { spokenTo } from "./targets";
import { awsEndpoint } from "./targets/aws";
import type { Spoken } from "./targets/dialect";
import { type Flow, type Peer, tcp } from "../network";
import { roleLabels, targetAnnotations, targetRole } from "../names";
import type { Variable } from "../objects";

/** A bucket as everyone who speaks to it must speak. */
export interface Store extends Spoken {
  /** The target's name. */
  readonly name: string;
  /** What every object of the cluster's backups begins with, without a slash at either end. */
  readonly prefix: string;
  /**
   * What the names of the objects begin with that are written over and over, such as the newest verification's result: outside of the prefix, which may be locked. No namespace
   * is called so.
   */
  readonly reports: string;
  /** Who may speak to it: who has the access key, in a Secret with the keys below, or a role of AWS. */
  readonly login: { readonly secretName: string } | { readonly roleArn: string };
}

/** Keys of a store's Secret. */
export const storeKeys = { accessKeyId: "accessKeyId", secretAccessKey: "secretAccessKey" } as const;

/** A store's access key as variables of a container, under these names; none where it has a role. */
export const keyVariables = (
  { login }: Store,
  names: Readonly<Record<keyof typeof storeKeys, string>>,
): Variable[] =>
  "roleArn" in login
    ? []
    : (["accessKeyId", "secretAccessKey"] as const).map((key) => ({
        name: names[key],
        valueFrom: { secretKeyRef: { name: login.secretName, key: storeKeys[key] } },
      }));

/** Placeholder of the archive's ID, which is drawn when the cluster is made and kept in Pulumi's state. */
export const archiveIdToken = "{archiveId}";

/** Where the platform keeps what was found out about the backups of a cluster. */
export const reportsOf = (prefix: string): string => `_verified/${prefix}`;

/** How a target is spoken to. */
export function storeOf({ cluster }: Settings, target: Target): Store {
  const secretName = storeName(cluster.name, target.name);
  const { roleArn } = target;
  const prefix = `${cluster.namespace}/${cluster.name}`;
  return {
    name: target.name,
    prefix,
    reports: reportsOf(prefix),
    login: roleArn === undefined ? { secretName } : { roleArn },
    ...spokenTo(target, cluster),
  };
}

/**
 * The CA of the first target's store, whichever that is, for pods that aren't recreated when it becomes another one; there only where that store has
 * one of its own.
 */
export const archiveCa = (cluster: string) => ({
  secretName: `${cluster}-archive-ca`,
  key: "ca.crt",
});

/** The stores of a platform, the archive's first. */
export const storesOf = (settings: Settings): Store[] =>
  (settings.backup?.targets ?? []).map((target) => storeOf(settings, target));

/** Where a store listens. */
export const endpointOf = ({ endpoint, region }: Pick<Store, "endpoint" | "region">): string =>
  endpoint ?? awsEndpoint(region);

/** What the object says of a store that stands for it: the Secret of its key, or another one where it has a role. */
export const targetFacts = ({ backup }: Settings, store: Store): Record<string, string> => ({
  "pgplatform.io/why": `access to the backup target ${store.name}`,
  [targetAnnotations.endpoint]: endpointOf(store),
  [targetAnnotations.bucket]: store.bucket,
  [targetAnnotations.windowDays]: String(backup?.recoveryWindowDays),
});

/** Of the Secret with the key to a target. */
export const targetMetadata = (settings: Settings, store: Store, namespace: string) => ({
  name: storeName(settings.cluster.name, store.name),
  namespace,
  labels: { ...settings.labels, ...roleLabels(settings.cluster.name, targetRole) },
  annotations: targetFacts(settings, store),
});

/** Where the cluster's backups lie, as tools name it. */
export const locationOf = ({ bucket, prefix }: Store): string => `s3://${bucket}/${prefix}`;

/** What every SDK of AWS, boto among them, must be told for a store with `plainChecksums`. */
export const plainChecksums = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};

/** What boto is told of a store by variables, which Barman's tools use. */
export const botoVariables = ({ region, plainChecksums: plain }: Spoken): Record<string, string> => ({
  AWS_DEFAULT_REGION: region,
  ...(plain && plainChecksums),
});

/** What Barman's tools are told of a store's addresses by options; of one with an endpoint they take path style for granted. */
export const addressingStyle = ({ endpoint, pathStyle }: Spoken): "virtual" | undefined =>
  endpoint !== undefined && !pathStyle ? "virtual" : undefined;

/** What rclone is told of a store, as the options of its remote. */
export const rcloneOptions = ({
  rclone,
  region,
  endpoint,
  pathStyle,
  md5,
}: Spoken): Record<string, string> => ({
  TYPE: "s3",
  PROVIDER: rclone,
  REGION: region,
  ...(endpoint !== undefined && { ENDPOINT: endpoint, FORCE_PATH_STYLE: String(pathStyle) }),
  // Of an object that was stored in parts its sum isn't known: as one part it would be sent without Content-MD5, and as a part it has that.
  ...(md5 && { UPLOAD_CUTOFF: "0" }),
  // A key that may do what it must do can't make buckets.
  NO_CHECK_BUCKET: "true",
});

/** The instances' way to the stores. */
export const archiveFlows = (settings: Settings, instances: Peer): Flow[] =>
  storesOf(settings).map(({ name, peer, port }) =>
    tcp(`archive-${name}`, instances, peer, port, "instances archive WAL and make base backups"),
  );
