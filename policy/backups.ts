import { found, joined } from "../plan/lists";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import type { Facts, StoreFacts } from "../plan/engines/reader";
import { hostOf, isAwsHost, providerOf } from "../plan/backup/hosts";
import { clusterLabel, roleLabel, targetAnnotations, targetRole, verificationRole } from "../plan/names";
import { daysOfGoCron } from "../settings/goCron";
import type { BucketFacts } from "./buckets";
import type { StackFacts } from "./invariants/invariant";
import { allOf, anyOf, flatMapped, mapped, maybeIn, those } from "./notKnown";

/** Readers of what stands beside the engines' objects: second targets, verifications, and who runs a store. */

export const isAws = (endpoint: string | undefined): boolean => endpoint === undefined || isAwsHost(endpoint);

export const isR2 = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && /\.r2\.cloudflarestorage\.com$/.test(hostOf(endpoint));

/** The store that a cluster's WAL goes to, where its object is in the stack. */
export const archiveStore = (
  { stores }: Pick<StackFacts, "stores">,
  { archive, namespace }: Facts,
): StoreFacts | undefined =>
  found(maybeIn(stores, namespace), (one) =>
    allOf(
      () => one.kind === archive?.store?.kind,
      () => one.name === archive?.store?.name,
      () => one.namespace === namespace,
    )
      ? one
      : undefined,
  );

const belongsTo = (object: KubernetesObject, { name, namespace }: Facts, role: string): boolean =>
  allOf(
    () => object.metadata.labels?.[clusterLabel] === name,
    () => object.metadata.labels?.[roleLabel] === role,
    () => namespaceOf(object) === namespace,
  );

interface Place {
  /** @default - AWS */
  readonly endpoint: string | undefined;
  readonly bucket: string;
  /** The Secret that stands for it. @default - the archive itself, or what needs no key */
  readonly secret?: string;
}

export const bucketOf = (destination: string): string =>
  /^s3:\/\/([^/]+)/.exec(destination)?.[1] ?? destination;

/** A target's object: the Secret of its key, or a ConfigMap where a role takes the key's place. */
const standsForTarget = ({ kind }: KubernetesObject): boolean => kind === "Secret" || kind === "ConfigMap";

/** Where an archive's provider listens, which Google's and Azure's places tell by themselves. */
const endpointAt = ({ endpoint, destination }: Pick<StoreFacts, "endpoint" | "destination">) =>
  /^gs:/.test(destination)
    ? "https://storage.googleapis.com"
    : /^https?:/.test(destination)
      ? destination
      : endpoint;

/** What an object says of the target that it stands for; nothing without a bucket, or with an address that is none. */
function placeOf({ kind, metadata: { name, annotations = {} } }: KubernetesObject): Place[] {
  const { [targetAnnotations.endpoint]: endpoint = "", [targetAnnotations.bucket]: bucket = "" } =
    annotations;
  if (bucket === "" || (endpoint !== "" && hostOf(endpoint) === "")) return [];
  return [
    { endpoint: endpoint === "" ? undefined : endpoint, bucket, ...(kind === "Secret" && { secret: name }) },
  ];
}

/** Buckets in which a cluster's backups are: the archive's, and those that the objects of further targets name. */
export function placesOf(objects: readonly KubernetesObject[], cluster: Facts, archive: StoreFacts): Place[] {
  const targets = objects
    .filter((object) => standsForTarget(object) && belongsTo(object, cluster, targetRole))
    .flatMap(placeOf);
  const all: Place[] = [{ endpoint: endpointAt(archive), bucket: bucketOf(archive.destination) }, ...targets];
  const keys = all.map(
    ({ endpoint, bucket }) => `${isAws(endpoint) ? "aws" : hostOf(endpoint ?? "")} ${bucket}`,
  );
  return all.filter((_, index) => keys.indexOf(keys[index] ?? "") === index);
}

export const providersOf = (places: readonly Place[]): string[] => [
  ...new Set(places.map(({ endpoint }) => (isAws(endpoint) ? "AWS" : providerOf(endpoint ?? "")))),
];

interface CronJob extends KubernetesObject {
  spec?: { schedule?: string; suspend?: boolean };
}

const isCronJob = (object: KubernetesObject): object is CronJob =>
  object.kind === "CronJob" && object.apiVersion === "batch/v1";

/** Jobs that restore a cluster's backups to see whether they can be; suspended ones don't count. */
export const verifications = (
  objects: readonly KubernetesObject[],
  cluster: Facts,
): { schedule: string; days: number | undefined }[] =>
  mapped(
    those(objects.filter(isCronJob), (object) =>
      allOf(
        () => belongsTo(object, cluster, verificationRole),
        () => object.spec?.suspend !== true,
      ),
    ),
    ({ spec }) => ({ schedule: spec?.schedule ?? "", days: daysOfGoCron(spec?.schedule ?? "", 3) }),
  );

/** Objects that say which target they stand for, whichever cluster's. */
export const targetObjects = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  those(
    objects.filter(standsForTarget),
    ({ metadata }) => metadata.annotations?.[targetAnnotations.bucket] !== undefined,
  );

type Placed = Pick<StackFacts, "objects" | "stores" | "buckets" | "clusters">;

/** Those of a stack's buckets that backups go to. */
export function backupBuckets(stack: Placed): readonly BucketFacts[] {
  const named = joined(
    mapped(stack.stores, ({ destination }) => bucketOf(destination)),
    mapped(
      targetObjects(stack.objects),
      ({ metadata }) => metadata.annotations?.[targetAnnotations.bucket] ?? "",
    ),
  );
  return those(stack.buckets, ({ bucket }) => anyOf(named, (name) => name === bucket));
}

/** Ports of the stores that backups go to, whose addresses may be any. */
export const storePorts = (stack: Pick<StackFacts, "objects" | "stores">): number[] =>
  flatMapped(
    joined(
      mapped(stack.stores, ({ endpoint }) => endpoint),
      mapped(
        targetObjects(stack.objects),
        ({ metadata }) => metadata.annotations?.[targetAnnotations.endpoint],
      ),
    ),
    (endpoint) => {
      const [, port] = /^https?:\/\/[^/]+:(\d+)\/?$/.exec(endpoint ?? "") ?? [];
      return port === undefined ? [] : [Number(port)];
    },
  );

/** Where clusters archive to in a bucket. */
export const livePrefixes = (stack: Placed, bucket: string): string[] =>
  flatMapped(stack.clusters, (cluster) => {
    const { destination } = archiveStore(stack, cluster) ?? {};
    return destination !== undefined && bucketOf(destination) === bucket
      ? [destination.replace(/^s3:\/\/[^/]+\/?/, "")]
      : [];
  });

/** For how many days back something says that a bucket can be restored from. */
export const retentionsOf = (stack: Placed, bucket: string): number[] =>
  joined(
    flatMapped(
      those(stack.stores, ({ destination }) => bucketOf(destination) === bucket),
      ({ retentionDays }) => (retentionDays === undefined ? [] : [retentionDays]),
    ),
    flatMapped(
      those(
        targetObjects(stack.objects),
        ({ metadata }) => metadata.annotations?.[targetAnnotations.bucket] === bucket,
      ),
      ({ metadata }) => {
        const days = Number(metadata.annotations?.[targetAnnotations.windowDays]);
        return days > 0 ? [days] : [];
      },
    ),
  );
