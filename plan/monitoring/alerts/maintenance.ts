import type { Settings } from "../../../settings/schema";
import { counted, of, type Alert } from "./alert";

/** Share of the numbers that are in use. */
const numbers = (what: string, s: Settings): string =>
  `max by (database) (${of(`pgplatform_wraparound_${what}_age`, s)}) / 2 ^ 31`;

const hits = (s: Settings): string => `rate(${of("pgplatform_database_blocks_hit_total", s)}[15m])`;
const reads = (s: Settings): string => `rate(${of("pgplatform_database_blocks_read_total", s)}[15m])`;

const writes = (s: Settings, more = ""): string =>
  `sum by (instance) (rate(${of("pgplatform_io_writes_total", s, `object="relation",context="normal"${more}`)}[15m]))`;

/** What PostgreSQL does beside queries. */
export const maintenance: readonly Alert[] = [
  {
    name: "TxidExhaustionRisk",
    severity: "critical",
    for: 300,
    expr: (t, s) => `${numbers("transaction", s)} > ${t.wraparoundRisk}`,
    summary:
      "{{ $value | humanizePercentage }} of the transaction numbers of {{ $labels.database }} are in use",
    description: "At 99.9 % PostgreSQL refuses writes until VACUUM has freed some.",
  },
  {
    name: "MultixactExhaustionRisk",
    severity: "critical",
    for: 300,
    expr: (t, s) => `${numbers("multixact", s)} > ${t.wraparoundRisk}`,
    summary:
      "{{ $value | humanizePercentage }} of the multixact numbers of {{ $labels.database }} are in use",
    description: "At 99.9 % PostgreSQL refuses statements that lock shared rows until VACUUM has freed some.",
  },
  {
    name: "TransactionAgeHigh",
    severity: "warning",
    for: 3600,
    expr: (t, s) =>
      `max by (database) (${of("pgplatform_wraparound_transaction_age", s)} or label_replace(${of("pgplatform_wraparound_multixact_age", s)}, "numbers", "multixact", "", "")) / 2 ^ 31 > ${t.wraparoundHigh}`,
    summary:
      "{{ $value | humanizePercentage }} of the transaction numbers of {{ $labels.database }} are in use",
    description: "Autovacuum should have freed them long ago: something keeps it from that.",
  },
  {
    name: "DeadTuplesHigh",
    severity: "warning",
    for: 3600,
    expr: (t, s) => {
      const dead = of("pgplatform_tables_dead_rows", s);
      return `${dead} / (${dead} + ${of("pgplatform_tables_live_rows", s)}) > ${t.deadRows} and ${dead} > 10000`;
    },
    summary:
      "{{ $value | humanizePercentage }} of the rows of {{ $labels.database }} are dead on {{ $labels.instance }}",
    description: "Tables and indexes grow, and queries read what isn't there any more.",
  },
  {
    name: "VacuumOld",
    severity: "warning",
    for: 3600,
    expr: (t, s) => {
      const [age, dead, rows] = ["vacuum_age_seconds", "dead_rows", "rows"].map((name) =>
        of(`pgplatform_table_${name}`, s),
      );
      return `(${age} > ${t.vacuumAge} or ${age} < 0) and ${dead} > 1000 and ${dead} / (${dead} + ${rows}) > ${t.deadRows}`;
    },
    summary:
      "{{ $labels.schema }}.{{ $labels.table }} of {{ $labels.database }} has many dead rows and was {{ if lt $value 0.0 }}never vacuumed{{ else }}last vacuumed {{ $value | humanizeDuration }} ago{{ end }}",
    description: "Autovacuum doesn't come to the table, or isn't allowed to.",
  },
  {
    name: "AutovacuumStuck",
    severity: "warning",
    for: 300,
    expr: (t, s) => `${of("pgplatform_vacuum_longest_seconds", s)} > ${t.vacuumDuration}`,
    summary: "a VACUUM runs for {{ $value | humanizeDuration }} on {{ $labels.instance }}",
    description: "It waits for a lock, or is slowed down so much that it never ends.",
  },
  {
    name: "AutovacuumSaturated",
    severity: "warning",
    for: 7200,
    expr: (_, s) => `${of("pgplatform_vacuum_workers", s)} >= ${of("pgplatform_vacuum_max_workers", s)}`,
    summary: "all {{ $value }} autovacuum workers of {{ $labels.instance }} are busy for two hours",
    description: "Other tables wait for one.",
  },
  {
    name: "CacheHitRatioLow",
    severity: "warning",
    for: 900,
    expr: (t, s) =>
      `${hits(s)} / (${hits(s)} + ${reads(s)}) < ${t.cacheHits} and ${hits(s)} + ${reads(s)} > 100`,
    summary:
      "{{ $value | humanizePercentage }} of the blocks of {{ $labels.database }} were in shared_buffers on {{ $labels.instance }}",
    description: "The rest was read from the kernel's cache or from the disk. It can't fire without reads.",
  },
  {
    name: "HighCheckpointRate",
    severity: "warning",
    for: 0,
    expr: (t, s) => `${counted("pgplatform_checkpoints_requested_total", s, "1h")} > ${t.checkpoints}`,
    summary: "{{ $value | humanize }} checkpoints were requested within an hour on {{ $labels.instance }}",
    description:
      "max_wal_size is small for what is written: each checkpoint writes pages again and makes WAL larger.",
  },
  {
    name: "HighBufferBackendWrites",
    severity: "warning",
    for: 1800,
    // PostgreSQL 15 has no pg_stat_io.
    applies: (s) => s.cluster.postgresVersion !== "15",
    expr: (t, s) =>
      `${writes(s, ',backend="client backend"')} / ${writes(s)} > ${t.backendWrites} and ${writes(s)} > 10`,
    summary:
      "sessions write {{ $value | humanizePercentage }} of the blocks of {{ $labels.instance }} themselves",
    description:
      "Queries wait for the disk, since neither checkpointer nor background writer has freed a buffer.",
  },
  {
    name: "ChecksumFailures",
    severity: "critical",
    for: 0,
    expr: (_, s) => `${counted("pgplatform_database_checksum_failures_total", s, "1h")} > 0`,
    summary:
      "{{ $value | humanize }} pages of {{ $labels.database }} were damaged on {{ $labels.instance }} within an hour",
    description: "The disk gave back other bytes than were written. Queries that need the pages fail.",
  },
];
