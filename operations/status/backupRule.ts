import { page, type Rule, warning } from "./rule";
import { age, counted } from "./words";

/** How many segments may wait without a word: a burst of work leaves a few for a moment. */
const FEW_SEGMENTS = 4;

export const backups: Rule = ({ seen, facts, limits, now }) => {
  const { archive, targets } = facts;
  const first = targets[0]?.name;
  return [
    ...(archive?.failing === true
      ? [
          warning(
            `WAL is not archived (${counted(archive.waitingSegments, "segment waits", "segments wait")})`,
            "pgp logs --no-follow --since 10m --level warning",
            page("WALArchivingFailed"),
          ),
        ]
      : []),
    ...(archive?.unarchivedSeconds !== undefined &&
    archive.unarchivedSeconds > (archive.rpoSeconds ?? Infinity)
      ? [
          warning(
            `the RPO is missed: a write of ${age(archive.unarchivedSeconds)} ago is not archived`,
            "pgp logs --no-follow --since 10m --level warning",
            page("RecoveryPointMissed"),
          ),
        ]
      : []),
    ...(archive?.failing === false && archive.waitingSegments > FEW_SEGMENTS
      ? [
          warning(
            `${archive.waitingSegments} WAL segments wait to be archived`,
            "pgp logs --no-follow --since 10m --level warning",
            page("ArchiveBacklog"),
          ),
        ]
      : []),
    ...(seen.volumeBackup !== undefined &&
    seen.volumeBackup.phase !== "done" &&
    seen.volumeBackup.phase !== "running"
      ? [
          warning(
            `the newest base backup: ${facts.volumeBackup ?? ""}`,
            "pgp backup",
            page(seen.volumeBackup.name === undefined ? "NeverBackedUp" : "BackupOld"),
          ),
        ]
      : []),
    ...targets.flatMap(({ name, answers, why, baseAt, verified }) => [
      ...(answers
        ? []
        : [warning(`target ${name} can't be read: ${why ?? ""}`, "pgp backups", page("TargetDown"))]),
      ...(answers && why !== undefined
        ? [
            warning(
              `target ${name}: the newest base backup does not restore to the archive's end: ${why}`,
              "pgp backup",
              page("NotRestorable"),
            ),
          ]
        : []),
      ...(answers && baseAt === undefined
        ? [
            warning(
              `target ${name} has no base backup`,
              name === first ? "pgp backup" : "pgp backups",
              page("NeverBackedUp"),
            ),
          ]
        : []),
      ...(baseAt !== undefined &&
      limits.baseSeconds !== undefined &&
      now - Date.parse(baseAt) > limits.baseSeconds * 1000
        ? [
            warning(
              `the newest base backup in target ${name} is ${age((now - Date.parse(baseAt)) / 1000)} old`,
              "pgp backup",
              page("BackupOld"),
            ),
          ]
        : []),
      ...(verified === false
        ? [
            warning(
              `the last verification of target ${name} failed`,
              `pgp verify --target ${name}`,
              page("VerificationFailed"),
            ),
          ]
        : []),
    ]),
    ...(seen.unread.some((one) => one.startsWith("backups")) && seen.pods !== undefined
      ? [warning("the watcher of the backups does not answer", "pgp backups", page("MetricsAbsent"))]
      : []),
  ];
};
