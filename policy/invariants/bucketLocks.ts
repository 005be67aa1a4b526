import { found } from "../../plan/lists";
import type { Problem } from "../../settings/problem";
import { targetAnnotations } from "../../plan/names";
import type { KubernetesObject } from "../../plan/objects";
import { backupBuckets, livePrefixes, retentionsOf, targetObjects } from "../backups";
import type { BucketFacts } from "../buckets";
import { titleOf } from "../kubernetes";
import { anyOf, each, firstOf, readable, together } from "../notKnown";
import type { StackFacts, StackInvariant } from "./invariant";

const overlap = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);

type Lock = BucketFacts["locks"][number];

const lasting = ({ days }: Lock): string => (days === undefined ? "for ever" : `${days} days`);

/** A lock on what a cluster archives, which is written twice. */
function onArchive(lock: Lock, path: string, live: readonly string[]): Problem[] {
  const where = found(live, (one) => (overlap(one, lock.prefix) ? one : undefined));
  return where === undefined
    ? []
    : [
        {
          path,
          value: lasting(lock),
          allowed: `none on ${where}, where a cluster archives`,
          fix: "lock the copy in another bucket or under another prefix",
        },
      ];
}

/** A lock that outlasts what is kept. */
function tooLong(lock: Lock, path: string, kept: readonly number[]): Problem[] {
  const { days } = lock;
  if (days !== undefined && (kept.length === 0 || anyOf(kept, (most) => days <= most))) return [];
  const { values } = readable(kept, (one) => one);
  return [
    {
      path,
      value: lasting(lock),
      allowed: `at most ${values.length === 0 ? "" : `${Math.max(...values)} days, `}as long as backups are kept`,
      fix: "shorten it",
    },
  ];
}

/** How long a target keeps what it has, where that is said by no number: it would hold for nothing. */
function unreadWindow(target: KubernetesObject): Problem[] {
  const days = target.metadata.annotations?.[targetAnnotations.windowDays];
  return days === undefined || Number(days) > 0
    ? []
    : [
        {
          path: `${titleOf(target)}: ${targetAnnotations.windowDays}`,
          value: days,
          allowed: "a number of days",
          fix: "write it so, or remove it",
        },
      ];
}

const problemsOf = (stack: StackFacts, { resource, bucket, locks }: BucketFacts): Problem[] =>
  each(locks, (lock) => {
    const path = `Bucket ${resource}: lock on ${lock.prefix === "" ? "everything" : lock.prefix} in ${bucket}`;
    return firstOf(
      () => onArchive(lock, path, livePrefixes(stack, bucket)),
      () => tooLong(lock, path, retentionsOf(stack, bucket)),
    );
  });

export const bucketLocksInvariant: StackInvariant = {
  number: "19c",
  name: "bucket-locks",
  description: "Only copies are locked, and no longer than backups are kept.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Lock only where copies are: files of a base backup are written twice in the live archive, and what a lock holds can't expire.",
  on: "stack",
  check: (stack): Problem[] =>
    together(
      () => each(backupBuckets(stack), (bucket) => problemsOf(stack, bucket)),
      () => each(targetObjects(stack.objects), unreadWindow),
    ),
};
