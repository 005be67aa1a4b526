import { providerOf, thisCluster } from "../plan/backup/hosts";
import { endpointOf, type Store, storesOf } from "../plan/backup/store";
import { isLostWithCluster, targetProblems } from "../plan/backup/targets";
import { dailyBaseBackups } from "../policy/invariants/dailyBaseBackups";
import { daysBetween, longestWait } from "../settings/cron";
import type { EngineTraits } from "../plan/engines/planner";
import { bytesOf } from "../settings/quantity";
import type { Settings } from "../settings/schema";
import { volumeDefaults } from "../settings/schema/backup";
import { apart, type Report, type Rule, twice, within } from "./rule";

/** WAL senders that one base backup needs. */
const BASE_BACKUP_SENDERS = 2;

/** A copy must survive the loss of the first store's bucket, key or provider. */
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
  const runBy = (store: Store) => (store.peer.kind === "pods" ? thisCluster : providerOf(endpointOf(store)));
  const provider = runBy(first);
  if (provider === runBy(second))
    report(
      at(second.endpoint === undefined ? "kind" : "endpoint"),
      second.endpoint ?? backup?.targets[1]?.kind,
      `a store of another provider than ${provider}, where the target ${first.name} is, in the tier prod`,
      "copy to another provider, or set pgplatform:tier to dev",
    );
  const [one, other] = backup?.targets.map(({ credentials }) => credentials) ?? [];
  if (one !== undefined && one.accessKeyId === other?.accessKeyId)
    report(
      at("credentials.accessKeyId"),
      one.accessKeyId,
      `another key than that of the target ${first.name} in the tier prod, so that no key can delete both`,
      "make a key for this bucket alone",
    );
}

/** Longest that a verification may wait for the copy, of the twelve hours that it may take. */
const MOST_HOURS_OF_WAITING = 6;

/** Least minutes between two base backups, or two verifications: each reads the whole database. */
const LEAST_MINUTES = 60;

/** Schedules that would never let the work end. */
function often({ backup }: Settings, report: Report): void {
  if (backup === undefined) return;
  const { schedule, verify } = backup;
  apart(report, "backup.schedule", schedule, LEAST_MINUTES, "base backups; WAL is archived all the time");
  apart(report, "backup.verify.schedule", verify.schedule, LEAST_MINUTES, "verifications");
}

/** What only a verification does or needs. */
function unverified({ backup }: Settings, report: Report): void {
  if (backup === undefined || (backup.verify.enabled && backup.targets.length > 0)) return;
  const { dump, size, queries } = backup.verify;
  const given = {
    ...(dump && { dump }),
    ...(size !== undefined && { size }),
    ...(queries.length > 0 && { queries }),
  };
  for (const [key, value] of Object.entries(given))
    report(
      `backup.verify.${key}`,
      value,
      "must not be set where no backup is verified",
      backup.verify.enabled
        ? "list a target, or leave it out"
        : "set backup.verify.enabled to true, or leave it out",
    );
}

/** Least scratch volume: a data directory without any tables, its WAL, and room. */
const LEAST_SCRATCH = 2 ** 30;

/** A verification of the second target waits until the copy has the row that it wrote. */
function verification({ backup, cluster }: Settings, report: Report): void {
  if (backup?.verify.enabled !== true) return;
  const { copy, verify, targets } = backup;
  if (verify.size !== undefined && (bytesOf(verify.size) ?? 0) < LEAST_SCRATCH)
    report("backup.verify.size", verify.size, "at least 1Gi", "enlarge it, or leave it out");
  if (targets.length > 1 && longestWait(verify.schedule, copy.schedule) > MOST_HOURS_OF_WAITING * 3600)
    report(
      "backup.verify.schedule",
      verify.schedule,
      `at most ${MOST_HOURS_OF_WAITING} hours before the next copy, which it waits for (backup.copy.schedule is ${copy.schedule})`,
      "verify shortly before the copy, or copy more often",
    );
  const databases = cluster.databases.map(({ name }) => name);
  const nameOf = ({ database = databases[0], name }: (typeof verify.queries)[number]) =>
    `${database}.${name}`;
  const doubled = twice(verify.queries.map(nameOf));
  verify.queries.forEach((query, index) => {
    const at = (key: string) => `backup.verify.queries[${index}].${key}`;
    if (query.database !== undefined && ![...databases, "postgres"].includes(query.database))
      report(
        at("database"),
        query.database,
        `one of pgplatform:cluster.databases (${databases.join(", ")}), or postgres`,
        "correct it, or add the database",
      );
    if (doubled.has(nameOf(query)))
      report(at("name"), query.name, "a name that no other query of its database has", "rename it");
  });
}

/** Base backups on a volume of the engine's own. */
function onVolume({ backup, cluster }: Settings, report: Report, engine: EngineTraits): void {
  const ability = engine.can.archiveVolume;
  if (ability !== true) {
    if (backup?.volume !== undefined)
      report("backup.volume", backup.volume, within(engine, ability), "leave it out");
    if (backup?.targets.length === 0)
      report(
        "backup.targets",
        [],
        `a list of one or two targets with the engine ${engine.name}`,
        "list one target, or two, or leave out backup",
      );
    return;
  }
  const { baseBackupDays, walRetentionDays } = backup?.volume ?? volumeDefaults;
  if (baseBackupDays < walRetentionDays)
    report(
      "backup.volume.baseBackupDays",
      baseBackupDays,
      `at least ${walRetentionDays}, as backup.volume.walRetentionDays: WAL without an older base backup restores nothing`,
      "keep base backups as long as the WAL, or longer",
    );
  const { max_wal_senders: senders } = cluster.parameters;
  if (senders !== undefined && Number(senders) < BASE_BACKUP_SENDERS)
    report(
      "cluster.parameters.max_wal_senders",
      senders,
      `at least ${BASE_BACKUP_SENDERS} with backup: one for a base backup, one for its WAL`,
      "raise it, or leave it out",
    );
}

export const backup: Rule = (settings, report, engine) => {
  const { backup, tier } = settings;
  if (backup === undefined) return;
  onVolume(settings, report, engine);
  independence(settings, report);
  often(settings, report);
  verification(settings, report);
  unverified(settings, report);
  const days = daysBetween(backup.schedule);
  if (tier === "prod")
    for (const { value, allowed, fix } of dailyBaseBackups({ schedule: backup.schedule, days }, { most: 1 }))
      report("backup.schedule", value, `in the tier prod ${allowed}`, `${fix}, such as 0 2 * * *`);
  if (days > backup.recoveryWindowDays)
    report(
      "backup.schedule",
      backup.schedule,
      `at least every ${backup.recoveryWindowDays} days, the recovery window`,
      "make base backups more often, or lengthen backup.recoveryWindowDays",
    );
  if (backup.identity !== "irsa" && backup.targets.every(({ roleArn }) => roleArn === undefined))
    report(
      "backup.identity",
      backup.identity,
      "irsa without a target that has a roleArn: no pod takes a role",
      "set roleArn of a target, or leave identity out",
    );
  const { methods, by, unequalParts } = engine.compression;
  if (!methods.includes(backup.compression))
    report(
      "backup.compression",
      backup.compression,
      `one of ${methods.join(", ")} with the engine ${engine.name}, which archives with ${by}`,
      "choose one of them, or leave it out",
    );
  const [archive] = storesOf(settings);
  // The second target's uploads are rclone's, whose parts are equal.
  if (archive?.equalParts === true && unequalParts.includes(backup.compression))
    report(
      "backup.compression",
      backup.compression,
      `${methods.filter((one) => !unequalParts.includes(one)).join(", ")} with ${archive.called}, which takes only parts of one size`,
      "choose one of them, or leave it out",
    );
  backup.targets.forEach((target, index) => {
    const at = `backup.targets[${index}]`;
    for (const { key, value, allowed, fix } of targetProblems(target, settings.cluster))
      report(`${at}.${key}`, value, allowed, fix);
    lock(settings, index, report);
    role(settings, index, report);
    if (isLostWithCluster(target) && tier === "prod")
      report(
        `${at}.kind`,
        target.kind,
        "a store outside of the Kubernetes cluster in the tier prod",
        "use a bucket",
      );
  });
};

/** EKS gives one role to all pods of a service account, and only AWS knows it. */
function role({ backup, platform }: Settings, index: number, report: Report): void {
  const [first] = backup?.targets ?? [];
  const target = backup?.targets[index];
  const { roleArn } = target ?? {};
  if (roleArn === undefined) return;
  const path = `backup.targets[${index}].roleArn`;
  if (platform !== "cloud")
    report(
      path,
      roleArn,
      `must not be set with the platform ${platform}: EKS alone gives its pods a role`,
      "give credentials in its place, or set pgplatform:platform to cloud",
    );
  if (target?.credentials !== undefined)
    report(
      path,
      roleArn,
      "must not be set beside credentials: it takes their place",
      "leave out one of them",
    );
  if (target?.endpoint !== undefined)
    report(
      path,
      roleArn,
      "must not be set with an endpoint: only AWS knows its roles",
      "leave out the endpoint, or give credentials in its place",
    );
  if (index > 0 && first?.roleArn !== undefined && first.roleArn !== roleArn)
    report(
      path,
      roleArn,
      `${first.roleArn}, as at the target ${first.name}: the pods that use both stores have one service account, and that has one role`,
      "use one role for both, or give credentials to one of the targets",
    );
}

/** No key can delete what is locked: lock the copies alone, and no longer than they are kept. */
function lock({ backup }: Settings, index: number, report: Report): void {
  const target = backup?.targets[index];
  const { lockDays = 0, adopt = false } = target ?? {};
  if (backup === undefined || lockDays === 0) return;
  const path = `backup.targets[${index}].lockDays`;
  if (index === 0)
    report(
      path,
      lockDays,
      "0 at the first target: files of a base backup are written twice there, and what a lock holds can't expire",
      "lock the second target, which is the copy",
    );
  if (adopt)
    report(
      path,
      lockDays,
      "0 with a bucket that was there: its locks stay as they are",
      "lock it at the provider",
    );
  if (lockDays > backup.recoveryWindowDays)
    report(
      path,
      lockDays,
      `at most ${backup.recoveryWindowDays}, as long as backups are kept (backup.recoveryWindowDays)`,
      "shorten it, or lengthen the window",
    );
}
