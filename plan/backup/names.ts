import { verificationRole } from "../names";

/** Names of what happens to backups after they were made. */

/** Roles of their pods. */
export const backupRoles = {
  watch: "backups",
  copy: "backup-copy",
  verification: verificationRole,
  source: "restore-source",
} as const;
export const metricsPort = 9189;

/** Longest name of a CronJob; its pods get eleven characters more. */
export const longestCronJobName = 52;
/** Names of what runs; those of CronJobs are the longest. */
export const backupNames = {
  watch: (cluster: string): string => `${cluster}-backups`,
  copy: (cluster: string): string => `${cluster}-copy`,
  /** `index`: the target's, as the settings list it. */
  verification: (cluster: string, index: number): string => `${cluster}-verify-${index + 1}`,
  /** The queries that a restored database must answer. */
  queries: (cluster: string): string => `${cluster}-verify-queries`,
  source: (cluster: string): string => `${cluster}-restore-source`,
  look: (cluster: string): string => `${cluster}-restore-look`,
};

/** Pulumi's names of what holds the archive's ID, by that of the component: as it was drawn first, and since the major version has changed. */
export const archiveIdNames = (component: string): readonly [first: string, later: string] => [
  `${component}-archive-id`,
  `${component}-archive-id-later`,
];
