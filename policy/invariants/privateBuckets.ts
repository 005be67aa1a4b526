import type { Problem } from "../../settings/problem";
import { backupBuckets } from "../backups";
import { each } from "../notKnown";
import type { StackInvariant } from "./invariant";

export const privateBucketsInvariant: StackInvariant = {
  number: "19a",
  name: "private-buckets",
  description: "Only the platform has access to a bucket that backups go to.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "AWS: a BucketPublicAccessBlock with all four parts true, and no public ACL. R2: no R2ManagedDomain that is enabled and no R2CustomDomain. B2: no public ACL.",
  on: "stack",
  check: (stack): Problem[] =>
    each(backupBuckets(stack), ({ resource, bucket, open }) =>
      open === undefined
        ? []
        : [
            {
              path: `Bucket ${resource}: access to ${bucket}`,
              value: open,
              allowed: "the platform's only",
              fix: "close it",
            },
          ],
    ),
};
