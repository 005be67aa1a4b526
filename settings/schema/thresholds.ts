import * as z from "zod";
import { durationText, secondsOfDuration, shareOf } from "../duration";
import { atOnce, documented, integer, quantity, quoted } from "./types";

/** From which value on alerts fire. Defaults follow other settings, so that plan/monitoring/alerts/thresholds.ts has them. */

const minutes = 60;
const hours = 3600;
const days = 86_400;

/** A length of time, with its unit. */
const duration = (means: string, from: number, to: number, example: string) =>
  documented(
    z.string().refine((text) => {
      const seconds = secondsOfDuration(text);
      return seconds !== undefined && seconds >= from && seconds <= to;
    }),
    {
      means,
      change: atOnce,
      allowed: `a duration from ${durationText(from)} to ${durationText(to)}, such as ${example}`,
      fix: `write a whole number and its unit, s, m, h or d, such as ${example}`,
      numbers: quoted,
    },
  );

/** A share of the whole. */
const percent = (means: string, from: number, to: number, example: string) =>
  documented(
    z.string().refine((text) => {
      const share = shareOf(text);
      return share !== undefined && share >= from / 100 && share <= to / 100;
    }),
    {
      means,
      change: atOnce,
      allowed: `a percentage from ${from}% to ${to}%, such as ${example}`,
      fix: `write a number and a percent sign, such as ${example}`,
      numbers: quoted,
    },
  );

const count = (means: string, to: number, from = 0) => integer(means, from, to, atOnce);

export const thresholds = z
  .strictObject({
    eventWindow: duration(
      "For how long an event counts: FailoverHappened, Deadlocks, ReplicationConflicts, OutOfMemory and OperatorReconcileErrors look back so far, and end so long after the last one. " +
        "Shorter than four scrapes it sees nothing. Default: 15m.",
      2 * minutes,
      7 * days,
      "15m",
    ).optional(),
    connectionsHigh: percent(
      "Share of the connections that clients may have above which HighConnections warns; max_connections without the reserved ones are all. " +
        "A fifth is left for a pooler that starts again. Default: 80%.",
      1,
      99,
      "80%",
    ).optional(),
    connectionsFull: percent(
      "The same for the critical TooManyConnections: the next burst is refused. Default: 95%.",
      1,
      99,
      "95%",
    ).optional(),
    slowQuery: duration(
      "Age of a running statement above which SlowQueries warns: behind a pooler it keeps a server connection for that long. Default: 5m.",
      1,
      7 * days,
      "5m",
    ).optional(),
    longTransaction: duration(
      "Age of a transaction above which LongTransaction warns: VACUUM removes nothing that is younger. Default: 1h.",
      1,
      30 * days,
      "1h",
    ).optional(),
    idleInTransaction: duration(
      "How long a session may be idle in a transaction before IdleInTransaction warns: it holds its locks. Default: 10m.",
      1,
      7 * days,
      "10m",
    ).optional(),
    blocked: duration(
      "How long a session may wait for another one's lock before BlockedSessions warns. Default: 1m.",
      1,
      days,
      "1m",
    ).optional(),
    preparedTransaction: duration(
      "Age of a prepared transaction above which PreparedTransactionOld warns: a commit in two phases takes seconds. Default: 15m.",
      1,
      30 * days,
      "15m",
    ).optional(),
    deadlocks: count(
      "Number of deadlocks of a database within eventWindow above which Deadlocks warns; programs that repeat a transaction stand some. Default: 5.",
      100_000,
    ).optional(),
    replicationLag: duration(
      "How far a standby may be behind before ReplicationLag is critical: reads there are that old. Default: 1m.",
      1,
      7 * days,
      "1m",
    ).optional(),
    conflicts: count(
      "Number of queries that replay cancels on a standby within eventWindow above which ReplicationConflicts warns. Default: 5.",
      100_000,
    ).optional(),
    slotWal: quantity(
      "WAL that a replication slot may keep, in bytes, before SlotKeepsWAL warns. Default: a quarter of cluster.storage.walSize, or of cluster.storage.size without one, and at most half of max_slot_wal_keep_size, beyond which the slot is lost.",
      atOnce,
      "4Gi",
    ).optional(),
    wraparoundHigh: percent(
      "Share of the 2^31 transaction or multixact numbers in use above which TransactionAgeHigh warns. A healthy server begins to clean up at autovacuum_freeze_max_age, 9.4 %. " +
        "Default: 25%, or 10 above autovacuum_freeze_max_age or autovacuum_multixact_freeze_max_age where cluster.parameters raises them.",
      5,
      90,
      "25%",
    ).optional(),
    wraparoundRisk: percent(
      "The same for the critical TxidExhaustionRisk and MultixactExhaustionRisk. VACUUM drops all care at vacuum_failsafe_age, 75 %; at 99.9 % PostgreSQL refuses writes. " +
        "Default: 50%, or 10 above wraparoundHigh if that is more.",
      5,
      95,
      "50%",
    ).optional(),
    deadRows: percent(
      "Share of dead rows above which DeadTuplesHigh warns, in databases with more than 10,000 of them; autovacuum begins at autovacuum_vacuum_scale_factor, 20 % of a table. Default: 30%.",
      1,
      99,
      "30%",
    ).optional(),
    vacuumAge: duration(
      "How long ago the last VACUUM of a table with too many dead rows may be before VacuumOld warns. Default: 7d.",
      5 * minutes,
      365 * days,
      "7d",
    ).optional(),
    vacuumDuration: duration(
      "How long one VACUUM may run before AutovacuumStuck warns. Default: 6h.",
      5 * minutes,
      30 * days,
      "6h",
    ).optional(),
    cacheHits: percent(
      "Share of blocks found in shared_buffers below which CacheHitRatioLow warns, of databases that read more than 100 blocks a second. What the kernel has cached counts as a miss. Default: 90%.",
      1,
      100,
      "90%",
    ).optional(),
    checkpoints: count(
      "Number of requested checkpoints within an hour above which HighCheckpointRate warns: max_wal_size is full before checkpoint_timeout is over. Default: 12, an hour by checkpoint_timeout.",
      3600,
      1,
    ).optional(),
    backendWrites: percent(
      "Share of written blocks that sessions write themselves above which HighBufferBackendWrites warns: neither the checkpointer nor the background writer keeps up. Default: 50%.",
      1,
      100,
      "50%",
    ).optional(),
    volumeUsed: percent(
      "Share of a volume in use above which VolumeNearlyFull warns. Default: 85%.",
      1,
      99,
      "85%",
    ).optional(),
    volumeFull: duration(
      "A volume that is full within this time by its present growth makes DataVolumeFilling or WALVolumeFilling warn: time to order a larger one. Default: 24h.",
      1 * hours,
      30 * days,
      "24h",
    ).optional(),
    volumeFullSoon: duration(
      "The same for the critical DataVolumeFullSoon and WALVolumeFullSoon: time to act at once. Default: 1h.",
      10 * minutes,
      24 * hours,
      "1h",
    ).optional(),
    archiveBacklog: count(
      "Number of WAL segments of 16 MiB that may wait for the archive before ArchiveBacklog warns. Default: as many as fill an eighth of cluster.storage.walSize, or of " +
        "cluster.storage.size without one, from 8 to 256.",
      1_000_000,
      1,
    ).optional(),
    backupAge: duration(
      "Age of the newest base backup of a target above which BackupOld warns. Default: the longest pause of backup.schedule and 4 hours, and for the copy the longest pause of backup.copy.schedule more.",
      1 * hours,
      400 * days,
      "28h",
    ).optional(),
    firstBackup: duration(
      "How long a target, or the archive volume, may be without any base backup before NeverBackedUp is critical. Default: 2h, and for the copy the longest pause of backup.copy.schedule more, " +
        "for the volume that of backup.schedule.",
      5 * minutes,
      30 * days,
      "2h",
    ).optional(),
    copyAge: duration(
      "How long the second target may lack what the first one has before SecondTargetBehind warns. Default: twice the longest pause of backup.copy.schedule and 15 minutes.",
      5 * minutes,
      400 * days,
      "45m",
    ).optional(),
    verificationAge: duration(
      "How long ago the last verification that passed may be before VerificationOld and NeverVerified warn. Default: the longest pause of backup.verify.schedule and a day.",
      1 * hours,
      400 * days,
      "8d",
    ).optional(),
    recoveryTime: duration(
      "How long a restore may take until queries are answered, by its verification, before RecoveryTimeMissed warns: the RTO that was promised. Default: 30m.",
      1 * minutes,
      7 * days,
      "30m",
    ).optional(),
    poolerWait: duration(
      "How long a client may wait for a server connection of a pooler before PoolerClientsWaiting warns. Default: 5s.",
      1,
      1 * hours,
      "5s",
    ).optional(),
    poolerUsed: percent(
      "Share of a pooler's server connections that work, or of its client connections, above which PoolerSaturated or PoolerClientsHigh warns. Default: 90%.",
      1,
      99,
      "90%",
    ).optional(),
    reconcileErrors: count(
      "Number of failed reconciliations of the operator within eventWindow above which OperatorReconcileErrors warns; a conflict of two writers is one, and is repeated. Default: 10.",
      100_000,
    ).optional(),
    restarts: count(
      "Number of restarts of an instance's containers within an hour above which InstanceRestarting warns. Default: 3.",
      1000,
    ).optional(),
    certificate: duration(
      "How long before the end of the servers' or the CA's certificate CertificateEnds warns. Default: 30d; 5d with the engine cnpg, which renews its own 7 days before the end.",
      1 * hours,
      365 * days,
      "30d",
    ).optional(),
    certificateSoon: duration(
      "The same for the critical CertificateEndsSoon. Default: 7d; 2d with the engine cnpg.",
      1 * hours,
      365 * days,
      "7d",
    ).optional(),
    rotation: duration(
      "How long two logins of one role may work before RotationStuck warns: a rotation that was interrupted. Default: rotation.overlapMinutes and half an hour.",
      5 * minutes,
      30 * days,
      "40m",
    ).optional(),
  })
  .prefault({});
