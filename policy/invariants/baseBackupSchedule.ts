import type { Problem } from "../../settings/problem";
import type { ScheduleInvariant } from "./invariant";

export const baseBackupScheduleInvariant: ScheduleInvariant = {
  number: "12b",
  name: "base-backup-schedule",
  description: "A schedule of base backups has the form that its engine reads.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Write it as the engine wants it. CloudNativePG: six fields with the seconds first, such as `0 0 2 * * *`; five are read wrongly. The others: five.",
  on: "schedule",
  check: ({ schedule, days, form }): Problem[] =>
    days !== undefined ? [] : [{ path: "schedule", value: schedule, allowed: form, fix: "write it so" }],
};
