import { type Facts, type KubernetesObject, namespaceOf, type StoreFacts } from "../components/engine";
import { hostOf, providerOf } from "../components/backup/store";
import {
  clusterLabel,
  roleLabel,
  targetAnnotations,
  targetRole,
  verificationRole,
} from "../components/names";
import { daysBetween } from "../stacks/cron";
import type { StackFacts } from "./invariants/invariant";

/** Readers of what stands beside the engines' objects: second targets, verifications, and who runs a store. */

export const isAws = (endpoint: string | undefined): boolean =>
  endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(hostOf(endpoint));

export const isR2 = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && /\.r2\.cloudflarestorage\.com$/.test(hostOf(endpoint));

/** The store that a cluster's log goes to, where its object is in the stack. */
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

const bucketOf = (destination: string): string => /^s3:\/\/([^/]+)/.exec(destination)?.[1] ?? destination;

/** Buckets in which a cluster's backups are: the archive's, and those that Secrets of further targets name. */
export function placesOf(objects: readonly KubernetesObject[], cluster: Facts, archive: StoreFacts): Place[] {
  const targets = objects
    .filter((object) => object.kind === "Secret" && belongsTo(object, cluster, targetRole))
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

function daysOf(schedule: string): number | undefined {
  try {
    return daysBetween(schedule);
  } catch {
    return undefined;
  }
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
    .map(({ spec }) => ({ schedule: spec?.schedule ?? "", days: daysOf(spec?.schedule ?? "") }));
