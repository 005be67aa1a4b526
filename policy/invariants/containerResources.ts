import type { Resources } from "../../plan/engines/reader";
import type { KubernetesObject } from "../../plan/objects";
import { clusterLabel } from "../../plan/names";
import type { Problem } from "../../settings/problem";
import { containersOf } from "../kubernetes";
import { each, together } from "../notKnown";
import { poolerFacts } from "../stackFacts";
import type { ObjectInvariant } from "./invariant";

const wanted = ["requests.cpu", "requests.memory", "limits.memory"] as const;
/** A database that takes a node's cores starves its neighbours; others are throttled by a limit for nothing. */
const ofDatabases = ["limits.cpu"] as const;

/** Whether the object's containers are PostgreSQL, a pooler, or the platform's own. */
function isDatabase(object: KubernetesObject): boolean {
  const signs = [
    () => object.metadata.labels?.[clusterLabel] !== undefined,
    () => poolerFacts(object).length > 0,
    () => containersOf(object).some(({ name }) => name === "pgbouncer"),
  ];
  return signs.some((sign) => {
    try {
      return sign();
    } catch {
      // What isn't known yet says nothing.
      return false;
    }
  });
}

const missing = (path: string, resources: Partial<Resources> | undefined, ofDatabase: boolean): Problem[] =>
  [...wanted, ...(ofDatabase ? ofDatabases : [])]
    .filter((part) => {
      const [kind, resource] = part.split(".") as ["requests" | "limits", "cpu" | "memory"];
      return resources?.[kind]?.[resource] === undefined;
    })
    .map((part) => ({
      path: `${path}.resources.${part}`,
      value: undefined,
      allowed: "a quantity",
      fix: "set it",
    }));

export const containerResourcesInvariant: ObjectInvariant = {
  number: "30a",
  name: "container-resources",
  description:
    "Every container has requests and a limit of memory, those of databases and poolers a limit of cpu, too.",
  severity: "medium",
  mandatory: "everywhere",
  remediation:
    "Set cpu and memory in `resources.requests` and `resources.limits` of the container (of `spec` for a Cluster).",
  on: "object",
  check(object, _options, facts): Problem[] {
    const containers = containersOf(object);
    const ofDatabase = facts !== undefined || (containers.length > 0 && isDatabase(object));
    // A workload's containers have the resources of its facts too.
    const holders =
      facts && containers.length === 0 ? [{ path: "spec", resources: facts.resources }] : containers;
    return together(
      () => each(holders, ({ path, resources }) => missing(path, resources, ofDatabase)),
      () =>
        each(poolerFacts(object), ({ bareContainer }) =>
          bareContainer === undefined ? [] : missing(`container ${bareContainer}`, {}, true),
        ),
    );
  },
};
