import type { EngineTraits } from "../plan/engines/engine";
import { pins } from "../releases/pins";
import type { Images, ParsedSettings, Platform, Settings, Tier } from "../settings/schema";
import { walVolume } from "../settings/sums/wal";

type Cluster = Pick<Settings["cluster"], "engine" | "postgresVersion">;
type OfEngine = Pick<Images, "operator" | "postgresql">;

const minorVersions: Record<Cluster["postgresVersion"], string> = {
  "15": "15.14",
  "16": "16.10",
  "17": "17.6",
  "18": "18.4",
};

const cnpgUpstream = (version: Cluster["postgresVersion"]): OfEngine => ({
  operator: `ghcr.io/cloudnative-pg/cloudnative-pg:${pins.operators.cnpg}`,
  postgresql: `ghcr.io/cloudnative-pg/postgresql:${minorVersions[version]}-system-trixie`,
});

/** What each engine's makers publish. */
const upstreamOf: Record<Cluster["engine"], (version: Cluster["postgresVersion"]) => OfEngine> = {
  cnpg: cnpgUpstream,
  zalando: () => ({
    operator: `ghcr.io/zalando/postgres-operator:v${pins.operators.zalando}`,
    // One image holds every major version that the engine runs.
    postgresql: "ghcr.io/zalando/spilo-17:4.0-p3",
  }),
  standalone: (version) => ({
    // It has no operator; nothing uses the name.
    ...cnpgUpstream(version),
    postgresql: `docker.io/library/postgres:${minorVersions[version]}-trixie`,
  }),
};

const cnpgLocal: OfEngine = { operator: pins.images.cnpgOperator, postgresql: pins.images.postgresql };

/** What is built for the built-in cluster in their place. */
const localOf: Record<Cluster["engine"], OfEngine> = {
  cnpg: cnpgLocal,
  zalando: { operator: pins.images.zalandoOperator, postgresql: pins.images.patroniForZalando },
  standalone: { ...cnpgLocal, postgresql: pins.images.postgresqlStandalone },
};

const upstreamImages = ({ engine, postgresVersion }: Cluster): Images => ({
  ...upstreamOf[engine](postgresVersion),
  postgresExporter: "docker.io/prometheuscommunity/postgres-exporter:v0.17.1",
  objectStore: "ghcr.io/versity/versitygw:v1.8.0",
  backupPlugin: `ghcr.io/cloudnative-pg/plugin-barman-cloud:v${pins.backupPlugin}`,
  backupSidecar: `ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v${pins.backupPlugin}`,
  backupTools: `docker.io/rclone/rclone:${pins.rclone}`,
  // Its sidecar image has no shell; this one has Barman's tools beside PostgreSQL.
  backupRestore: cnpgUpstream(postgresVersion).postgresql,
  pgbouncer: "ghcr.io/cloudnative-pg/pgbouncer:1.24.1",
  pgbouncerExporter: "docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0",
});

interface PlatformDefaults {
  readonly tier: Tier;
  readonly storageClass?: string;
  readonly cpu: string;
  readonly memory: string;
  readonly apiServer: Settings["network"]["apiServer"];
  readonly images: (cluster: Cluster) => Images;
}

const anyApiServer = [
  { cidr: "0.0.0.0/0", port: 443 },
  { cidr: "0.0.0.0/0", port: 6443 },
];

export const platformDefaults: Record<Platform, PlatformDefaults> = {
  local: {
    tier: "dev",
    storageClass: "local-path",
    cpu: "200m",
    memory: "512Mi",
    apiServer: [{ cidr: "198.18.250.1/32", port: 6443 }],
    images: ({ engine }) => ({
      ...localOf[engine],
      postgresExporter: pins.images.postgresExporter,
      objectStore: pins.images.versitygw,
      backupPlugin: pins.images.barmanPlugin,
      backupSidecar: pins.images.barmanSidecar,
      backupTools: pins.images.backupTools,
      backupRestore: pins.images.barmanSidecar,
      pgbouncer: pins.images.pgbouncer,
      pgbouncerExporter: pins.images.pgbouncerExporter,
    }),
  },
  k3d: {
    tier: "dev",
    storageClass: "local-path",
    cpu: "500m",
    memory: "1Gi",
    apiServer: anyApiServer,
    images: upstreamImages,
  },
  cloud: { tier: "prod", cpu: "500m", memory: "1Gi", apiServer: anyApiServer, images: upstreamImages },
};

const present = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** An image's name with the mirror in the place of its registry. */
export function mirrored(image: string, mirror: string | undefined): string {
  if (mirror === undefined) return image;
  const [host = "", ...path] = image.split("/");
  return [mirror, ...(path.length > 0 && /[.:]|^localhost$/.test(host) ? path : [host, ...path])].join("/");
}

/** Images of a platform, from the mirror if there is one. */
export function defaultImages({ platform, cluster, images }: ParsedSettings): Images {
  const names = platformDefaults[platform].images(cluster);
  return {
    operator: mirrored(names.operator, images.registry),
    postgresql: mirrored(names.postgresql, images.registry),
    postgresExporter: mirrored(names.postgresExporter, images.registry),
    objectStore: mirrored(names.objectStore, images.registry),
    backupPlugin: mirrored(names.backupPlugin, images.registry),
    backupSidecar: mirrored(names.backupSidecar, images.registry),
    backupTools: mirrored(names.backupTools, images.registry),
    backupRestore: mirrored(names.backupRestore, images.registry),
    pgbouncer: mirrored(names.pgbouncer, images.registry),
    pgbouncerExporter: mirrored(names.pgbouncerExporter, images.registry),
  };
}

/** Fills in what the stack file leaves to its platform, tier and engine. */
export function withDefaults(
  { backup, ...parsed }: ParsedSettings,
  { compression }: Pick<EngineTraits, "compression">,
): Settings {
  const defaults = platformDefaults[parsed.platform];
  const { requests, limits } = parsed.cluster.resources;
  const memory = requests?.memory ?? limits?.memory ?? defaults.memory;
  const { storage } = parsed.cluster;
  return {
    ...parsed,
    tier: parsed.tier ?? defaults.tier,
    cluster: {
      ...parsed.cluster,
      storage: present({
        ...storage,
        class: storage.class ?? defaults.storageClass,
        walSize: storage.walSize ?? walVolume(parsed.cluster),
      }),
      resources: {
        requests: { cpu: requests?.cpu ?? defaults.cpu, memory },
        limits: { cpu: limits?.cpu ?? "2", memory: limits?.memory ?? memory },
      },
    },
    clients: parsed.clients.map((client) => ({
      ...client,
      namespace: client.namespace ?? parsed.cluster.namespace,
    })),
    ...(backup && {
      backup: { ...backup, compression: backup.compression ?? compression.methods[0] },
    }),
    network: { apiServer: parsed.network.apiServer ?? defaults.apiServer },
    images: { ...defaultImages(parsed), ...present({ ...parsed.images, registry: undefined }) },
  };
}
