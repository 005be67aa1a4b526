import { always, of, primary, type Engine, type Pair, type Pairs, type Series } from "../case";

const claims: Readonly<Record<Engine, { data: string; wal: string }>> = {
  cnpg: { data: "main-1", wal: "main-1-wal" },
  zalando: { data: "pgdata-main-0", wal: "" },
  standalone: { data: "main-data", wal: "main-wal" },
};

/** Free bytes of a volume of 1,000; another program's volume is full. */
const free = (claim: string, values: string): Series => ({
  [`kubelet_volume_stats_available_bytes{namespace="postgres",persistentvolumeclaim="${claim}"}`]: values,
  [`kubelet_volume_stats_capacity_bytes{namespace="postgres",persistentvolumeclaim="${claim}"}`]:
    always(1000),
  'kubelet_volume_stats_available_bytes{namespace="postgres",persistentvolumeclaim="other"}':
    "450-100x4 0x240",
  'kubelet_volume_stats_capacity_bytes{namespace="postgres",persistentvolumeclaim="other"}': always(1000),
});

/** A volume that loses so much a minute is full within the time from the tenth minute on, or not before the alert could fire. */
const gibibyte = 2 ** 30;

/** The same where the kubelet tells nothing: by what PostgreSQL says of 20 GiB, or 4 of WAL; with Zalando both are on one volume. */
const bySizes = (kind: "data" | "wal", engine: Engine, values: (size: number) => string): Series => ({
  [of("pgplatform_database_size_bytes", `${primary},database="app"`)]:
    kind === "data" ? values(20 * gibibyte) : always(gibibyte),
  [of("pgplatform_wal_directory_bytes", primary)]:
    kind === "wal" ? values(4 * gibibyte) : always(engine === "zalando" ? 0 : gibibyte),
});

const filling = (kind: "data" | "wal", minutes: number, forMinutes: number, what: string): Pair => {
  const step = 400 / (minutes + 20);
  const at = (minute: number): string => `${step * (minutes + minute - 0.5)}-${step}x240`;
  const grown = (minute: number) => (size: number) =>
    `${size * (1 - (step * (minutes + minute - 0.5)) / 1000)}+${(size * step) / 1000}x240`;
  return {
    fires: (engine) => ({
      from: 10,
      series: free(claims[engine][kind], at(10)),
      labels: { persistentvolumeclaim: claims[engine][kind] },
      summary: `the ${kind === "wal" ? "WAL" : "data"} volume ${claims[engine][kind]} is full within the time of ${what}, by its growth`,
    }),
    quiet: (engine) => ({ from: 10, series: free(claims[engine][kind], at(10 + forMinutes + 1)) }),
    more: [
      (engine) => ({
        title: "by what PostgreSQL says",
        from: 10,
        series: bySizes(kind, engine, grown(10)),
        labels: { instance: "main-1", volume: kind },
        summary: `the ${kind === "wal" ? "WAL" : "data"} volume of main-1 is full within the time of ${what}, by its growth`,
      }),
      (engine) => ({
        title: "by what PostgreSQL says not yet",
        from: 10,
        series: bySizes(kind, engine, grown(10 + forMinutes + 1)),
      }),
      (engine) => ({
        title: "what PostgreSQL says does not count beside the kubelet",
        from: 10,
        series: { ...bySizes(kind, engine, grown(10)), ...free(claims[engine].data, always(900)) },
      }),
    ],
  };
};

export const volumes: Pairs = {
  DataVolumeFilling: filling("data", 1440, 30, "volumeFull"),
  DataVolumeFullSoon: filling("data", 60, 5, "volumeFullSoon"),
  WALVolumeFilling: filling("wal", 1440, 30, "volumeFull"),
  WALVolumeFullSoon: filling("wal", 60, 5, "volumeFullSoon"),
  VolumeNearlyFull: {
    fires: (engine) => ({
      series: free(claims[engine].data, always(149)),
      labels: { persistentvolumeclaim: claims[engine].data },
      summary: `85.1% of the volume ${claims[engine].data} is in use`,
    }),
    // The databases' sizes count only where the kubelet says nothing.
    quiet: (engine) => ({
      series: {
        ...free(claims[engine].data, always(150)),
        [of("pgplatform_database_size_bytes", `${primary},database="app"`)]: always(19 * 2 ** 30),
      },
    }),
  },
};
