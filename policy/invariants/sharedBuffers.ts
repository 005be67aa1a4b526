import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { bytesOf } from "../../settings/catalogue/values";
import { bytesInKubernetes } from "../../settings/quantity";
import { buffersWithin, hugePages } from "../../settings/sums/memory";
import type { ClusterInvariant } from "./invariant";

const MiB = 2 ** 20;
/** As the server reads it: a bare number counts blocks. */
const parameter = { type: "integer", unit: "8kB" } as const;

/** Default share of the memory limit. */
export const mostPercent = 40;

/** Buffers beyond two fifths of the limit leave too little for sessions, and the kernel kills one of them. Huge pages are no part of it, and hold what they hold. */
export function sharedBuffers(
  { sharedBuffers, resources }: Pick<Facts, "sharedBuffers" | "resources">,
  { percent } = { percent: mostPercent },
): Problem[] {
  const { memory } = resources.limits;
  // A limit that is missing is another invariant's matter.
  if (memory === undefined) return [];
  const limit = bytesInKubernetes(memory);
  if (limit === undefined)
    return [
      { path: "limits.memory", value: memory, allowed: "a quantity such as 2Gi", fix: "write it as one" },
    ];
  const huge = hugePages({ resources });
  const most = Math.floor((huge ? buffersWithin(huge.bytes) : (limit * percent) / 100) / MiB);
  const bytes = bytesOf(parameter, sharedBuffers);
  return bytes !== undefined && bytes <= most * MiB
    ? []
    : [
        {
          path: "shared_buffers",
          value: sharedBuffers,
          allowed: `an amount of memory such as 128MB, at most ${most}MB (${huge ? "what the huge pages hold" : `${percent} % of the memory limit`})`,
          fix: `lower it, or raise the ${huge ? "amount of huge pages" : "memory"}`,
        },
      ];
}

export const sharedBuffersInvariant: ClusterInvariant = {
  number: "30c",
  name: "shared-buffers",
  description: "PostgreSQL's shared buffers leave memory for sessions.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Remove shared_buffers from the parameters (the platform takes a quarter of the memory), or raise the memory.",
  options: {
    percent: {
      type: "integer",
      minimum: 1,
      default: mostPercent,
      description: "Most of the memory limit, in percent.",
    },
  },
  on: "cluster",
  check: (facts, { percent }) => sharedBuffers(facts, { percent: Number(percent) }),
};
