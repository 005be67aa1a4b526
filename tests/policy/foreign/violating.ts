import { passing } from "./passing";

/** One object or more for each policy, each wrong in one way; the key begins with the policy's name. */

const { spec } = passing.cluster as unknown as { spec: Record<string, unknown> };
const postgresql = spec.postgresql as Record<string, unknown>;
const namespace = "shop";

const cluster = (name: string, change: object, annotations: Record<string, string> = {}) => ({
  ...passing.cluster,
  metadata: { name, namespace, annotations },
  spec: { ...spec, ...change },
});
const server = (change: object) => ({ postgresql: { ...postgresql, ...change } });
const parameters = (change: object) =>
  server({ parameters: { ...(postgresql.parameters as object), ...change } });

const store = (name: string, configuration: object, more: object = {}) => ({
  ...passing.archive,
  metadata: { name, namespace },
  spec: {
    configuration: { destinationPath: "s3://orders-backups/live", ...configuration },
    ...more,
  },
});
const archivedTo = (...names: readonly string[]) => ({
  plugins: names.map((barmanObjectName) => ({
    name: "barman-cloud.cloudnative-pg.io",
    isWALArchiver: true,
    parameters: { barmanObjectName },
  })),
});
const schedule = (name: string, change: object) => {
  const { spec: whole } = passing["base-backups"] as { spec: object };
  return { ...passing["base-backups"], metadata: { name, namespace }, spec: { ...whole, ...change } };
};

const container = (change: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "tool", namespace },
  spec: {
    selector: { matchLabels: { app: "tool" } },
    template: {
      metadata: { labels: { app: "tool" } },
      spec: {
        containers: [
          {
            name: "tool",
            image: `ghcr.io/example/tool:1@sha256:${"1".repeat(64)}`,
            resources: spec.resources,
            ...change,
          },
        ],
      },
    },
  },
});

export const violating: Record<string, object> = {
  "enough-instances": cluster("two", {
    instances: 2,
    ...server({ synchronous: { number: 1, dataDurability: "preferred" } }),
  }),
  "odd-quorum": cluster("four", { instances: 4 }),
  "no-synchronous-single-instance": cluster("alone", { instances: 1 }),
  "synchronous-number": cluster("eager", server({ synchronous: { number: 2 } })),
  "zero-loss-claim": cluster("boaster", server({ synchronous: { number: 1, dataDurability: "preferred" } }), {
    "pgplatform.io/durability": "zero-loss",
  }),
  "no-preferred-quorum": cluster("pair", {
    instances: 2,
    ...server({ synchronous: { number: 1, dataDurability: "preferred", failoverQuorum: true } }),
  }),
  "instances-apart": cluster("together", { affinity: { podAntiAffinityType: "preferred" } }),
  "disruption-budget": cluster("drained", { enablePDB: false }),
  "single-instance-drain": cluster("single", { instances: 1, ...server({ synchronous: undefined }) }),
  "pooler-availability": {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Pooler",
    metadata: { name: "lonely", namespace },
    spec: { cluster: { name: "orders" }, instances: 1, type: "ro" },
  },
  "connection-budget": {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Pooler",
    metadata: { name: "greedy", namespace },
    spec: {
      cluster: { name: "four" },
      instances: 3,
      pgbouncer: { parameters: { default_pool_size: "50" } },
    },
  },
  "wal-archiving": cluster("forgetful", { plugins: [] }),
  "base-backups": cluster("baseless", {}),
  "daily-base-backups": schedule("seldom", { schedule: "0 0 2 * * 0" }),
  "base-backup-schedule": schedule("five", { schedule: "0 2 * * *" }),
  "two-targets": cluster("single-store", archivedTo("only")),
  // The store of both is this one, whose other fields go against the policies of stores.
  "two-targets-store": store("only", {}),
  "one-archive": cluster("doubled", archivedTo("only", "other")),
  "archive-of-its-own": cluster("squatter", {
    plugins: [
      {
        ...archivedTo("only").plugins[0],
        parameters: { barmanObjectName: "only", serverName: "single-store" },
      },
    ],
  }),
  "current-archiver": cluster("old", {
    plugins: [],
    backup: { barmanObjectStore: { destinationPath: "s3://old-backups" } },
  }),
  "explicit-backup-method": schedule("implicit", { method: undefined }),
  "plain-checksums": store("noisy", { endpointURL: "https://s3.example.com" }),
  "no-encryption-header-at-r2": store("encrypted", {
    endpointURL: "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com",
    data: { encryption: "AES256" },
  }),
  "no-plain-credentials": {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "leak", namespace },
    data: { url: "postgresql://app:hunter2@orders-rw/orders" },
  },
  "wal-volume": cluster(
    "small-log",
    { walStorage: { size: "1Gi" } },
    { "pgplatform.io/write-mib-per-second": "1", "pgplatform.io/tolerated-outage-hours": "12" },
  ),
  "archive-timeout": cluster("slow", parameters({ archive_timeout: "1h" })),
  "no-superuser-access": cluster("root", { enableSuperuserAccess: true }),
  "encrypted-logins": cluster("plain", server({ pg_hba: ["host all all 10.0.0.0/8 md5"] })),
  "closed-network": {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "all", namespace },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
  },
  "load-balancer-ranges": {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "front", namespace },
    spec: { type: "LoadBalancer", ports: [{ port: 5432 }] },
  },
  "container-resources": container({ resources: { limits: { memory: "1Gi" } } }),
  "guaranteed-memory": cluster("burst", {
    resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "4Gi" } },
  }),
  "shared-buffers": cluster("fat", parameters({ shared_buffers: "1GB" })),
  "image-digests": container({ image: "ghcr.io/example/tool:1" }),
  "supported-images": container({ image: `docker.io/bitnami/postgresql:17@sha256:${"2".repeat(64)}` }),
  "weekly-verification": cluster("hopeful", {}),
  // The rules of the passing program aren't there.
  alerts: cluster("silent", {}),
  "pod-security": { apiVersion: "v1", kind: "Namespace", metadata: { name: "loose-shop" } },
  "pod-security-cluster": { ...cluster("loose", {}), metadata: { name: "loose", namespace: "loose-shop" } },
  "durable-writes": cluster("risky", parameters({ fsync: "off" })),
  "failsafe-mode": {
    apiVersion: "acid.zalan.do/v1",
    kind: "postgresql",
    metadata: { name: "shop-demoted", namespace },
    spec: { teamId: "shop", numberOfInstances: 3, patroni: { failsafe_mode: false } },
  },
  "kept-data": {
    apiVersion: "acid.zalan.do/v1",
    kind: "OperatorConfiguration",
    metadata: { name: "forgets", namespace },
    configuration: {},
  },
  "protected-cluster": cluster("deletable", {}),
  "staged-operator-rollout": container({
    image: `ghcr.io/cloudnative-pg/cloudnative-pg:1@sha256:${"4".repeat(64)}`,
  }),
  "one-password-owner": {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "twice", namespace },
    stringData: { password: "not-a-real-one" },
  },
  "one-password-owner-too": {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name: "twice", namespace },
  },
  "pooler-logins": {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Pooler",
    metadata: { name: "trusting", namespace },
    spec: { cluster: { name: "orders" }, instances: 2, pgbouncer: { parameters: { auth_type: "trust" } } },
  },
  "known-fields": cluster("typo", { instancs: 3 }),
  "storage-class": cluster("bound", { storage: { size: "10Gi", storageClass: "local-path" } }),
};
