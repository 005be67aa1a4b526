import { type KubernetesObject, namespaceOf } from "../plan/objects";
import type { Facts, StoreFacts } from "../plan/engines/reader";
import { hostOf, isAwsHost, providerOf } from "../plan/backup/hosts";
import { clusterLabel, roleLabel, targetAnnotations, targetRole, verificationRole } from "../plan/names";
import { daysOfCron } from "../settings/cron";
import type { BucketFacts } from "./buckets";
import type { StackFacts } from "./invariants/invariant";

/** Readers of what stands beside the engines' objects: second targets, verifications, and who runs a store. */

export const isAws = (endpoint: string | undefined): boolean => endpoint === undefined || isAwsHost(endpoint);

export const isR2 = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && /\.r2\.cloudflarestorage\.com$/.test(hostOf(endpoint));

/** The store that a cluster's WAL goes to, where its object is in the stack. */
export const archiveStore = (
  { stores }: Pick<StackFacts, "stores">,
  { archive, namespace }: Facts,
): StoreFacts | undefined =>
  stores.find(
    (one) =>
      one.namespace === namespace && one.kind === archive?.store?.kind && one.name === archive.store.name,
  );

const belongsTo = (object: KubernetesObject, { name, namespace }: Facts, role: string): boolean =>
  namespaceOf(object) === namespace &&
  object.metadata.labels?.[clusterLabel] === name &&
  object.metadata.labels[roleLabel] === role;

interface Place {
  readonly endpoint: string | undefined;
  readonly bucket: string;
}

export const bucketOf = (destination: string): string =>
  /^s3:\/\/([^/]+)/.exec(destination)?.[1] ?? destination;

/** A target's object: the Secret of its key, or a ConfigMap where a role takes the key's place. */
const standsForTarget = ({ kind }: KubernetesObject): boolean => kind === "Secret" || kind === "ConfigMap";

/** Buckets in which a cluster's backups are: the archive's, and those that the objects of further targets name. */
export function placesOf(objects: readonly KubernetesObject[], cluster: Facts, archive: StoreFacts): Place[] {
  const targets = objects
    .filter((object) => standsForTarget(object) && belongsTo(object, cluster, targetRole))
    .map(({ metadata: { annotations = {} } }) => ({
      endpoint: annotations[targetAnnotations.endpoint],
      bucket: annotations[targetAnnotations.bucket] ?? "",
    }));
  const all = [{ endpoint: archive.endpoint, bucket: bucketOf(archive.destination) }, ...targets];
  const key = (place: Place) =>
    `${isAws(place.endpoint) ? "aws" : hostOf(place.endpoint ?? "")} ${place.bucket}`;
  return [...new Map(all.map((place) => [key(place), place])).values()];
}

export const providersOf = (places: readonly Place[]): string[] => [
  ...new Set(places.map(({ endpoint }) => (isAws(endpoint) ? "AWS" : providerOf(endpoint ?? "")))),
];

interface CronJob extends KubernetesObject {
  spec?: { schedule?: string; suspend?: boolean };
}

/** Jobs that restore a cluster's backups to see whether they can be; suspended ones don't count. */
export const verifications = (
  objects: readonly KubernetesObject[],
  cluster: Facts,
): { schedule: string; days: number | undefined }[] =>
  objects
    .filter(
      (object): object is CronJob =>
        object.kind === "CronJob" &&
        object.apiVersion === "batch/v1" &&
        belongsTo(object, cluster, verificationRole),
    )
    .filter(({ spec }) => spec?.suspend !== true)
    .map(({ spec }) => ({ schedule: spec?.schedule ?? "", days: daysOfCron(spec?.schedule ?? "") }));

/** Objects that say which target they stand for, whichever cluster's. */
const targetObjects = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.filter((object) => {
    try {
      return standsForTarget(object) && object.metadata.annotations?.[targetAnnotations.bucket] !== undefined;
    } catch {
      // What isn't known yet is judged when the update makes it.
      return false;
    }
  });

type Placed = Pick<StackFacts, "objects" | "stores" | "buckets" | "clusters">;

/** Those of a stack's buckets that backups go to. */
export function backupBuckets(stack: Placed): readonly BucketFacts[] {
  const named = new Set([
    ...stack.stores.map(({ destination }) => bucketOf(destination)),
    ...targetObjects(stack.objects).map(({ metadata }) => metadata.annotations?.[targetAnnotations.bucket]),
  ]);
  return named.size === 0 ? [] : stack.buckets.filter(({ bucket }) => named.has(bucket));
}

/** Ports of the stores that backups go to, whose addresses may be any. */
export const storePorts = (stack: Pick<StackFacts, "objects" | "stores">): number[] =>
  [
    ...stack.stores.map(({ endpoint }) => endpoint),
    ...targetObjects(stack.objects).map(({ metadata }) => metadata.annotations?.[targetAnnotations.endpoint]),
  ].flatMap((endpoint) => {
    const [, port] = /^https?:\/\/[^/]+:(\d+)\/?$/.exec(endpoint ?? "") ?? [];
    return port === undefined ? [] : [Number(port)];
  });

/** Where clusters archive to in a bucket. */
export const livePrefixes = (stack: Placed, bucket: string): string[] =>
  stack.clusters
    .flatMap((cluster) => archiveStore(stack, cluster) ?? [])
    .map(({ destination }) => destination)
    .filter((destination) => bucketOf(destination) === bucket)
    .map((destination) => destination.replace(/^s3:\/\/[^/]+\/?/, ""));

/** How many days back can be restored from a bucket; undefined where nothing says it. */
export function retentionOf(stack: Placed, bucket: string): number | undefined {
  const said = [
    ...stack.stores
      .filter(({ destination }) => bucketOf(destination) === bucket)
      .map(({ retentionDays }) => retentionDays),
    ...targetObjects(stack.objects)
      .filter(({ metadata }) => metadata.annotations?.[targetAnnotations.bucket] === bucket)
      .map(({ metadata }) => metadata.annotations?.[targetAnnotations.windowDays])
      .map((days) => (days === undefined ? undefined : Number(days))),
  ].filter((days) => days !== undefined);
  return said.length === 0 ? undefined : Math.max(...said);
}
