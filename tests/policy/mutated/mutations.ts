import type { PostgresPlatformArgs } from "../../../components/platform";
import { rawSettings } from "../../../stacks/program";
import type { Settings } from "../../../stacks/schema";
import { changed, checked, stackConfig } from "../../support/settings";

export interface Mutation {
  /** Fields of the checked settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly transform?: NonNullable<PostgresPlatformArgs["transform"]>;
  /** A network policy beside the platform's own that lets everybody in. */
  readonly open?: true;
  /** Other policies that the same change goes against. */
  readonly also?: readonly string[];
}

const spec = (change: object): Mutation => ({ transform: { cluster: { cluster: { spec: change } } } });

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
  "no-plain-credentials": {
    transform: { pooler: { config: { data: { note: "postgresql://app:hunter2@main-rw/app" } } } },
  },
  "archive-timeout": { settings: { "cluster.parameters.archive_timeout": "1h" } },
  "no-superuser-access": spec({ enableSuperuserAccess: true }),
  "encrypted-logins": spec({ postgresql: { pg_hba: ["host all all all md5"] } }),
  "closed-network": { open: true },
  "load-balancer-ranges": { transform: { pooler: { service: { spec: { type: "LoadBalancer" } } } } },
  "container-resources": {
    ...spec({ resources: { limits: { cpu: undefined } } }),
  },
  "guaranteed-memory": { settings: { "cluster.resources.requests.memory": "256Mi" } },
  "shared-buffers": { settings: { "cluster.parameters.shared_buffers": "300MB" } },
  "image-digests": { settings: { "images.pgbouncer": "ghcr.io/example/pgbouncer:1" } },
  "supported-images": {
    settings: { "images.postgresql": `docker.io/bitnami/postgresql:17@sha256:${"3".repeat(64)}` },
  },
};

/** Checked settings of the stack local, with digests, then changed. */
export function settingsOf(policy: string): Settings {
  const local = checked(rawSettings(stackConfig("local")));
  const digest = `@sha256:${"0".repeat(64)}`;
  const images = Object.fromEntries(
    Object.entries(local.images).map(([name, image]) => [name, `${image}${digest}`]),
  );
  const base: Settings = {
    ...local,
    operator: { ...local.operator, install: false },
    cluster: { ...local.cluster, name: "main", namespace: policy },
    images: images as unknown as Settings["images"],
  };
  return Object.entries(mutations[policy]?.settings ?? {}).reduce(
    (settings, [path, value]) => changed(settings, path, value),
    base,
  );
}
