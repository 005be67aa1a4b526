import type { Problem } from "../../settings/problem";
import { isProtected } from "../shape";
import type { ObjectInvariant } from "./invariant";

export const protectedClusterInvariant: ObjectInvariant = {
  number: "21b",
  name: "protected-cluster",
  description: "The resource of a database cluster is registered with `protect`.",
  severity: "medium",
  mandatory: "nowhere",
  remediation:
    "Register the cluster's resource with the option `protect: true`: Pulumi then refuses to delete or to replace it.",
  on: "object",
  check: (object, _options, facts): Problem[] =>
    facts === undefined || isProtected(object) !== false
      ? []
      : [
          {
            path: "protect",
            value: false,
            allowed: "true, so that no change of the program deletes the database",
            fix: "register it with protect",
          },
        ],
};
