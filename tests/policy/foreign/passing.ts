/** A cluster, a pooler and a workload as they should be, written by hand. */

const digest = `@sha256:${"0".repeat(64)}`;
const namespace = "shop";
const resources = { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "2Gi" } };
const instances = { "cnpg.io/cluster": "orders" };
const pooler = { "cnpg.io/poolerName": "orders-pool" };
const named = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: "TCP" }));
const dns = {
  to: [{ namespaceSelector: named("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }],
  ports: [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ],
};
const networkPolicy = (name: string, spec: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace },
  spec,
});

export const passing: Record<string, object> = {
  cluster: {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: { name: "orders", namespace, annotations: { "pgplatform.io/durability": "zero-loss" } },
    spec: {
      instances: 3,
      imageName: `ghcr.io/cloudnative-pg/postgresql:17.6-system-trixie${digest}`,
      enableSuperuserAccess: false,
      affinity: { podAntiAffinityType: "required", topologyKey: "kubernetes.io/hostname" },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: instances },
        },
      ],
      resources,
      storage: { size: "10Gi" },
      plugins: [
        {
          name: "barman-cloud.cloudnative-pg.io",
          isWALArchiver: true,
          parameters: { barmanObjectName: "orders-archive", serverName: "orders-2" },
        },
      ],
      postgresql: {
        parameters: { shared_buffers: "512MB", max_connections: "100", archive_timeout: "2min" },
        pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"],
        synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true },
      },
    },
  },
  archive: {
    apiVersion: "barmancloud.cnpg.io/v1",
    kind: "ObjectStore",
    metadata: { name: "orders-archive", namespace },
    spec: {
      configuration: {
        destinationPath: "s3://orders-backups/live",
        endpointURL: "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com",
        s3Credentials: {
          accessKeyId: { name: "orders-r2", key: "id" },
          secretAccessKey: { name: "orders-r2", key: "key" },
        },
      },
      retentionPolicy: "14d",
      instanceSidecarConfiguration: {
        env: [
          { name: "AWS_REQUEST_CHECKSUM_CALCULATION", value: "when_required" },
          { name: "AWS_RESPONSE_CHECKSUM_VALIDATION", value: "when_required" },
        ],
      },
    },
  },
  "base-backups": {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "ScheduledBackup",
    metadata: { name: "orders", namespace },
    spec: {
      schedule: "0 0 2 * * *",
      cluster: { name: "orders" },
      method: "plugin",
      pluginConfiguration: { name: "barman-cloud.cloudnative-pg.io" },
    },
  },
  "second-target": {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "orders-b2",
      namespace,
      labels: { "pgplatform.io/cluster": "orders", "pgplatform.io/role": "backup-target" },
      annotations: {
        "pgplatform.io/store-endpoint": "https://s3.eu-central-003.backblazeb2.com",
        "pgplatform.io/store-bucket": "orders-copies",
      },
    },
    stringData: { key: "not-a-real-one-either" },
  },
  verification: {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name: "orders-verification",
      namespace,
      labels: { "pgplatform.io/cluster": "orders", "pgplatform.io/role": "verification" },
    },
    spec: {
      schedule: "0 5 * * 0",
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: "Never",
              containers: [{ name: "restore", image: `ghcr.io/example/restore:1${digest}`, resources }],
            },
          },
        },
      },
    },
  },
  pooler: {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Pooler",
    metadata: { name: "orders-pool", namespace },
    spec: {
      cluster: { name: "orders" },
      instances: 2,
      type: "rw",
      pgbouncer: {
        poolMode: "transaction",
        parameters: { default_pool_size: "25", max_db_connections: "40" },
      },
      template: {
        metadata: { labels: {} },
        spec: {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: pooler } },
              ],
            },
          },
          containers: [
            { name: "pgbouncer", image: `ghcr.io/cloudnative-pg/pgbouncer:1.24.1${digest}`, resources },
          ],
        },
      },
    },
  },
  "pooler-budget": {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "orders-pool", namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: pooler } },
  },
  "deny-all": networkPolicy("deny-all", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
  "everyone-dns": networkPolicy("dns", { podSelector: {}, policyTypes: ["Egress"], egress: [dns] }),
  "instances-network": networkPolicy("instances", {
    podSelector: { matchLabels: instances },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [
          {
            namespaceSelector: named("cnpg-system"),
            podSelector: { matchLabels: { "app.kubernetes.io/name": "cloudnative-pg" } },
          },
        ],
        ports: tcp(8000),
      },
      { from: [{ podSelector: { matchLabels: instances } }], ports: tcp(5432, 8000) },
      { from: [{ podSelector: { matchLabels: pooler } }], ports: tcp(5432) },
      { from: [{ namespaceSelector: named("monitoring") }], ports: tcp(9187) },
    ],
    egress: [
      { to: [{ podSelector: { matchLabels: instances } }], ports: tcp(5432, 8000) },
      { to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: tcp(6443) },
    ],
  }),
  "pooler-network": networkPolicy("pooler", {
    podSelector: { matchLabels: pooler },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [{ namespaceSelector: named("web") }], ports: tcp(5432) }],
    egress: [{ to: [{ podSelector: { matchLabels: instances } }], ports: tcp(5432) }],
  }),
  namespace: {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  },
  // Names and expressions of another program's alerts.
  rules: {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "orders", namespace },
    spec: {
      groups: [
        {
          name: "orders",
          rules: [
            {
              alert: "ArchiverFails",
              expr: "increase(pg_stat_archiver_failed_count[5m]) > 0",
            },
            { alert: "OldBackup", expr: "time() - backup_seconds > 100000" },
            { alert: "OldVerification", expr: "time() - verified_seconds > 700000" },
            { alert: "Behind", expr: "cnpg_pg_replication_lag > 60" },
            { alert: "Full", expr: "kubelet_volume_stats_available_bytes < 1e9" },
            { alert: "Wraparound", expr: "cnpg_pg_database_xid_age > 1e9" },
            { alert: "Expires", expr: "certificate_ends_seconds - time() < 1e6" },
            { alert: "Waiting", expr: "cnpg_pgbouncer_pools_cl_waiting > 0" },
          ],
        },
      ],
    },
  },
  gateway: {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "gateway", namespace },
    spec: {
      type: "LoadBalancer",
      loadBalancerSourceRanges: ["192.0.2.0/24"],
      selector: { app: "gateway" },
      ports: [{ port: 5432 }],
    },
  },
  application: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "application", namespace: "web" },
    spec: {
      selector: { matchLabels: { app: "application" } },
      template: {
        metadata: { labels: { app: "application" } },
        spec: {
          containers: [
            {
              name: "application",
              image: `ghcr.io/example/application:1.2.3${digest}`,
              args: ["--dsn=postgresql://app:$(PGPASSWORD)@orders-pool:5432/orders"],
              env: [
                { name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: "orders-app", key: "password" } } },
                { name: "PASSWORD_FILE", value: "/run/secrets/password" },
              ],
              resources,
            },
          ],
        },
      },
    },
  },
  // A Secret is where a password belongs.
  secret: {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "mail", namespace: "web" },
    stringData: { password: "not-a-real-one" },
  },
};
