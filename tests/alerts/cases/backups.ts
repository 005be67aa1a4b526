import { always, both, of, type Case, type Pair, type Pairs, type Series } from "../case";

const labels = (target: string): string => `target="${target}",archive_id="3f2a90b1c4"`;
const far = { target: "far", archive_id: "3f2a90b1c4" };
const copy = { target: "copy", archive_id: "3f2a90b1c4" };
const metric = (name: string, target = "far"): string => of(`pgplatform_backup_${name}`, labels(target));
const archiver = (name: string, value: number, role = "primary"): Series => ({
  [of(`pgplatform_archiver_${name}`, `instance="main-1",role="${role}"`)]: always(value),
});
const writes = (waiting: number): Series => ({
  [of("pgplatform_backup_unarchived_seconds")]: always(waiting),
  [of("pgplatform_backup_rpo_seconds")]: always(120),
});
/** When the newest segment came to each target; the alert fires after 5 minutes. */
const segments = (first: number, second: number): Series => ({
  [metric("segment_timestamp_seconds")]: always(first),
  [metric("segment_timestamp_seconds", "copy")]: always(second),
});
/** A moment that is older than so many seconds by one, or by none; both count from when the alert fires or doesn't. */
const older = (
  name: string,
  seconds: number,
  age: string,
  summary: (age: string) => string,
  also: Case = { series: {} },
): Pair => ({
  fires: () => ({
    ...also,
    series: { [metric(name)]: always(-seconds - 1) },
    labels: far,
    summary: summary(age),
  }),
  quiet: () => ({ ...also, series: { [metric(name)]: always(300 - seconds) } }),
});

/** A verification each hour, which may be two hours old. */
const hourly = {
  "backup.verify.schedule": "0 * * * *",
  "monitoring.thresholds": { verificationAge: "2h" },
};

export const backups: Pairs = {
  WALArchivingFailed: {
    fires: () => ({
      series: archiver("failing", 1),
      labels: both,
      summary: "main-1 can't archive WAL",
    }),
    // Never tried, since nothing was written.
    quiet: () => ({
      series: {
        ...archiver("failing", 0),
        ...archiver("archived_age_seconds", -1),
        ...archiver("failed_age_seconds", -1),
        // The former primary, whose last attempt was cut off by a switchover.
        ...archiver("failing", 1, "standby"),
      },
    }),
  },
  ArchiveBacklog: {
    // An eighth of the volume: of 4Gi, without a WAL volume of 20Gi.
    fires: (engine) => ({
      series: archiver("ready_files", engine === "zalando" ? 161 : 33),
      labels: both,
      summary: `${engine === "zalando" ? 161 : 33} WAL segments of main-1 wait to be archived`,
    }),
    quiet: (engine) => ({
      series: {
        ...archiver("ready_files", engine === "zalando" ? 160 : 32),
        ...archiver("ready_files", 900, "standby"),
      },
    }),
  },
  RecoveryPointMissed: {
    fires: () => ({
      series: writes(121),
      summary: "the oldest write that isn't archived is 2m 1s old; backup.rpoMinutes is 2",
    }),
    quiet: () => ({ series: writes(120) }),
  },
  TargetDown: {
    fires: () => ({
      series: { [metric("target_up", "copy")]: always(0) },
      labels: copy,
      summary: "the backup target copy doesn't answer, or refuses",
    }),
    quiet: () => ({ series: { [metric("target_up", "copy")]: always(1) } }),
  },
  SecondTargetBehind: {
    // Twice 15 minutes and 15 more.
    fires: () => ({
      series: segments(-2700, -2701),
      labels: copy,
      summary: "the target copy got its newest WAL 50m 1s ago, and the first one has newer WAL",
    }),
    // As old, and the first one has nothing newer: nothing is written.
    quiet: () => ({ series: segments(-90_000, -89_000) }),
    more: [
      () => ({ title: "not before a copy is missed", series: segments(299, 300 - 2700) }),
      () => ({
        title: "not for the first write after a quiet day, which the next copy takes",
        series: { ...segments(290, -90_000), [metric("segment_timestamp_seconds")]: "-90000x4 290x100" },
      }),
    ],
  },
  BackupOld: older(
    "base_timestamp_seconds",
    86_400 + 900 + 14_400,
    "1d 4h 20m 1s",
    (age) => `the newest base backup in far is ${age} old`,
  ),
  NeverBackedUp: {
    fires: () => ({
      series: {
        [metric("target_up")]: always(1),
        [metric("target_up", "copy")]: always(1),
        [metric("base_timestamp_seconds")]: always(1),
      },
      labels: copy,
      summary: "the target copy has no base backup of this cluster",
    }),
    quiet: () => ({
      series: {
        [metric("target_up")]: always(1),
        [metric("target_up", "copy")]: always(1),
        [metric("base_timestamp_seconds")]: always(1),
        [metric("base_timestamp_seconds", "copy")]: "_x134 1x120",
      },
    }),
  },
  NotRestorable: {
    fires: () => ({
      series: { [metric("restorable")]: always(0) },
      labels: far,
      summary: "the newest base backup in far doesn't restore up to the end of the archive",
    }),
    quiet: () => ({ series: { [metric("restorable")]: always(1) } }),
  },
  VerificationFailed: {
    fires: () => ({
      always: true,
      series: { [metric("verification_passed")]: always(0) },
      labels: far,
      summary: "the last verification of far failed",
    }),
    quiet: () => ({ series: { [metric("verification_passed")]: always(1) } }),
  },
  VerificationOld: older(
    "verified_timestamp_seconds",
    8 * 86_400,
    "8d 0h 5m 1s",
    (age) => `far was last restored and found good ${age} ago`,
  ),
  NeverVerified: {
    fires: () => ({
      from: 120,
      change: hourly,
      series: {
        [metric("base_timestamp_seconds")]: always(1),
        [metric("base_timestamp_seconds", "copy")]: "_x10 1x240",
        [metric("verified_timestamp_seconds", "copy")]: always(1),
      },
      labels: far,
      summary: "no backup in far was ever restored and found good",
    }),
    quiet: () => ({
      from: 120,
      change: hourly,
      series: {
        [metric("base_timestamp_seconds")]: always(1),
        [metric("verified_timestamp_seconds")]: "_x122 7300x100",
      },
    }),
  },
  DumpOld: {
    fires: () => ({
      series: {
        [metric("verified_timestamp_seconds", "copy")]: always(0),
        [metric("dump_timestamp_seconds", "copy")]: always(-8 * 86_400 - 1),
      },
      labels: copy,
      summary: "no logical dump in copy is younger than 8d",
    }),
    // The first target has no dumps.
    quiet: () => ({
      series: {
        [metric("verified_timestamp_seconds")]: always(0),
        [metric("verified_timestamp_seconds", "copy")]: always(0),
        [metric("dump_timestamp_seconds", "copy")]: always(301 - 8 * 86_400),
      },
    }),
    more: [
      () => ({
        title: "where no dump was ever made",
        series: { [metric("verified_timestamp_seconds", "copy")]: always(0) },
        labels: copy,
        summary: "no logical dump in copy is younger than 8d",
      }),
      () => ({ title: "not before the first verification", series: {} }),
    ],
  },
  RecoveryTimeMissed: {
    fires: () => ({
      always: true,
      series: { [metric("verification_rto_seconds")]: always(1801) },
      labels: far,
      summary: "the last verification of far took 30m 1s until queries were answered",
    }),
    quiet: () => ({ series: { [metric("verification_rto_seconds")]: always(1800) } }),
  },
};

/** Base backups that a CronJob makes onto a volume, and no watcher sees. */
const lastJob = 'kube_cronjob_status_last_successful_time{namespace="postgres",cronjob="main-base"}';
const pod = 'kube_pod_status_ready{namespace="postgres",pod="main-0",condition="true"}';
const waited = { "monitoring.thresholds": { firstBackup: "1h" } };
export const onVolume: Pairs = {
  BackupOld: {
    fires: () => ({
      series: { [lastJob]: always(-86_400 - 14_400 - 1) },
      labels: { cronjob: "main-base" },
      summary: "the newest base backup is 1d 4h 5m 1s old",
    }),
    quiet: () => ({ series: { [lastJob]: always(300 - 86_400 - 14_400) } }),
  },
  NeverBackedUp: {
    fires: () => ({
      change: waited,
      series: { [pod]: always(1) },
      labels: { cronjob: "main-base" },
      summary: "the archive volume has no base backup of this cluster",
    }),
    quiet: () => ({ change: waited, series: { [pod]: always(1), [lastJob]: "_x59 3540x60" } }),
    more: [() => ({ title: "not where Kubernetes isn't read", change: waited, series: {} })],
  },
};
