import type { Settings } from "../../settings/schema";
import { type Flow, type Peer, tcp } from "../network";
import { clusterLabel, roleLabel, serviceHost, targetAnnotations } from "../names";
import type { Variable } from "../objects";

export type Target = NonNullable<Settings["backup"]>["targets"][number];

/** A bucket as everyone who speaks to it must speak. */
export interface Store {
  /** The target's name. */
  readonly name: string;
  readonly bucket: string;
  /** What every object of the cluster's backups begins with, without a slash at either end. */
  readonly prefix: string;
  readonly region: string;
  /** @default - AWS */
  readonly endpoint?: string;
  /**
   * Whether the checksums that newer S3 clients send without being asked are left out: stores beside AWS answer them with an error.
   */
  readonly plainChecksums: boolean;
  /** Whether the bucket's name stands in the path and not in the host's name. */
  readonly pathStyle: boolean;
  /** Who may speak to it: who has the access key, in a Secret with the keys below, or a role of AWS. */
  readonly login: { readonly secretName: string } | { readonly roleArn: string };
  /** The store's own CA, where no public one signed for it. */
  readonly ca?: { readonly secretName: string; readonly key: string };
  /** Who it is to network policies, and its port there. */
  readonly peer: Peer;
  readonly port: number;
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

/** Stands in plans for the archive's ID, which is drawn when the cluster is made and kept in Pulumi's state. */
export const archiveIdToken = "{archiveId}";

/** Name of a local target's StatefulSet, Service and Secrets; of the Secrets alone for other kinds. */
export const storeName = (cluster: string, target: string): string => `${cluster}-store-${target}`;

export const storeLabels = (cluster: string, target: string): Record<string, string> => ({
  "app.kubernetes.io/name": "versitygw",
  "app.kubernetes.io/instance": storeName(cluster, target),
  [clusterLabel]: cluster,
  [roleLabel]: "store",
});

/**
 * Namespace of the stores that run beside the cluster. It is not the cluster's, and outlives the stack: who deletes the databases doesn't
 * delete their backups with them.
 */
export const storeNamespace = ({ namespace }: Settings["cluster"]): string => `${namespace}-backups`;

export const localStorePort = 7070;
/** The only bucket of a local target. */
export const localBucket = "backups";
const anyAddress: Peer = { kind: "addresses", cidr: "0.0.0.0/0" };

const defaultRegion = "us-east-1";

/** What differs by the kind of a remote store. None is asked to encrypt: R2 refuses that, and the others do it by themselves. */
const presets: Readonly<
  Record<Exclude<Target["kind"], "local">, (target: Target) => { endpoint?: string; region: string }>
> = {
  r2: ({ account }) => ({ endpoint: `https://${account}.r2.cloudflarestorage.com`, region: "auto" }),
  b2: ({ region = "" }) => ({ endpoint: `https://s3.${region}.backblazeb2.com`, region }),
  aws: ({ region = defaultRegion }) => ({ region }),
  s3: ({ endpoint, region = defaultRegion }) => ({ ...(endpoint !== undefined && { endpoint }), region }),
};
/** How a target is spoken to. */
export function storeOf({ cluster }: Settings, target: Target): Store {
  const name = storeName(cluster.name, target.name);
  const { roleArn } = target;
  const login = roleArn === undefined ? { secretName: name } : { roleArn };
  const common = { name: target.name, prefix: `${cluster.namespace}/${cluster.name}`, login };
  if (target.kind === "local")
    return {
      ...common,
      bucket: localBucket,
      region: target.region ?? defaultRegion,
      endpoint: `https://${serviceHost(name, storeNamespace(cluster))}:${localStorePort}`,
      plainChecksums: true,
      pathStyle: true,
      ca: { secretName: `${name}-ca`, key: "ca.crt" },
      peer: {
        kind: "pods",
        name: `store-${target.name}`,
        namespace: storeNamespace(cluster),
        labels: storeLabels(cluster.name, target.name),
      },
      port: localStorePort,
    };
  const { endpoint, region } = presets[target.kind](target);
  const elsewhere = endpoint !== undefined;
  return {
    ...common,
    bucket: target.bucket ?? "",
    region,
    ...(elsewhere && { endpoint }),
    plainChecksums: elsewhere,
    pathStyle: elsewhere,
    // Not the name above: a target whose kind changes gets the new Secret before it loses the old one.
    ...(target.caCertificate !== undefined && {
      ca: { secretName: `${name}-ca`, key: "ca.crt" },
    }),
    peer: anyAddress,
    port: Number(/:(\d+)$/.exec(endpoint ?? "")?.[1] ?? 443),
  };
}

/**
 * The CA of the first target's store, whichever that is, for pods that aren't made anew when it becomes another one; there only where that store has
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
    tcp(`archive-${name}`, instances, peer, port, "instances archive their log and make base backups"),
  );
