import type { Problem } from "../../settings/problem";
import { backupBuckets } from "../backups";
import { each } from "../notKnown";
import type { StackInvariant } from "./invariant";

export const protectedBucketsInvariant: StackInvariant = {
  number: "19b",
  name: "protected-buckets",
  description: "A bucket that backups go to isn't deleted by a change of the program.",
  severity: "critical",
  mandatory: "prod",
  remediation:
    "Register the bucket with `protect: true`, and with `retainOnDelete: true`, which policies don't see. The way out is `pulumi state unprotect`.",
  on: "stack",
  check: (stack): Problem[] =>
    each(backupBuckets(stack), ({ resource, bucket, protected: isProtected }) =>
      isProtected
        ? []
        : [
            {
              path: `Bucket ${resource}: protection of ${bucket}`,
              value: false,
              allowed: "true, since backups outlive the cluster",
              fix: "protect it",
            },
          ],
    ),
};
