import { counted, of, recent, recently, replicated, type Alert } from "./alert";

/** Longer than two scrapes: two positions in the WAL may be read so far apart. */
const APART = 60;

/** Whether standbys have what the primary has, and what they make it keep. */
export const replication: readonly Alert[] = [
  {
    name: "NoSynchronousStandby",
    severity: "critical",
    for: 120,
    applies: (s) => replicated(s) && s.cluster.durability !== "async",
    expr: (_, s) => `max(${of("pgplatform_standbys_synchronous", s)}) < ${s.cluster.synchronousStandbys}`,
    summary: (_, s) =>
      `{{ $value }} of ${s.cluster.synchronousStandbys} synchronous standbys confirm commits`,
    description:
      "With durability zero-loss every commit waits. With balanced commits are acknowledged that only the primary has.",
  },
  {
    name: "StandbyNotStreaming",
    severity: "warning",
    for: 300,
    applies: replicated,
    expr: (_, s) => `${of("pgplatform_standby_receiving", s)} == 0`,
    summary: "standby {{ $labels.instance }} receives no WAL from the primary",
    description: "It grows old, and can't take over without loss.",
  },
  {
    name: "ReplicationLag",
    severity: "critical",
    for: 300,
    applies: replicated,
    // One that receives nothing has an alert of its own. While one long transaction is all that is written, the last replayed one is old on a standby that has it all.
    expr: (t, s) => {
      const position = (role: string) => of("pgplatform_wal_position_bytes", s, `role="${role}"`);
      return (
        `${of("pgplatform_standby_lag_seconds", s)} > ${t.replicationLag} and ${of("pgplatform_standby_receiving", s)} == 1 ` +
        `and on (instance) ${position("standby")} < on () group_left () max(${position("primary")} offset ${t.replicationLag + APART}s)`
      );
    },
    summary: "standby {{ $labels.instance }} is {{ $value | humanizeDuration }} behind",
    description: "Reads there are as old, and a failover to it replays first.",
  },
  {
    name: "ReplicationConflicts",
    severity: "warning",
    for: 0,
    applies: replicated,
    expr: (t, s) =>
      `sum by (instance, database) (${counted("pgplatform_conflicts_total", s, recent(t))}) > ${t.conflicts}`,
    summary: (t) =>
      `replay cancelled {{ $value | humanize }} queries within ${recently(t)} on {{ $labels.instance }}, database {{ $labels.database }}`,
    description: "Queries on the standby need rows that the primary has removed since.",
  },
  {
    name: "SlotInactive",
    severity: "warning",
    for: 900,
    expr: (_, s) => `${of("pgplatform_slot_active", s, 'role="primary"')} == 0`,
    summary: "nothing reads the replication slot {{ $labels.slot }}",
    description: "The primary keeps WAL for it until something does, or the slot is dropped.",
  },
  {
    name: "SlotKeepsWAL",
    severity: "warning",
    for: 600,
    expr: (t, s) => `${of("pgplatform_slot_kept_bytes", s, 'role="primary"')} > ${t.slotWal}`,
    summary: "the replication slot {{ $labels.slot }} keeps {{ $value | humanize1024 }}B of WAL",
    description: "What it keeps fills the volume, and then PostgreSQL stops.",
  },
  {
    name: "SlotLost",
    severity: "warning",
    for: 0,
    expr: (_, s) => `${of("pgplatform_slot_lost", s, 'role="primary"')} == 1`,
    summary: "WAL that the replication slot {{ $labels.slot }} needs is removed",
    description: "Its reader can't continue: it must begin again with a full copy.",
  },
];
