import { providerOf, storesOf } from "../../components/backup/store";
import { daysBetween } from "../cron";
import { bytesOf } from "../quantity";
import type { Settings } from "../schema";
import { type Report, type Rule, twice } from "./rule";

const GiB = 2 ** 30;

/** A copy that goes with what it is of, by one lost bucket, key or provider, is none. */
function independence(settings: Settings, report: Report): void {
  const { backup, tier } = settings;
  const [first, second] = storesOf(settings);
  if (first === undefined || second === undefined) return;
  const at = (key: string) => `backup.targets[1].${key}`;
  if (twice([first.name, second.name]).size > 0) {
    report(at("name"), second.name, "a name that the first target doesn't have", "rename one of them");
    return;
  }
  if (first.bucket === second.bucket && first.endpoint === second.endpoint) {
    report(
      at("bucket"),
      second.bucket,
      `another bucket than that of the target ${first.name}, or another endpoint`,
      "name a bucket of its own for the copy",
    );
    return;
  }
  if (tier !== "prod") return;
  if (providerOf(first) === providerOf(second))
    report(
      at(second.endpoint === undefined ? "kind" : "endpoint"),
      second.endpoint ?? backup?.targets[1]?.kind,
      `a store of another provider than ${providerOf(first)}, where the target ${first.name} is, in the tier prod`,
      "copy to another provider, or set pgplatform:tier to dev",
    );
  const [one, other] = backup?.targets.map(({ credentials }) => credentials) ?? [];
  if (one !== undefined && one.accessKeyId === other?.accessKeyId)
    report(
      at("credentials.accessKeyId"),
      one.accessKeyId,
      `another key than that of the target ${first.name} in the tier prod, so that nobody deletes both with one`,
      "make a key for this bucket alone",
    );
}

export const backup: Rule = (settings, report) => {
  const { backup, tier } = settings;
  if (backup === undefined) return;
  independence(settings, report);
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
