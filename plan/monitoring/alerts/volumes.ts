import { bytesOf } from "../../../settings/quantity";
import type { Settings } from "../../../settings/schema";
import { inMetrics, of, or, type Alert } from "./alert";

type Kind = "data" | "wal";

/** Whether the instances have a volume of that kind of their own. */
const has =
  (kind: Kind) =>
  (s: Settings): boolean =>
    kind === "data" || (inMetrics(s).claims.wal !== undefined && s.cluster.storage.walSize !== undefined);

/** A metric of the kubelet, of these volumes. */
const volume = (metric: string, kind: Kind, s: Settings): string => {
  const claims = (kind === "wal" ? inMetrics(s).claims.wal : undefined) ?? inMetrics(s).claims.data;
  return `kubelet_volume_stats_${metric}{namespace="${s.cluster.namespace}",persistentvolumeclaim=~"${claims(s.cluster.name)}"}`;
};

/** What PostgreSQL itself says of a volume: the bytes that it uses, and those that were asked for. */
function bySize(kind: Kind, s: Settings): { used: string; size: number } {
  const { size, walSize } = s.cluster.storage;
  const sum = (metric: string) => `sum by (namespace, cluster, instance) (${of(metric, s)})`;
  const databases = sum("pgplatform_database_size_bytes");
  const wal = sum("pgplatform_wal_directory_bytes");
  if (kind === "wal") return { used: wal, size: bytesOf(walSize ?? size) ?? 0 };
  return { used: has("wal")(s) ? databases : `${databases} + ${wal}`, size: bytesOf(size) ?? 0 };
}

/** An expression of what PostgreSQL says, where the kubelet tells nothing of any volume. */
const whereSilent = (expr: string, kind: Kind, s: Settings): string =>
  `label_replace((${expr}) unless on () ${volume("capacity_bytes", "data", s)}, "volume", "${kind}", "", "")`;

/** Full in so many seconds by the growth of the last sixth of that time, and less than half is free: young clusters grow quickly. */
function fullIn(kind: Kind, seconds: number, s: Settings): string {
  const window = Math.max(900, Math.round(seconds / 6));
  const full = (free: string, range: string, size: string) =>
    `predict_linear(${free}[${range}], ${seconds}) < 0 and ${free} / ${size} < 0.5`;
  const { used, size } = bySize(kind, s);
  return or([
    full(volume("available_bytes", kind, s), `${window}s`, volume("capacity_bytes", kind, s)),
    whereSilent(
      full(`(${size} - (${used}))`, `${window}s:${Math.round(window / 30)}s`, String(size)),
      kind,
      s,
    ),
  ]);
}

const claim = "{{ $labels.persistentvolumeclaim }}";
/** Name of a volume behind its kind. */
const which = `{{ if $labels.persistentvolumeclaim }}${claim}{{ else }}of {{ $labels.instance }}{{ end }}`;

export const volumes: readonly Alert[] = [
  {
    name: "DataVolumeFilling",
    severity: "warning",
    for: 1800,
    expr: (t, s) => fullIn("data", t.volumeFull, s),
    summary: `the data volume ${which} is full within the time of volumeFull, by its growth`,
    description: "PostgreSQL stops when it is full.",
  },
  {
    name: "DataVolumeFullSoon",
    severity: "critical",
    for: 300,
    expr: (t, s) => fullIn("data", t.volumeFullSoon, s),
    summary: `the data volume ${which} is full within the time of volumeFullSoon, by its growth`,
    description: "PostgreSQL stops when it is full.",
  },
  {
    name: "WALVolumeFilling",
    severity: "warning",
    for: 1800,
    applies: has("wal"),
    expr: (t, s) => fullIn("wal", t.volumeFull, s),
    summary: `the WAL volume ${which} is full within the time of volumeFull, by its growth`,
    description: "PostgreSQL stops when it is full. WAL stays for the archive, or for a replication slot.",
  },
  {
    name: "WALVolumeFullSoon",
    severity: "critical",
    for: 300,
    applies: has("wal"),
    expr: (t, s) => fullIn("wal", t.volumeFullSoon, s),
    summary: `the WAL volume ${which} is full within the time of volumeFullSoon, by its growth`,
    description: "PostgreSQL stops when it is full. WAL stays for the archive, or for a replication slot.",
  },
  {
    name: "VolumeNearlyFull",
    severity: "warning",
    for: 300,
    expr: (t, s) => {
      const used = (kind: Kind) =>
        `1 - ${volume("available_bytes", kind, s)} / ${volume("capacity_bytes", kind, s)}`;
      const kinds = (["data", "wal"] as const).filter((kind) => has(kind)(s));
      const told = kinds.map((kind) => {
        const { used: bytes, size } = bySize(kind, s);
        return whereSilent(`(${bytes}) / ${size}`, kind, s);
      });
      return `(${or([...kinds.map(used), ...told])}) > ${t.volumeUsed}`;
    },
    summary: `{{ $value | humanizePercentage }} of {{ if $labels.persistentvolumeclaim }}the volume ${claim}{{ else }}the {{ $labels.volume }} volume of {{ $labels.instance }}{{ end }} is in use`,
    description: "A large statement, a slow archive or a lost standby fills the rest.",
  },
];
