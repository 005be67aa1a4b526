import type { Problem } from "../../settings/problem";
import { containersOf } from "../kubernetes";
import type { ObjectInvariant } from "./invariant";

const wanted = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;

export const containerResourcesInvariant: ObjectInvariant = {
  number: "30a",
  name: "container-resources",
  description: "Every container and every PostgreSQL instance has requests and limits.",
  severity: "medium",
  mandatory: "everywhere",
  remediation:
    "Set cpu and memory in `resources.requests` and `resources.limits` of the container (of `spec` for a Cluster).",
  on: "object",
  check(object, _options, facts): Problem[] {
    const containers = containersOf(object);
    // A workload's containers have the resources of its facts too.
    const holders =
      facts && containers.length === 0 ? [{ path: "spec", resources: facts.resources }] : containers;
    return holders.flatMap(({ path, resources }) =>
      wanted
        .filter((part) => {
          const [kind, resource] = part.split(".") as ["requests" | "limits", "cpu" | "memory"];
          return resources?.[kind]?.[resource] === undefined;
        })
        .map((part) => ({
          path: `${path}.resources.${part}`,
          value: undefined,
          allowed: "a quantity",
          fix: "set it",
        })),
    );
  },
};
