import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { bytesInKubernetes } from "../../settings/quantity";
import type { ClusterInvariant } from "./invariant";

/** The kernel kills to take back memory above the request: PostgreSQL then restarts all sessions. */
export function guaranteedMemory({ resources }: Pick<Facts, "resources">): Problem[] {
  const { memory: request } = resources.requests;
  const { memory: limit } = resources.limits;
  if (request === undefined || limit === undefined)
    return [
      {
        path: request === undefined ? "requests.memory" : "limits.memory",
        value: undefined,
        allowed: "a request and a limit of the same memory",
        fix: "set both",
      },
    ];
  return request === limit || (bytesInKubernetes(request) ?? 0) === (bytesInKubernetes(limit) ?? 1)
    ? []
    : [
        {
          path: "limits.memory",
          value: limit,
          allowed: `the same as the request of ${request}, so that PostgreSQL is never killed for memory that another pod took`,
          fix: "set both to the same",
        },
      ];
}

export const guaranteedMemoryInvariant: ClusterInvariant = {
  number: "30b",
  name: "guaranteed-memory",
  description: "Each instance's memory limit is its request.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Set `pgplatform:cluster.resources` (`spec.resources`) with the same memory in requests and limits.",
  on: "cluster",
  check: guaranteedMemory,
};
