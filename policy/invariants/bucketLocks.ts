import type { Problem } from "../../settings/problem";
import { backupBuckets, livePrefixes, retentionOf } from "../backups";
import { each } from "../notKnown";
import type { StackInvariant } from "./invariant";

const overlap = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);

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
    each(backupBuckets(stack), ({ resource, bucket, locks }) =>
      each(locks, ({ prefix, days }) => {
        const path = `bucket ${resource} (${bucket}): lock on ${prefix === "" ? "everything" : prefix}`;
        const kept = retentionOf(stack, bucket);
        const live = livePrefixes(stack, bucket).find((one) => overlap(one, prefix));
        if (live !== undefined)
          return [
            {
              path,
              value: days === undefined ? "for ever" : `${days} days`,
              allowed: `none on ${live}, where a cluster archives`,
              fix: "lock the copy in another bucket or under another prefix",
            },
          ];
        if (days === undefined || (kept !== undefined && days > kept))
          return [
            {
              path,
              value: days === undefined ? "for ever" : `${days} days`,
              allowed: `at most ${kept === undefined ? "" : `${kept} days, `}as long as backups are kept`,
              fix: "shorten it",
            },
          ];
        return [];
      }),
    ),
};
