import { parameterBytes } from "../../components/postgres/catalogue";
import { bytesOf, milliCoresOf } from "../quantity";
import type { Rule } from "./rule";

const MiB = 2 ** 20;

export const resources: Rule = ({ cluster }, report) => {
  const { requests, limits } = cluster.resources;
  const request = bytesOf(requests.memory) ?? 0;
  const limit = bytesOf(limits.memory) ?? 0;
  if (request < 256 * MiB)
    report("cluster.resources.requests.memory", requests.memory, "at least 256Mi", "set 256Mi or more");
  if (request !== limit)
    report(
      "cluster.resources.limits.memory",
      limits.memory,
      `the same as the request of ${requests.memory}, so that PostgreSQL is never killed for memory that another pod took`,
      "leave the limit out",
    );
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
  if (buffers === undefined) return;
  const bytes = parameterBytes(cluster, "shared_buffers");
  const most = Math.floor((limit * 0.4) / MiB);
  if (bytes !== undefined && bytes > most * MiB)
    report(
      "cluster.parameters.shared_buffers",
      buffers,
      `an amount of memory such as 128MB, at most ${most}MB (40 % of the memory limit)`,
      "lower it, or leave it out: a quarter of the memory limit is the default",
    );
};
