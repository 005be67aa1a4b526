import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** Engines whose objects don't show whether WAL is archived aren't judged. */
export const walArchiving = ({ archive, follows }: Pick<Facts, "archive" | "follows">): Problem[] =>
  // What a replica of another cluster has is in that one's archive.
  follows !== undefined || archive === undefined || archive.archivers > 0
    ? []
    : [
        {
          path: "WAL archive",
          value: archive.volume === undefined ? "none" : `on the volume ${archive.volume} alone`,
          allowed: "one, since what isn't archived is lost with the cluster",
          fix: "set pgplatform:backup, or name an archiver",
        },
      ];

export const walArchivingInvariant: ClusterInvariant = {
  number: "11a",
  name: "wal-archiving",
  description: "WAL is archived continuously.",
  severity: "critical",
  mandatory: "prod",
  remediation:
    "Set `pgplatform:backup` with a target. CloudNativePG: a plugin with `isWALArchiver: true` in `spec.plugins`, and an ObjectStore. Zalando: Spilo's " +
    "variables (`USE_WALG_BACKUP`, `WALG_S3_PREFIX` and related ones) in `spec.env`, or in the operator's configuration in the same stack. A StatefulSet: `archive_mode` and an " +
    "`archive_command` or `archive_library` that sends something.",
  on: "cluster",
  check: walArchiving,
};
