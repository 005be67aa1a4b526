import { mostPercent } from "../policy/invariants/sharedBuffers";
import { bytesOf, postgresMemory } from "../settings/quantity";
import { hugePages, memoryOf, memoryParts, sharedMemory } from "../settings/sums/memory";
import type { Rule } from "./rule";

const MiB = 2 ** 20;

/** PostgreSQL is killed at its limit, so that all that its parameters allow must fit in. */
export const memory: Rule = (settings, report, engine) => {
  const { cluster } = settings;
  const { requests, limits } = cluster.resources;
  const limit = bytesOf(limits.memory) ?? 0;
  const parts = memoryOf(cluster, engine.besideServer?.bytes(settings));
  const huge = hugePages(cluster);
  if (huge !== undefined) {
    const pages = Math.ceil(sharedMemory(parts.sharedBuffers) / huge.pageBytes);
    const least = `${(pages * huge.pageBytes) / MiB}Mi`;
    if (huge.bytes % huge.pageBytes !== 0 || huge.bytes < pages * huge.pageBytes)
      report(
        "cluster.resources.hugePages.amount",
        requests["hugepages-2Mi"] ?? requests["hugepages-1Gi"],
        `whole pages, and at least ${least}: shared_buffers ${postgresMemory(parts.sharedBuffers)}, a tenth more, and 64 MB`,
        `set ${least} or more, or lower shared_buffers`,
      );
  }
  // Another rule speaks of these.
  if (
    limit < 256 * MiB ||
    limit !== bytesOf(requests.memory) ||
    (huge === undefined && parts.sharedBuffers * 100 > limit * mostPercent)
  )
    return;
  if (!(parts.total > limit)) return;
  const sum = memoryParts(parts, huge !== undefined, engine.besideServer?.who);
  report(
    "cluster.resources.limits.memory",
    limits.memory,
    `at least ${Math.ceil(parts.total / MiB)}Mi: ${sum.map(({ text }) => text).join(", ")}`,
    "raise the memory, or lower cluster.maxConnections or the parameters",
  );
};
