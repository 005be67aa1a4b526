import * as z from "zod";
import { isTimeZone } from "../cron";
import { moves, restarts, target } from "./targets";
import {
  documented,
  atOnce,
  cores,
  oneOf,
  label,
  quantity,
  rolls,
  sqlName,
  boolean,
  integer,
  schedule,
} from "./types";

/** Backups: where they go, how often, how long they are kept. */

const query = z.strictObject({
  name: label("Name of the query, by which a failed one is reported.", 40, atOnce),
  database: sqlName("Database that is asked. Default: the first one.", atOnce).optional(),
  sql: documented(z.string().min(8).max(10_000), {
    means: "A query whose only answer is true where the restored data is as it should be.",
    change: atOnce,
    allowed:
      "a query of 8 to 10,000 characters that returns one true, such as select count(*) > 0 from orders",
    fix: "write a query with one row and one column",
  }),
});

const verify = z.strictObject({
  enabled: boolean(
    "Whether the newest backup of each target is restored on a schedule into a separate server, and checked: no WAL is missing, a row " +
      "that was written before is there, pg_amcheck and the pages' checksums find no damage, the queries return true. " +
      "Base backups and WAL outside of the recovery window are deleted after that and at no other time. Default: true.",
    `A change takes effect at once. ${restarts}`,
  ).default(true),
  schedule: schedule(
    "When that happens, with two targets at most six hours before the next copy, which it waits for. Default: 0 5 * * 0, on Sundays.",
  ).default("0 5 * * 0"),
  size: quantity(
    "Size of the scratch volume, in bytes, which lasts as long as a verification. Default: 1.2 times cluster.storage.size, 2.5 times with `dump`.",
    atOnce,
    "20Gi",
  ).optional(),
  dump: boolean(
    "Whether a logical dump is made as well, of every database and of the roles, by pg_dump from the server that was just restored from the last target and " +
      "passed the checks, and stored beside the backup there: no load on the live database, and no further login. Dumps older than recoveryWindowDays are deleted " +
      "after a newer one is stored. Default: false.",
    atOnce,
  ).default(false),
  queries: documented(z.array(query), {
    means: "Queries that check the restored data. Default: none.",
    change: atOnce,
    allowed: "a list of queries",
  }).default([]),
});

/** Days for which base backups and WAL stay on an archive volume. */
export const volumeDefaults = { baseBackupDays: 30, walRetentionDays: 7 } as const;

const volume = z.strictObject({
  baseBackupDays: integer(
    "How long base backups stay on the archive volume, in days; each is good for the moment at which it was made. The newest stays in any case. Default: 30.",
    1,
    3650,
    atOnce,
    "days",
  ).default(volumeDefaults.baseBackupDays),
  walRetentionDays: integer(
    "How far back every moment can be restored from the archive volume, in days: WAL, and the base backup that it begins with, stay for that. Default: 7.",
    1,
    3650,
    atOnce,
    "days",
  ).default(volumeDefaults.walRetentionDays),
});

export const backup = z.strictObject({
  schedule: schedule(
    "When base backups are made, at least daily in the tier prod. Default: 0 2 * * *.",
    `A change takes effect at once. ${restarts}`,
  ).default("0 2 * * *"),
  timeZone: documented(z.string().refine(isTimeZone), {
    means: "Time zone of all schedules, with the engine standalone; the others know UTC alone. Default: UTC.",
    change: atOnce,
    allowed: "a name of the time zone database such as Europe/Berlin",
    fix: "use Area/City, or UTC",
  }).default("UTC"),
  recoveryWindowDays: integer(
    "How far back every moment can be restored, in days: base backups and WAL that are no longer needed for that are deleted. Default: 7.",
    1,
    3650,
    `A shorter window deletes what lies outside of it with the next base backup. ${restarts}`,
    "days",
  ).default(7),
  rpoMinutes: integer(
    "How much of the last work may be missing when everything but the store is lost, in minutes. WAL is archived at least every half of that " +
      "(`archive_timeout`), but not more often than every 30 s. Default: 2.",
    1,
    60,
    atOnce,
    "minutes",
  ).default(2),
  compression: oneOf(
    ["gzip", "lz4", "zstd", "brotli", "none"],
    "How WAL and base backups are compressed in the store; brotli only with the engine zalando, gzip only with the others, where zstd is for WAL " +
      "and base backups are compressed by gzip. lz4 compresses base backups several times as fast, into more bytes, and without a checksum there. " +
      "Default: gzip; brotli with the engine zalando.",
    `A change is for what is archived later. ${restarts}`,
  ).optional(),
  memory: quantity(
    "Memory limit of each container that archives, makes base backups, copies, restores or verifies; what only looks at targets has a quarter. " +
      "With the engine zalando the instances archive and restore in their own memory. Default: 1Gi and a 512th of the data and WAL volumes' size, at most 8Gi.",
    `${rolls} Jobs have it when they start.`,
    "2Gi",
  ).optional(),
  cpu: cores(
    "Most cores of the same containers. Default: 2; 4 from 2Ti of data and WAL volumes.",
    `${rolls} Jobs have it when they start.`,
  ).optional(),
  identity: oneOf(
    ["irsa", "pod-identity"],
    "How EKS gives pods the roleArn of a target. irsa: by an annotation of their ServiceAccount; pod-identity: by EKS Pod Identity, whose associations you make, for the " +
      "ServiceAccounts `<cluster>` (with cnpg, the instances) and `<cluster>-backups` (all other pods) of the cluster's namespace. Never run: there was no EKS. Default: irsa.",
    "A change restarts what speaks to a store.",
  ).default("irsa"),
  copy: z
    .strictObject({
      schedule: schedule(
        "When the second target gets what it lacks; how much of the last work may be missing there is the longest pause of the schedule more than " +
          "rpoMinutes. Default: */15 * * * *.",
      ).default("*/15 * * * *"),
    })
    .prefault({}),
  verify: verify.prefault({}),
  firstBackup: boolean("Whether `make up` waits for a first base backup. Default: true.", atOnce).default(
    true,
  ),
  archiveNumber: integer(
    "A higher number begins a new archive, under an ID of its own, with a base backup that `make up` waits for; the former archive stays for restores. It is for data that " +
      "was exchanged below a cluster that stayed, which `make status` says. A new major version of PostgreSQL and a recreated cluster begin a new archive by themselves. Default: 1.",
    1,
    9999,
    atOnce,
  ).default(1),
  volume: volume.optional(),
  targets: documented(z.array(target).max(2), {
    means:
      "Where backups go: WAL and base backups to the first; the second is for an independent copy of that, at another provider and with " +
      "other credentials in the tier prod. Default: none; base backups then go to the archive volume alone, which only the engine standalone has.",
    change: moves,
    allowed: "a list of one or two targets",
    fix: "list one target, or two, or leave out backup",
  }).default([]),
});
