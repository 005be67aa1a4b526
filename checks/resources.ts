import { parameterBytes, parameterText } from "../settings/catalogue/index";
import { guaranteedMemory } from "../policy/invariants/guaranteedMemory";
import { sharedBuffers } from "../policy/invariants/sharedBuffers";
import { bytesOf, milliCoresOf } from "../settings/quantity";
import { hugePages } from "../settings/sums/memory";
import type { Rule } from "./rule";

const MiB = 2 ** 20;

export const resources: Rule = ({ cluster }, report) => {
  const { requests, limits } = cluster.resources;
  const request = bytesOf(requests.memory) ?? 0;
  if (request < 256 * MiB)
    report("cluster.resources.requests.memory", requests.memory, "at least 256Mi", "set 256Mi or more");
  for (const { value, allowed } of guaranteedMemory(cluster))
    report("cluster.resources.limits.memory", value, allowed, "leave the limit out");
  if ((milliCoresOf(requests.cpu) ?? 0) < 10)
    report("cluster.resources.requests.cpu", requests.cpu, "at least 10m", "set 10m or more");
  if ((milliCoresOf(limits.cpu) ?? 0) < (milliCoresOf(requests.cpu) ?? 0))
    report(
      "cluster.resources.limits.cpu",
      limits.cpu,
      `at least the request of ${requests.cpu}`,
      "raise the limit or lower the request",
    );
  const buffers = cluster.parameters.shared_buffers;
  // A value that is no amount is another rule's, and so is what doesn't fit into huge pages.
  if (
    hugePages(cluster) !== undefined ||
    buffers === undefined ||
    parameterBytes(cluster, "shared_buffers") === undefined
  )
    return;
  const claims = { sharedBuffers: parameterText(buffers), resources: cluster.resources };
  for (const { allowed } of sharedBuffers(claims))
    report(
      "cluster.parameters.shared_buffers",
      buffers,
      allowed,
      "lower it, or leave it out: a quarter of the memory limit is the default",
    );
};
