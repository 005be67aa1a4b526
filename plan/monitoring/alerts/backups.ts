import { durationText } from "../../../settings/duration";
import type { Settings } from "../../../settings/schema";
import { archived, inMetrics, of, ofPods, stored, verified, type Alert } from "./alert";

const copied = ({ backup }: Settings): boolean => (backup?.targets.length ?? 0) > 1;

/** The newest WAL segment of one of two targets. */
const segment = (s: Settings, index: 0 | 1): string =>
  of("pgplatform_backup_segment_timestamp_seconds", s, `target="${s.backup?.targets[index]?.name ?? ""}"`);

const base = (s: Settings): string => of("pgplatform_backup_base_timestamp_seconds", s);
const passed = (s: Settings): string => of("pgplatform_backup_verified_timestamp_seconds", s);

/** Whether verifications make logical dumps, out of the last target. */
const dumped = (s: Settings): boolean => verified(s) && s.backup?.verify.dump === true;

/** Base backups that no watcher sees: those of an archive volume, which a CronJob makes. */
const volumeOnly = (s: Settings): boolean =>
  archived(s) && !stored(s) && inMetrics(s).baseBackups !== undefined;
const lastJob = (s: Settings): string =>
  `kube_cronjob_status_last_successful_time{namespace="${s.cluster.namespace}",cronjob="${inMetrics(s).baseBackups?.(s.cluster.name) ?? ""}"}`;

/** Whether WAL arrives where it is safe. */
export const archive: readonly Alert[] = [
  {
    name: "WALArchivingFailed",
    severity: "warning",
    for: 300,
    applies: archived,
    expr: (_, s) => `${of("pgplatform_archiver_failing", s, 'role="primary"')} == 1`,
    summary: "{{ $labels.instance }} can't archive WAL",
    description: "What isn't archived is on the instances alone, and fills their volumes.",
  },
  {
    name: "ArchiveBacklog",
    severity: "warning",
    for: 600,
    applies: archived,
    expr: (t, s) => `${of("pgplatform_archiver_ready_files", s, 'role="primary"')} > ${t.archiveBacklog}`,
    summary: "{{ $value }} WAL segments of {{ $labels.instance }} wait to be archived",
    description: "The store is slower than what is written, or away.",
  },
  {
    name: "RecoveryPointMissed",
    severity: "critical",
    for: 60,
    applies: stored,
    expr: (_, s) => {
      const late = of("pgplatform_backup_unarchived_seconds", s);
      return `${late} > ${of("pgplatform_backup_rpo_seconds", s)}`;
    },
    summary: (_, s) =>
      `the oldest write that isn't archived is {{ $value | humanizeDuration }} old; backup.rpoMinutes is ${s.backup?.rpoMinutes ?? ""}`,
    description: "If all instances were lost now, more would be lost than was promised.",
  },
  {
    name: "TargetDown",
    severity: "warning",
    for: 600,
    applies: stored,
    expr: (_, s) => `${of("pgplatform_backup_target_up", s)} == 0`,
    summary: "the backup target {{ $labels.target }} doesn't answer, or refuses",
    description: "Nothing is archived or copied there, and nothing could be restored from it.",
  },
  {
    name: "SecondTargetBehind",
    severity: "warning",
    for: 300,
    applies: copied,
    expr: (t, s) =>
      `time() - ${segment(s, 1)} > ${t.copyAge} and on (namespace, cluster) ${segment(s, 1)} < on (namespace, cluster) ${segment(s, 0)}`,
    summary:
      "the target {{ $labels.target }} got its newest WAL {{ $value | humanizeDuration }} ago, and the first one has newer WAL",
    description: "If the first target is lost, so much is lost with it.",
  },
];

/** Whether what is stored can be restored. */
export const backups: readonly Alert[] = [
  {
    name: "BackupOld",
    severity: "warning",
    for: 300,
    applies: (s) => stored(s) || volumeOnly(s),
    expr: (t, s) => `time() - ${volumeOnly(s) ? lastJob(s) : base(s)} > ${t.backupAge}`,
    summary:
      "the newest base backup{{ with $labels.target }} in {{ . }}{{ end }} is {{ $value | humanizeDuration }} old",
    description: "Base backups fail, or aren't begun. A restore has to replay so much WAL.",
  },
  {
    name: "NeverBackedUp",
    severity: "critical",
    for: (t) => t.firstBackup,
    applies: (s) => stored(s) || volumeOnly(s),
    expr: (_, s) =>
      volumeOnly(s)
        ? `absent(${lastJob(s)}) and on () kube_pod_status_ready{${ofPods(s)}}`
        : `${of("pgplatform_backup_target_up", s)} == 1 unless on (target, archive_id) ${base(s)}`,
    summary:
      "{{ if $labels.target }}the target {{ $labels.target }}{{ else }}the archive volume{{ end }} has no base backup of this cluster",
    description: "Nothing can be restored from there.",
  },
  {
    name: "NotRestorable",
    severity: "critical",
    for: 900,
    applies: stored,
    expr: (_, s) => `${of("pgplatform_backup_restorable", s)} == 0`,
    summary: "the newest base backup in {{ $labels.target }} doesn't restore up to the end of the archive",
    description: "Its timeline or its database cluster isn't the one whose WAL is archived now.",
  },
  {
    name: "VerificationFailed",
    severity: "critical",
    for: 0,
    applies: stored,
    expr: (_, s) => `${of("pgplatform_backup_verification_passed", s)} == 0`,
    summary: "the last verification of {{ $labels.target }} failed",
    description:
      "A restore of its newest backup didn't work, was damaged or incomplete, or its WAL came later than the RPO.",
  },
  {
    name: "VerificationOld",
    severity: "warning",
    for: 300,
    applies: verified,
    expr: (t, s) => `time() - ${passed(s)} > ${t.verificationAge}`,
    summary: "{{ $labels.target }} was last restored and found good {{ $value | humanizeDuration }} ago",
    description: "Whether its newest backups can be restored isn't known. Nothing is expired meanwhile.",
  },
  {
    name: "NeverVerified",
    severity: "warning",
    for: 300,
    applies: verified,
    expr: (t, s) => `${base(s)} offset ${t.verificationAge}s unless on (target, archive_id) ${passed(s)}`,
    summary: "no backup in {{ $labels.target }} was ever restored and found good",
    description: "Whether anything there can be restored isn't known.",
  },
  {
    name: "DumpOld",
    severity: "warning",
    for: 300,
    applies: dumped,
    expr: (t, s) =>
      `${of("pgplatform_backup_verified_timestamp_seconds", s, `target="${s.backup?.targets.at(-1)?.name ?? ""}"`)} ` +
      `unless on (target, archive_id) ${of("pgplatform_backup_dump_timestamp_seconds", s)} > time() - ${t.verificationAge}`,
    summary: (t) =>
      `no logical dump in {{ $labels.target }} is younger than ${durationText(t.verificationAge)}`,
    description: "Verifications pass, and make no dump: what backup.verify.dump asks for fails.",
  },
  {
    name: "RecoveryTimeMissed",
    severity: "warning",
    for: 0,
    applies: stored,
    expr: (t, s) => `${of("pgplatform_backup_verification_rto_seconds", s)} > ${t.recoveryTime}`,
    summary:
      "the last verification of {{ $labels.target }} took {{ $value | humanizeDuration }} until queries were answered",
    description: "A restore would take longer than was promised.",
  },
];
