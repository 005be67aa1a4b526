import { near, type Limits } from "./limits";
import {
  above,
  noneWanted,
  query,
  series,
  stat,
  states,
  table,
  yesNo,
  type Dashboard,
  type Query,
} from "./model";
import { failovers } from "./marks";
import { labels, needs, ofCluster, peak, variables } from "./selectors";

const { cluster, targets, primary } = labels;
const backup = (metric: string, where: string = targets): string => `pgplatform_backup_${metric}{${where}}`;
const age = (metric: string): string => `time() - max by (target) (${backup(metric)})`;

const ask = (expr: string, legend: string, more: Partial<Query> = {}): Query =>
  query(expr, legend, { needsEvent: needs.backups, ...more });
const verification = (expr: string, legend: string, more: Partial<Query> = {}): Query =>
  ask(expr, legend, { needsEvent: needs.verification, ...more });
const verified = (expr: string, legend: string, more: Partial<Query> = {}): Query =>
  ask(expr, legend, { needsEvent: needs.verified, ...more });

export const backups = (limits: Limits): Dashboard => ({
  id: "backups",
  title: "PostgreSQL: backups and verification",
  description: "What could be restored now, from which target, and when that was last tried.",
  variables: [...ofCluster, variables.target],
  marks: [failovers],
  rows: [
    {
      title: "Now",
      panels: [
        stat(
          "Writes that aren't archived",
          "s",
          "Age of the oldest one: what is lost when all instances are.",
          [ask(`max(${backup("unarchived_seconds", cluster)})`, "age")],
          { steps: near(limits.rpo) },
        ),
        stat(
          "Of the RPO asked for",
          "percentunit",
          "The same as a share of backup.rpoMinutes.",
          [
            ask(
              `max(${backup("unarchived_seconds", cluster)}) / max(${backup("rpo_seconds", cluster)})`,
              "share",
            ),
          ],
          { steps: above(0.75, 1) },
        ),
        stat(
          "Targets that don't answer",
          "none",
          "Stores that the watcher can't read.",
          [ask(`sum(${backup("target_up")} == bool 0)`, "targets")],
          { steps: noneWanted },
        ),
        stat(
          "Targets not restorable",
          "none",
          "Targets whose newest base backup doesn't restore to the archive's end.",
          [ask(`sum(max by (target) (${backup("restorable")}) == bool 0)`, "targets")],
          { steps: noneWanted },
        ),
        stat(
          "Base backup",
          "s",
          "Age of the newest one, in the target that is furthest behind.",
          [ask(`max(${age("base_timestamp_seconds")})`, "age")],
          { steps: near(limits.backupAge), noValue: "none" },
        ),
        stat(
          "Restore verified",
          "s",
          "Time since a restore passed, in the target that is furthest behind.",
          [verified(`max(${age("verified_timestamp_seconds")})`, "age")],
          { steps: near(limits.verificationAge), noValue: "never" },
        ),
      ],
    },
    {
      title: "Targets",
      panels: [
        table(
          "Targets",
          "none",
          "One line a target.",
          [
            ask(`max by (target) (${backup("target_up")})`, "Answers", { names: yesNo }),
            ask(`max by (target) (${backup("restorable")})`, "Restorable", { names: yesNo }),
            ask(age("base_timestamp_seconds"), "Base backup", {
              unit: "s",
              steps: near(limits.backupAge),
            }),
            ask(age("segment_timestamp_seconds"), "WAL", { unit: "s" }),
            verification(`max by (target) (${backup("verification_passed")})`, "Last verification passed", {
              names: yesNo,
            }),
            verified(age("verified_timestamp_seconds"), "Verified", {
              unit: "s",
              steps: near(limits.verificationAge),
            }),
            verified(`max by (target) (${backup("verification_rto_seconds")})`, "Restored in", { unit: "s" }),
          ],
          { labels: { target: "Target" }, height: 5 },
        ),
        states(
          "Targets answer",
          "none",
          "Whether the watcher could read each store.",
          [ask(`max by (target) (${backup("target_up")})`, "{{target}}")],
          { names: yesNo, width: 12 },
        ),
        states(
          "Targets can be restored from",
          "none",
          "Whether the newest base backup restores to the archive's end.",
          [ask(`max by (target) (${backup("restorable")})`, "{{target}}")],
          { names: yesNo, width: 12 },
        ),
      ],
    },
    {
      title: "Base backups and WAL",
      panels: [
        series(
          "Writes that aren't archived",
          "s",
          "Age of the oldest one, and how old it may be.",
          [
            ask(`max(${peak(backup("unarchived_seconds", cluster))})`, "age"),
            ask(`max(${backup("rpo_seconds", cluster)})`, "backup.rpoMinutes"),
          ],
          { min: 0 },
        ),
        series(
          "Age of the newest base backup",
          "s",
          "By target.",
          [ask(age("base_timestamp_seconds"), "{{target}}")],
          { min: 0, steps: near(limits.backupAge) },
        ),
        series(
          "Age of the newest WAL segment",
          "s",
          "By target. An idle server archives rarely.",
          [ask(age("segment_timestamp_seconds"), "{{target}}")],
          { min: 0 },
        ),
        series(
          "Segments that wait to be archived",
          "none",
          "Segments of the primary with a .ready file.",
          [query(`max by (instance) (pgplatform_archiver_ready_files{${primary}})`, "{{instance}}")],
          { min: 0, steps: near(limits.archiveBacklog) },
        ),
        series(
          "Segments archived and failed",
          "none",
          "In five minutes, on the primary.",
          [
            query(`sum(increase(pgplatform_archiver_archived_total{${primary}}[5m]))`, "archived"),
            query(`sum(increase(pgplatform_archiver_failed_total{${primary}}[5m]))`, "failed"),
          ],
          { min: 0 },
        ),
        series(
          "WAL written",
          "Bps",
          "By the primary: what must be archived.",
          [query(`sum(rate(pgplatform_wal_bytes_total{${primary}}[$__rate_interval]))`, "WAL")],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Verification",
      panels: [
        series(
          "Time since a restore passed",
          "s",
          "By target.",
          [verified(age("verified_timestamp_seconds"), "{{target}}")],
          { min: 0, steps: near(limits.verificationAge), width: 8 },
        ),
        series(
          "RTO that was measured",
          "s",
          "How long the last restore that passed took until it answered queries.",
          [verified(`max by (target) (${backup("verification_rto_seconds")})`, "{{target}}")],
          { min: 0, width: 8 },
        ),
        series(
          "RPO that was measured",
          "s",
          "Age of the newest transaction in the last restore that passed.",
          [verified(`max by (target) (${backup("verification_rpo_seconds")})`, "{{target}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Restored",
          "bytes",
          "Size of the databases in the last restore that passed.",
          [verified(`max by (target) (${backup("verification_bytes")})`, "{{target}}")],
          { min: 0, width: 8 },
        ),
        states(
          "Verification passed",
          "none",
          "Whether the last one passed, by target.",
          [verification(`max by (target) (${backup("verification_passed")})`, "{{target}}")],
          { names: yesNo, width: 8, height: 8 },
        ),
        series(
          "Time since a verification was tried",
          "s",
          "By target.",
          [verification(age("verification_timestamp_seconds"), "{{target}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Age of the logical dump",
          "s",
          "By target, where the settings ask for dumps.",
          [query(age("dump_timestamp_seconds"), "{{target}}", { needsEvent: needs.dump })],
          { min: 0, noValue: "no dumps" },
        ),
        series(
          "Size of the logical dump",
          "bytes",
          "By target.",
          [query(`max by (target) (${backup("dump_bytes")})`, "{{target}}", { needsEvent: needs.dump })],
          { min: 0, noValue: "no dumps" },
        ),
      ],
    },
  ],
});
