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

/** Full in so many seconds by the growth of the last sixth of that time, and less than half is free: young clusters grow quickly. */
function fullIn(kind: Kind, seconds: number, s: Settings): string {
  const free = volume("available_bytes", kind, s);
  const window = Math.max(900, Math.round(seconds / 6));
  return `predict_linear(${free}[${window}s], ${seconds}) < 0 and ${free} / ${volume("capacity_bytes", kind, s)} < 0.5`;
}

/** What PostgreSQL itself says, where the kubelet tells nothing of a volume. */
function bySize(s: Settings): string {
  const { size, walSize } = s.cluster.storage;
  const databases = `sum by (namespace, cluster, instance) (${of("pgplatform_database_size_bytes", s)})`;
  const wal = `sum by (namespace, cluster, instance) (${of("pgplatform_wal_directory_bytes", s)})`;
  const silent = `unless on () ${volume("capacity_bytes", "data", s)}`;
  const share = (used: string, bytes: string, of: string) =>
    `label_replace((${used}) / ${bytesOf(bytes) ?? 0} ${silent}, "volume", "${of}", "", "")`;
  return has("wal")(s) && walSize !== undefined
    ? or([share(databases, size, "data"), share(wal, walSize, "wal")])
    : share(`${databases} + ${wal}`, size, "data");
}

const claim = "{{ $labels.persistentvolumeclaim }}";

export const volumes: readonly Alert[] = [
  {
    name: "DataVolumeFilling",
    severity: "warning",
    for: 1800,
    expr: (t, s) => fullIn("data", t.volumeFull, s),
    summary: `the data volume ${claim} is full within the time of volumeFull, by its growth`,
    description: "PostgreSQL stops when it is full.",
  },
  {
    name: "DataVolumeFullSoon",
    severity: "critical",
    for: 300,
    expr: (t, s) => fullIn("data", t.volumeFullSoon, s),
    summary: `the data volume ${claim} is full within the time of volumeFullSoon, by its growth`,
    description: "PostgreSQL stops when it is full.",
  },
  {
    name: "WALVolumeFilling",
    severity: "warning",
    for: 1800,
    applies: has("wal"),
    expr: (t, s) => fullIn("wal", t.volumeFull, s),
    summary: `the WAL volume ${claim} is full within the time of volumeFull, by its growth`,
    description: "PostgreSQL stops when it is full. WAL stays for the archive, or for a replication slot.",
  },
  {
    name: "WALVolumeFullSoon",
    severity: "critical",
    for: 300,
    applies: has("wal"),
    expr: (t, s) => fullIn("wal", t.volumeFullSoon, s),
    summary: `the WAL volume ${claim} is full within the time of volumeFullSoon, by its growth`,
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
      return `(${or([...kinds.map(used), bySize(s)])}) > ${t.volumeUsed}`;
    },
    summary: `{{ $value | humanizePercentage }} of {{ if $labels.persistentvolumeclaim }}the volume ${claim}{{ else }}the {{ $labels.volume }} volume of {{ $labels.instance }}{{ end }} is in use`,
    description: "A large statement, a slow archive or a lost standby fills the rest.",
  },
];
