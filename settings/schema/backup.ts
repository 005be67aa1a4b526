import { X509Certificate } from "node:crypto";
import * as z from "zod";
import { isSchedule, isTimeZone } from "../cron";
import { documented, atOnce, oneOf, label, quantity, sqlName, boolean, integer } from "./types";

/** Backups: where they go, how often, how long they are kept. What belongs to which kind of target is checked in checks/backup.ts. */

const schedule = (means: string, change = atOnce) =>
  documented(z.string().refine(isSchedule), {
    means,
    change,
    allowed: "cron's five fields (minute, hour, day, month, weekday 0 to 6), such as 0 2 * * *",
    fix: "write five fields in quotes; names of months and days, seconds, and @daily aren't taken",
  });

const restarts = "With the engine zalando it restarts the instances one after another, the primary last.";
const moves = `A change makes a new archive at the new place, with a base backup; the old one stays where it is. ${restarts}`;

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Whether a text is certificates in PEM and nothing else, least of all a private key. */
function isCertificates(text: string): boolean {
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0 || text.replace(PEM, "").trim() !== "") return false;
  try {
    return certificates.every((one) => new X509Certificate(one).raw.length > 0);
  } catch {
    return false;
  }
}

const target = z.strictObject({
  name: label("Name of the target, part of the names of its objects.", 20, moves),
  kind: oneOf(
    ["r2", "b2", "aws", "s3", "local"],
    "What store it is. r2, b2, aws: a bucket at Cloudflare, Backblaze or AWS, which the platform makes; s3: a bucket that is there, of AWS or of any " +
      "other store that speaks S3; local: a store that the platform runs beside the cluster, on a volume of its own, which is lost with the Kubernetes cluster.",
    moves,
  ),
  bucket: documented(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/), {
    means: "Name of the bucket; not with the kind local. Default: none.",
    change: moves,
    allowed: "the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots",
    fix: "correct it",
  }).optional(),
  adopt: boolean(
    "Whether a bucket of the kind r2, b2 or aws is there already: then none is made, nothing of it is changed, and only the access to it is made where " +
      "`credentials` gives none. Default: false.",
    "To true: the platform lets go of the bucket that it made, which stays; in the tier prod it must be unprotected first.",
  ).default(false),
  account: documented(z.string().regex(/^[0-9a-f]{32}$/), {
    means: "Identifier of the Cloudflare account; only with the kind r2. Default: none.",
    change: moves,
    allowed: "the 32 hexadecimal digits that the dashboard shows",
    fix: "copy it from the overview of R2",
  }).optional(),
  region: documented(z.string().regex(/^[a-z0-9-]{2,32}$/), {
    means:
      "Region of the bucket; not with the kind r2, whose region is auto, and to be given with the kind b2. Default: us-east-1 with the others.",
    change: moves,
    allowed: "a region such as eu-central-1",
    fix: "write it as the store's documentation does",
  }).optional(),
  endpoint: documented(z.string().regex(/^https:\/\/[a-z0-9.-]+(:\d{1,5})?$/), {
    means: "Address of a store other than AWS; only with the kind s3. Default: AWS.",
    change: moves,
    allowed: "an address that begins with https:// and ends with the host or its port",
    fix: "write it without a path; stores without TLS aren't used",
  }).optional(),
  caCertificate: documented(z.string().refine(isCertificates), {
    means:
      "Certificate of the CA that signed the store's own, where no public CA did: a store in your own network. Only with the kind s3 and an endpoint. Default: the public CAs.",
    change:
      "The first one restarts the instances of the engines zalando and standalone; another one in its place takes effect at once and restarts nothing.",
    allowed:
      "one certificate or more in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, and no private key",
    fix: "give the text of the file with its lines, after `caCertificate: |`",
  }).optional(),
  credentials: z
    .strictObject({
      accessKeyId: documented(z.string().min(3), {
        means:
          "Identifier of the access key, which may read and write the bucket and nothing else. With the kinds r2 and aws a key is made where neither this nor a role is given.",
        change: atOnce,
        allowed: "a text",
      }),
      secretAccessKey: documented(z.string().min(8), {
        means:
          "The key itself, encrypted in the stack file: pulumi config set --secret --path 'pgplatform:backup.targets[0].credentials.secretAccessKey'.",
        change: atOnce,
        allowed: "a text that Pulumi has encrypted",
        fix: "set it with pulumi config set --secret --path",
      }),
    })
    .optional(),
  roleArn: documented(z.string().regex(/^arn:aws:iam::\d{12}:role\/([\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/), {
    means:
      "Role of AWS that the pods take in place of an access key (IRSA), which EKS alone can give them; only with the kinds aws and s3 without an endpoint, on the platform " +
      "cloud, without `credentials`, and one for both targets. With the kind aws the platform lets it do in the bucket what backups take, unless `adopt`. Default: none.",
    change:
      "Pods take it when they start: the instances of the engines cnpg and zalando must be restarted for a role that comes or is another one; standalone's restarts by itself.",
    allowed: "the ARN of a role such as arn:aws:iam::123456789012:role/shop-backups",
    fix: "copy it from IAM",
  }).optional(),
  lockDays: integer(
    "For how many days no key can delete or change what was copied to a second target of the kind r2, b2 or aws; at most recoveryWindowDays. The first target " +
      "can't be locked: files of a base backup are written twice. Default: 0, nothing is locked.",
    0,
    3650,
    "For b2 and aws it must be given when the bucket is made. A shorter time is for what is copied later.",
    "days",
  ).default(0),
  size: quantity(
    "Size of the volume of a local target, in bytes; only with the kind local. Default: 10Gi.",
    "A larger size grows the volume where the class can.",
    "50Gi",
  ).optional(),
});

const query = z.strictObject({
  name: label("Name of the query, by which a failed one is reported.", 40, atOnce),
  database: sqlName("Database that is asked. Default: the first one.", atOnce).optional(),
  sql: documented(z.string().min(8).max(10_000), {
    means: "A query whose only answer is true where the restored data is as it should be.",
    change: atOnce,
    allowed: "a query that returns one true, such as select count(*) > 0 from orders",
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
    means: "Time zone of all schedules; the engine zalando knows UTC alone. Default: UTC.",
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
