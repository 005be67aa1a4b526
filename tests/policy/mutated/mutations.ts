import { rawSettings } from "../../../stacks/program";
import type { Settings, SettingsInput } from "../../../settings/schema";
import { bucket, changed, checked, smallest, stackConfig } from "../../support/settings";

export interface Mutation {
  /** Fields of the checked settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly transform?: Settings["transform"];
  /** Objects of others in its namespace. */
  readonly others?: readonly object[];
  /** A network policy beside the platform's own that lets every pod in. */
  readonly open?: true;
  /** Its namespace, registered by the program, without Pod Security. */
  readonly loose?: true;
  /** A second Cluster that archives to the same place under the same name. */
  readonly twin?: true;
  /** The bucket of the second target, registered in the program. */
  readonly bucket?: { readonly protect: boolean; readonly open?: true; readonly lockDays?: number };
  /** Other policies that the same change goes against. */
  readonly also?: readonly string[];
}

const object = (id: string, change: object): Mutation => ({
  transform: { cluster: { [id]: { spec: change } } },
});
const spec = (change: object): Mutation => object("cluster", change);

const copyTo = (name: string, bucket: NonNullable<Mutation["bucket"]>): Mutation => ({
  settings: { "backup.targets.1.bucket": name },
  bucket,
});

/** By the policy that must stop it. */
export const mutations: Readonly<Record<string, Mutation>> = {
  "enough-instances": { settings: { "cluster.instances": 2, "cluster.durability": "balanced" } },
  "odd-quorum": { settings: { "cluster.instances": 4 } },
  "no-synchronous-single-instance": {
    settings: { "cluster.instances": 1 },
    also: ["enough-instances", "single-instance-drain"],
  },
  "synchronous-number": { settings: { "cluster.synchronousStandbys": 2 } },
  "zero-loss-claim": spec({ postgresql: { synchronous: { dataDurability: "preferred" } } }),
  "no-preferred-quorum": {
    settings: { "cluster.instances": 2, "cluster.durability": "balanced" },
    ...spec({ postgresql: { synchronous: { failoverQuorum: true } } }),
    also: ["enough-instances"],
  },
  "instances-apart": spec({ affinity: { podAntiAffinityType: "preferred" } }),
  "disruption-budget": spec({ enablePDB: false }),
  "single-instance-drain": {
    settings: { "cluster.instances": 1, "cluster.durability": "async" },
    also: ["enough-instances"],
  },
  "pooler-availability": { settings: { "poolers.0.instances": 1 } },
  "connection-budget": { settings: { "cluster.maxConnections": 40 } },
  "wal-archiving": spec({ plugins: [] }),
  "base-backups": object("base-backups", { suspend: true }),
  "daily-base-backups": { settings: { "backup.schedule": "0 2 * * 1" } },
  "base-backup-schedule": object("base-backups", { schedule: "0 2 * * *" }),
  "two-targets": { settings: { "backup.targets.1.endpoint": "https://s3.eu-west-1.example.com" } },
  "one-archive": object("base-backups", {
    pluginConfiguration: { parameters: { barmanObjectName: "other" } },
  }),
  "archive-of-its-own": {
    twin: true,
    // Its zones count the pods of the one that it is a copy of.
    also: [
      "alerts",
      "base-backups",
      "two-targets",
      "closed-network",
      "weekly-verification",
      "instances-apart",
    ],
  },
  "current-archiver": {
    ...spec({ plugins: [], backup: { barmanObjectStore: { destinationPath: "s3://mutated" } } }),
  },
  "explicit-backup-method": object("base-backups", { method: undefined }),
  "plain-checksums": object("archive", { instanceSidecarConfiguration: { env: [] } }),
  "no-encryption-header-at-r2": {
    settings: {
      "backup.targets.0.endpoint": "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com",
    },
    ...object("archive", { configuration: { wal: { encryption: "AES256" } } }),
  },
  "private-buckets": copyTo("private-buckets", { protect: true, open: true }),
  "protected-buckets": copyTo("protected-buckets", { protect: false }),
  "bucket-locks": copyTo("bucket-locks", { protect: true, lockDays: 8 }),
  "no-plain-credentials": {
    transform: { poolers: { config: { data: { note: "postgresql://app:hunter2@main-rw/app" } } } },
  },
  "wal-volume": {
    transform: {
      cluster: {
        cluster: {
          metadata: {
            annotations: {
              "pgplatform.io/write-mib-per-second": "1",
              "pgplatform.io/tolerated-outage-hours": "12",
            },
          },
        },
      },
    },
  },
  "archive-timeout": { settings: { "cluster.parameters.archive_timeout": "1h" } },
  "no-superuser-access": spec({ enableSuperuserAccess: true }),
  "encrypted-logins": spec({ postgresql: { pg_hba: ["host all all all md5"] } }),
  "closed-network": { open: true },
  "load-balancer-ranges": { transform: { poolers: { service: { spec: { type: "LoadBalancer" } } } } },
  "container-resources": {
    ...spec({ resources: { limits: { cpu: undefined } } }),
  },
  "guaranteed-memory": { settings: { "cluster.resources.requests.memory": "256Mi" } },
  "shared-buffers": { settings: { "cluster.parameters.shared_buffers": "300MB" } },
  "image-digests": { settings: { "images.pgbouncer": "ghcr.io/example/pgbouncer:1" } },
  "supported-images": {
    settings: { "images.postgresql": `docker.io/bitnami/postgresql:17@sha256:${"3".repeat(64)}` },
  },
  "durable-writes": spec({ postgresql: { parameters: { fsync: "off" } } }),
  "failsafe-mode": {
    others: [
      {
        apiVersion: "acid.zalan.do/v1",
        kind: "postgresql",
        metadata: { name: "demoted" },
        spec: { numberOfInstances: 3, patroni: { failsafe_mode: false } },
      },
    ],
    also: [
      ...["wal-archiving", "archive-timeout", "encrypted-logins", "container-resources"],
      ...["guaranteed-memory", "alerts", "closed-network"],
      // The configuration of an operator that another mutation adds asks for no anti-affinity.
      "instances-apart",
    ],
  },
  "kept-data": {
    others: [
      {
        apiVersion: "acid.zalan.do/v1",
        kind: "OperatorConfiguration",
        metadata: { name: "forgets" },
        configuration: {},
      },
    ],
  },
  "protected-cluster": {},
  "staged-operator-rollout": {
    others: [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "operator" },
        spec: {
          selector: { matchLabels: { app: "operator" } },
          template: {
            metadata: { labels: { app: "operator" } },
            spec: {
              containers: [
                {
                  name: "manager",
                  image: `ghcr.io/cloudnative-pg/cloudnative-pg:1.30.1@sha256:${"0".repeat(64)}`,
                  resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } },
                },
              ],
            },
          },
        },
      },
    ],
  },
  "one-password-owner": {
    others: ["one", "other"].map((name) => ({
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      metadata: { name },
      spec: { target: { name: "twice" } },
    })),
  },
  "pooler-logins": {
    others: [
      {
        apiVersion: "postgresql.cnpg.io/v1",
        kind: "Pooler",
        metadata: { name: "trusting" },
        spec: {
          cluster: { name: "other" },
          type: "rw",
          instances: 2,
          pgbouncer: { poolMode: "session", parameters: { auth_type: "trust" } },
          template: {
            spec: {
              containers: [
                {
                  name: "pgbouncer",
                  image: `ghcr.io/cloudnative-pg/pgbouncer:1.24.1@sha256:${"0".repeat(64)}`,
                  resources: {
                    requests: { cpu: "1", memory: "1Gi" },
                    limits: { cpu: "1", memory: "1Gi" },
                  },
                },
              ],
              topologySpreadConstraints: [
                {
                  topologyKey: "kubernetes.io/hostname",
                  maxSkew: 1,
                  whenUnsatisfiable: "DoNotSchedule",
                  labelSelector: { matchLabels: { "cnpg.io/poolerName": "trusting" } },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "trusting" },
        spec: { maxUnavailable: 1, selector: { matchLabels: { "cnpg.io/poolerName": "trusting" } } },
      },
    ],
  },
  "known-fields": spec({ instancs: 3 }),
  "storage-class": { settings: { "cluster.storage.class": "local-path" } },
  "pod-security": { settings: { "cluster.makeNamespace": false }, loose: true },
  alerts: { settings: { "monitoring.rules": false } },
  "weekly-verification": { settings: { "backup.verify.schedule": "0 5 1 * *" } },
};

/** Two buckets that are there, at two providers. */
const backedUp: SettingsInput["backup"] = {
  targets: [
    { ...bucket(), endpoint: "https://s3.example.com" },
    { ...bucket(), name: "copy", endpoint: "https://s3.example.org" },
  ],
};

/** Checked settings of the stack local, with digests, then changed. */
export function settingsOf(policy: string): Settings {
  const local = checked(rawSettings(stackConfig("local")));
  const digest = `@sha256:${"0".repeat(64)}`;
  const images = Object.fromEntries(
    Object.entries(local.images).map(([name, image]) => [name, `${image}${digest}`]),
  );
  const backup = checked({ ...smallest(), backup: backedUp }).backup;
  const base: Settings = {
    ...local,
    ...(backup && { backup }),
    operator: { ...local.operator, install: false },
    cluster: {
      ...local.cluster,
      name: "main",
      namespace: policy,
      storage: { ...local.cluster.storage, class: "longhorn" },
    },
    monitoring: { ...local.monitoring, prometheus: "annotations", namespace: "monitoring" },
    images: images as unknown as Settings["images"],
  };
  return Object.entries(mutations[policy]?.settings ?? {}).reduce(
    (settings, [path, value]) => changed(settings, path, value),
    base,
  );
}
