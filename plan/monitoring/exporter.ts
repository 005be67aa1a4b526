/** How what reads an instance's statistics names its samples: the names that differ, and that scraping makes equal. */
export interface Exporter {
  /** What stands before the catalogue's names. @default - nothing */
  readonly prefix?: string;
  /** Its gauge that is 1 where a query of the last scrape failed. */
  readonly lastError: string;
  /** Its gauge that is 0 where PostgreSQL doesn't answer it. */
  readonly connected: string;
  /** Labels that it puts on samples, and that others don't have. */
  readonly labels: readonly string[];
  /** Label of its pod with the instance's name. @default - it is in the instance's own pod */
  readonly instance?: string;
}

/** Neutral names of an exporter's own samples. */
export const exporterMetrics = {
  lastError: "pgplatform_exporter_last_error",
  connected: "pgplatform_exporter_connected",
} as const;

/** The Prometheus community's postgres_exporter. */
export const postgresExporter: Exporter = {
  lastError: "pg_exporter_last_scrape_error",
  connected: "pg_up",
  labels: ["server"],
};
