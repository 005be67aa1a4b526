import type { Images, Settings } from "../settings/schema";
import { pins } from "./pins";

/** Default images: what makers publish, and what is built for the built-in cluster in its place. Each engine knows its makers' names itself. */

type SharedImages = Omit<Images, "operator" | "postgresql" | "backupRestore">;

/** Of every engine, as published. */
export const published: SharedImages = {
  postgresExporter: "docker.io/prometheuscommunity/postgres-exporter:v0.17.1",
  objectStore: "ghcr.io/versity/versitygw:v1.8.0",
  backupPlugin: `ghcr.io/cloudnative-pg/plugin-barman-cloud:v${pins.backupPlugin}`,
  backupSidecar: `ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v${pins.backupPlugin}`,
  backupTools: `docker.io/rclone/rclone:${pins.rclone}`,
  pgbouncer: "ghcr.io/cloudnative-pg/pgbouncer:1.25.2",
  pgbouncerExporter: "docker.io/prometheuscommunity/pgbouncer-exporter:v0.12.1",
  prometheusOperator: `quay.io/prometheus-operator/prometheus-operator:v${pins.monitoring.operator}`,
  prometheusConfigReloader: `quay.io/prometheus-operator/prometheus-config-reloader:v${pins.monitoring.operator}`,
  prometheus: `quay.io/prometheus/prometheus:v${pins.monitoring.prometheus}`,
  alertmanager: `quay.io/prometheus/alertmanager:v${pins.monitoring.alertmanager}`,
  kubeStateMetrics: `registry.k8s.io/kube-state-metrics/kube-state-metrics:v${pins.monitoring.kubeStateMetrics}`,
};

const built: Omit<Images, "operator" | "postgresql"> = {
  postgresExporter: pins.images.postgresExporter,
  objectStore: pins.images.versitygw,
  backupPlugin: pins.images.barmanPlugin,
  backupSidecar: pins.images.barmanSidecar,
  backupTools: pins.images.backupTools,
  backupRestore: pins.images.barmanSidecar,
  pgbouncer: pins.images.pgbouncer,
  pgbouncerExporter: pins.images.pgbouncerExporter,
  prometheusOperator: pins.images.prometheusOperator,
  prometheusConfigReloader: pins.images.prometheusConfigReloader,
  prometheus: pins.images.prometheus,
  alertmanager: pins.images.alertmanager,
  kubeStateMetrics: pins.images.kubeStateMetrics,
};

const builtOf: Readonly<
  Record<Settings["cluster"]["engine"], Pick<Images, "postgresql"> & Partial<Pick<Images, "operator">>>
> = {
  cnpg: { operator: pins.images.cnpgOperator, postgresql: pins.images.postgresql },
  zalando: { operator: pins.images.zalandoOperator, postgresql: pins.images.patroniForZalando },
  standalone: { postgresql: pins.images.postgresqlStandalone },
};

/** Those that are built here. */
export const builtImages = (
  engine: Settings["cluster"]["engine"],
): Omit<Images, "operator"> & Partial<Pick<Images, "operator">> => ({ ...built, ...builtOf[engine] });

/** What the images of PostgreSQL that are built here have. */
export const builtContents = { extensions: pins.postgresqlExtensions, libraries: [] } as const;
