import type { KubernetesObject } from "../../../plan/objects";

/** Objects of programs by others: no operator, another operator, other images. Each call makes new ones. */

const digest = `@sha256:${"0".repeat(64)}`;
const resources = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } };
const labels = { app: "db" };
export const hostname = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } },
      { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: labels } },
    ],
  },
};

/** A StatefulSet of the official image, as it should be. */
export const statefulSet = (): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db", namespace: "shop" },
  spec: {
    replicas: 3,
    serviceName: "db",
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        affinity: hostname,
        securityContext: { runAsNonRoot: true, runAsUser: 999 },
        containers: [
          {
            name: "postgres",
            image: `docker.io/library/postgres:17.6${digest}`,
            args: [
              "-c",
              "archive_mode=on",
              "-c",
              "archive_timeout=60",
              "-c",
              "archive_command=wal-g wal-push %p",
            ],
            env: [
              {
                name: "POSTGRES_PASSWORD",
                valueFrom: { secretKeyRef: { name: "db-superuser", key: "password" } },
              },
            ],
            resources,
          },
        ],
        volumes: [{ name: "conf", configMap: { name: "db-conf" } }],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: { storageClassName: "ceph", accessModes: ["ReadWriteOnce"] },
      },
    ],
  },
});

export const configMap = (name: string, data: Record<string, string>): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "shop" },
  data,
});

/** Its configuration, in a ConfigMap that it mounts. */
export const configuration = (): KubernetesObject =>
  configMap("db-conf", {
    "postgresql.conf": "ssl = on\nshared_buffers = '256MB'\nmax_connections = 100\n",
    "pg_hba.conf": "hostssl all all all scram-sha-256\nhostnossl all all all reject\n",
  });

/** A cluster of Zalando's operator, as it should be; its operator's configuration says the rest. */
export const postgresql = (): KubernetesObject => ({
  apiVersion: "acid.zalan.do/v1",
  kind: "postgresql",
  metadata: { name: "acid-orders", namespace: "shop" },
  spec: {
    teamId: "acid",
    numberOfInstances: 3,
    volume: { size: "10Gi", storageClass: "ceph" },
    postgresql: {
      version: "17",
      parameters: { password_encryption: "scram-sha-256", archive_timeout: "60s", shared_buffers: "256MB" },
    },
    patroni: { pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"] },
    resources,
    env: [{ name: "USE_WALG_BACKUP", value: "true" }],
    users: { orders: ["createdb"] },
    databases: { orders: "orders" },
  },
});

export const operatorConfiguration = (): KubernetesObject => ({
  apiVersion: "acid.zalan.do/v1",
  kind: "OperatorConfiguration",
  metadata: { name: "postgres-operator", namespace: "operators" },
  configuration: {
    docker_image: `ghcr.io/zalando/spilo-17:4.0-p3${digest}`,
    kubernetes: {
      enable_pod_antiaffinity: true,
      enable_persistent_volume_claim_deletion: false,
      enable_secrets_deletion: false,
      enable_pod_disruption_budget: true,
    },
    postgres_pod_resources: {
      default_cpu_limit: "1",
      default_cpu_request: "100m",
      default_memory_limit: "500Mi",
      default_memory_request: "500Mi",
    },
    aws_or_gcp: { wal_s3_bucket: "orders-wal" },
    patroni: { enable_patroni_failsafe_mode: true },
  },
});

/** PgBouncer by an image that is configured by variables. */
export const pgbouncer = (env: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "pool", namespace: "shop" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "pool" } },
    template: {
      metadata: { labels: { app: "pool" } },
      spec: {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: {
                  topologyKey: "kubernetes.io/hostname",
                  labelSelector: { matchLabels: { app: "pool" } },
                },
              },
            ],
          },
        },
        containers: [
          {
            name: "bouncer",
            image: `docker.io/edoburu/pgbouncer:v1.24.1-p1${digest}`,
            env: Object.entries({
              DB_HOST: "db",
              CLIENT_TLS_SSLMODE: "require",
              ...env,
            }).map(([name, value]) => ({ name, value })),
            resources,
          },
        ],
      },
    },
  },
});

export const service = (
  name: string,
  spec: object,
  annotations: Record<string, string> = {},
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop", annotations },
  spec: { ports: [{ port: 5432 }], selector: labels, ...spec },
});
