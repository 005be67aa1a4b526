import type { Settings } from "../../settings/schema";
import type { Target } from "../../settings/schema/targets";
import { storeName } from "./storeNames";
import { spokenTo } from "./targets";
import type { Spoken } from "./targets/dialect";
import { type Flow, type Peer, tcp } from "../network";
import { targetAnnotations } from "../names";
import type { Variable } from "../objects";

/** A bucket as everyone who speaks to it must speak. */
export interface Store extends Spoken {
  /** The target's name. */
  readonly name: string;
  /** What every object of the cluster's backups begins with, without a slash at either end. */
  readonly prefix: string;
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

/** How a target is spoken to. */
export function storeOf({ cluster }: Settings, target: Target): Store {
  const secretName = storeName(cluster.name, target.name);
  const { roleArn } = target;
  return {
    name: target.name,
    prefix: `${cluster.namespace}/${cluster.name}`,
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
  endpoint ?? `https://s3.${region}.amazonaws.com`;

/** What the object says of a store that stands for it: the Secret of its key, or another one where it has a role. */
export const targetFacts = ({ backup }: Settings, store: Store): Record<string, string> => ({
  "pgplatform.io/why": `access to the backup target ${store.name}`,
  [targetAnnotations.endpoint]: endpointOf(store),
  [targetAnnotations.bucket]: store.bucket,
  [targetAnnotations.windowDays]: String(backup?.recoveryWindowDays),
});

/** Where the cluster's backups lie, as tools name it. */
export const locationOf = ({ bucket, prefix }: Store): string => `s3://${bucket}/${prefix}`;

/** What boto, which Barman's tools use, must be told for a store with `plainChecksums`. */
export const plainChecksums = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};

/** The instances' way to the stores. */
export const archiveFlows = (settings: Settings, instances: Peer): Flow[] =>
  storesOf(settings).map(({ name, peer, port }) =>
    tcp(`archive-${name}`, instances, peer, port, "instances archive WAL and make base backups"),
  );
