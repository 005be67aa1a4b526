import { daysBetween } from "../cron";
import { bytesOf } from "../quantity";
import { type Rule } from "./rule";

const GiB = 2 ** 30;

export const backup: Rule = ({ backup, tier }, report) => {
  if (backup === undefined) return;
  const days = daysBetween(backup.schedule);
  if (tier === "prod" && days > 1)
    report(
      "backup.schedule",
      backup.schedule,
      "at least daily in the tier prod: a restore replays all that was logged since the last base backup",
      "write a schedule that fires every day, such as 0 2 * * *",
    );
  if (days > backup.recoveryWindowDays)
    report(
      "backup.schedule",
      backup.schedule,
      `at least every ${backup.recoveryWindowDays} days, the recovery window`,
      "make base backups more often, or lengthen backup.recoveryWindowDays",
    );
  backup.targets.forEach((target, index) => {
    const at = `backup.targets[${index}]`;
    const missing = (key: string, allowed: string) => report(`${at}.${key}`, undefined, allowed, "set it");
    const spare = (key: string, value: unknown, kind: string) =>
      report(
        `${at}.${key}`,
        value,
        `nothing with the kind ${target.kind}`,
        `leave it out, or use the kind ${kind}`,
      );
    if (target.kind === "local") {
      if (target.bucket !== undefined) spare("bucket", target.bucket, "s3");
      if (target.endpoint !== undefined) spare("endpoint", target.endpoint, "s3");
      // The value is a secret, and the problem is that it is there.
      if (target.credentials !== undefined) spare("credentials", "given", "s3");
      if ((bytesOf(target.size ?? "10Gi") ?? 0) < GiB)
        report(`${at}.size`, target.size, "at least 1Gi", "set 1Gi or more, or leave it out");
      if (tier === "prod")
        report(
          `${at}.kind`,
          target.kind,
          "a store outside of the Kubernetes cluster in the tier prod",
          "use a bucket",
        );
    } else {
      if (target.bucket === undefined) missing("bucket", "the name of a bucket with the kind s3");
      if (target.credentials === undefined) missing("credentials", "an access key with the kind s3");
      if (target.size !== undefined) spare("size", target.size, "local");
    }
  });
};
