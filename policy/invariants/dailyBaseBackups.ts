import type { BaseBackupFacts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ScheduleInvariant } from "./invariant";

/** A schedule that isn't one is another invariant's matter. */
export const dailyBaseBackups = (
  { schedule, days }: Pick<BaseBackupFacts, "schedule" | "days">,
  { most }: { most: number },
): Problem[] =>
  days === undefined || days <= most
    ? []
    : [
        {
          path: "schedule",
          value: schedule,
          allowed: `${most === 1 ? "at least daily" : `at least every ${most} days`}: a restore replays all WAL since the last base backup`,
          fix: "write a schedule that fires more often",
        },
      ];

export const dailyBaseBackupsInvariant: ScheduleInvariant = {
  number: "12a",
  name: "daily-base-backups",
  description: "Base backups are made at least daily.",
  severity: "high",
  mandatory: "prod",
  remediation: "Lower the interval: `pgplatform:backup.schedule`, or the schedule of the object itself.",
  options: {
    most: {
      type: "integer",
      minimum: 1,
      default: 1,
      description: "Most days from one base backup to the next.",
    },
  },
  on: "schedule",
  check: (facts, { most }) => dailyBaseBackups(facts, { most: Number(most) }),
};
