import { pins } from "../local/pins";
import type { Images, ParsedSettings, Platform, Settings, Tier } from "./schema";
import { walVolume } from "./sums/wal";

const upstreamPostgresql: Record<Settings["cluster"]["postgresVersion"], string> = {
  "15": "ghcr.io/cloudnative-pg/postgresql:15.14-system-trixie",
  "16": "ghcr.io/cloudnative-pg/postgresql:16.10-system-trixie",
  "17": "ghcr.io/cloudnative-pg/postgresql:17.6-system-trixie",
  "18": "ghcr.io/cloudnative-pg/postgresql:18.4-system-trixie",
};

const upstreamImages = (version: Settings["cluster"]["postgresVersion"]): Images => ({
  operator: `ghcr.io/cloudnative-pg/cloudnative-pg:${pins.operators.cnpg}`,
  postgresql: upstreamPostgresql[version],
  pgbouncer: "ghcr.io/cloudnative-pg/pgbouncer:1.24.1",
  pgbouncerExporter: "docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0",
});

interface PlatformDefaults {
  readonly tier: Tier;
  readonly storageClass?: string;
  readonly cpu: string;
  readonly memory: string;
  readonly apiServer: Settings["network"]["apiServer"];
  readonly images: (version: Settings["cluster"]["postgresVersion"]) => Images;
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
    images: () => ({
      operator: pins.images.cnpgOperator,
      postgresql: pins.images.postgresql,
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
  const names = platformDefaults[platform].images(cluster.postgresVersion);
  return {
    operator: mirrored(names.operator, images.registry),
    postgresql: mirrored(names.postgresql, images.registry),
    pgbouncer: mirrored(names.pgbouncer, images.registry),
    pgbouncerExporter: mirrored(names.pgbouncerExporter, images.registry),
  };
}

/** Fills in what the stack file leaves to its platform and tier. */
export function withDefaults(parsed: ParsedSettings): Settings {
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
    network: { apiServer: parsed.network.apiServer ?? defaults.apiServer },
    images: { ...defaultImages(parsed), ...present({ ...parsed.images, registry: undefined }) },
  };
}
