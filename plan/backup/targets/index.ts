import type { Settings } from "../../../settings/schema";
import type { Target, TargetKind } from "../../../settings/schema/targets";
import { aws } from "./aws";
import { b2 } from "./b2";
import type { Dialect, Spoken, TargetProblem } from "./dialect";
import { local } from "./local";
import { r2 } from "./r2";
import { s3 } from "./s3";

const dialects: { readonly [K in TargetKind]: Dialect<K> } = { r2, b2, aws, s3, local };

/** The target is of the dialect's kind, which a type of all of them can't say. */
const dialectOf = (target: Target) => dialects[target.kind] as Dialect<TargetKind>;

/** How a target's bucket is spoken to. */
export const spokenTo = (target: Target, cluster: Settings["cluster"]): Spoken =>
  dialectOf(target).speak(target, cluster);

/** What is wrong with a target by itself: names, and what its settings ask of each other. */
export function targetProblems(target: Target, cluster: Settings["cluster"]): readonly TargetProblem[] {
  const { bucket, names, called } = spokenTo(target, cluster);
  const rule = names.find(({ refused }) => refused.test(bucket));
  return [
    ...(rule
      ? [
          {
            key: "bucket",
            value: bucket,
            allowed: `${rule.allowed} with ${called}`,
            fix: "use another bucket",
          },
        ]
      : []),
    ...(dialectOf(target).problems?.(target) ?? []),
  ];
}

/** Whether a target's store is lost with the Kubernetes cluster. */
export const isLostWithCluster = (target: Target): boolean => dialectOf(target).inCluster === true;

/** Kinds for whose buckets the platform makes no key. */
export const keyGiven = (Object.keys(dialects) as TargetKind[]).filter(
  (kind) => dialects[kind].key === "given",
);
