import type { Problem } from "../../settings/problem";
import type { ScheduleInvariant } from "./invariant";

export const explicitMethodInvariant: ScheduleInvariant = {
  number: "16b",
  name: "explicit-backup-method",
  description: "A schedule says how its base backups are made.",
  severity: "medium",
  mandatory: "everywhere",
  remediation:
    "CloudNativePG: set `spec.method: plugin` and `spec.pluginConfiguration`; a later release removes the default.",
  on: "schedule",
  check: ({ explicitMethod }): Problem[] =>
    explicitMethod
      ? []
      : [
          {
            path: "method",
            value: undefined,
            allowed: "a method that is named, since an update removes the default",
            fix: "name it",
          },
        ],
};
