import type { EngineTraits } from "../plan/engines/planner";
import { defaultNamespace } from "../plan/monitoring/install/names";
import { builtInApi } from "../settings/builtIn";
import type { ParsedSettings, Platform, Settings, Tier } from "../settings/schema";
import { install as installSettings } from "../settings/schema/monitoringInstall";
import { backupCores, backupMemory, dataBytes } from "../settings/sums/sizes";
import { walVolume } from "../settings/sums/wal";
import { defaultImages } from "./images";

interface PlatformDefaults {
  readonly tier: Tier;
  readonly storageClass?: string;
  readonly cpu: string;
  readonly memory: string;
  readonly apiServer: Settings["network"]["apiServer"];
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
    apiServer: [{ cidr: `${builtInApi.address}/32`, port: builtInApi.port }],
  },
  k3d: {
    tier: "dev",
    storageClass: "local-path",
    cpu: "500m",
    memory: "1Gi",
    apiServer: anyApiServer,
  },
  cloud: { tier: "prod", cpu: "500m", memory: "1Gi", apiServer: anyApiServer },
  openshift: { tier: "prod", cpu: "500m", memory: "1Gi", apiServer: anyApiServer },
};

const present = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** What is installed has a namespace, and all its settings. Where nothing is, the check refuses the settings of it. */
function withInstallation({ platform, monitoring }: ParsedSettings): Settings["monitoring"] {
  const { install: given, ...rest } = monitoring;
  const installs = monitoring.prometheus === "install";
  if (!installs && given === undefined) return rest;
  const install = given ?? installSettings.parse({});
  // The built-in cluster's CA signs its kubelets' certificates.
  const kubelet = install.kubelet ?? (platform === "local" ? "verified" : "unverified");
  return {
    ...rest,
    ...(installs && { namespace: monitoring.namespace ?? defaultNamespace }),
    install: { ...install, kubelet },
  };
}

/** Fills in what the stack file leaves to its platform, tier and engine. */
export function withDefaults({ backup, ...parsed }: ParsedSettings, engine: EngineTraits): Settings {
  const defaults = platformDefaults[parsed.platform];
  const { requests, limits, hugePages } = parsed.cluster.resources;
  const memory = requests?.memory ?? limits?.memory ?? defaults.memory;
  const { storage } = parsed.cluster;
  const walSize = storage.walSize ?? walVolume(parsed.cluster);
  // Kubernetes takes no request of huge pages that isn't the limit.
  const huge = hugePages && { [`hugepages-${hugePages.size}`]: hugePages.amount };
  const tier = parsed.tier ?? defaults.tier;
  return {
    ...parsed,
    tier,
    tls: { ...parsed.tls, issuer: parsed.tls.issuer ?? engine.issuers[0] },
    protection: { ...parsed.protection, enabled: parsed.protection.enabled ?? tier === "prod" },
    operator: {
      ...parsed.operator,
      install: parsed.operator.install ?? engine.can.operator === true,
      scheduling: parsed.operator.scheduling ?? parsed.scheduling,
    },
    cluster: {
      ...parsed.cluster,
      ...(parsed.cluster.instances === 1 && { drains: parsed.cluster.drains ?? engine.drains }),
      scheduling: parsed.cluster.scheduling ?? parsed.scheduling,
      storage: present({
        ...storage,
        class: storage.class ?? defaults.storageClass,
        walSize,
      }),
      resources: {
        requests: { cpu: requests?.cpu ?? defaults.cpu, memory, ...huge },
        limits: { cpu: limits?.cpu ?? "2", memory: limits?.memory ?? memory, ...huge },
      },
    },
    clients: parsed.clients.map((client) => ({
      ...client,
      namespace: client.namespace ?? parsed.cluster.namespace,
    })),
    ...(backup && {
      backup: {
        ...backup,
        compression: backup.compression ?? engine.compression.methods[0],
        memory: backup.memory ?? backupMemory(dataBytes({ storage: { ...storage, walSize } })),
        cpu: backup.cpu ?? backupCores(dataBytes({ storage: { ...storage, walSize } })),
      },
    }),
    monitoring: withInstallation({ ...parsed, backup }),
    network: { ...parsed.network, apiServer: parsed.network.apiServer ?? defaults.apiServer },
    images: { ...defaultImages(parsed, engine), ...present({ ...parsed.images, registry: undefined }) },
  };
}
