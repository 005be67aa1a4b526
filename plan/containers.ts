import type { Settings } from "../settings/schema";
import { exporterMemory } from "../settings/sums/sizes";
import type { SchedulingSettings } from "../settings/schema/scheduling";
import { secretNames } from "./names";
import type { Variable } from "./objects";
import { podScheduling } from "./scheduling";

/** User and group of what runs in a pod. */
export interface Owner {
  readonly user: number;
  readonly group: number;
}

/** User of pods that need no file of PostgreSQL's. */
export const unprivileged: Owner = { user: 65532, group: 65532 };

/** User of pods that are PostgreSQL's clients, whatever the image calls it. */
export const clientOwner: Owner = { user: 26, group: 26 };

/** Security context of a container that needs no right of its own, and writes to its volumes alone. */
export const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** Whether the Kubernetes cluster gives each namespace users of its own, and refuses pods that name another. */
export const choosesUsers = ({ platform }: Pick<Settings, "platform">): boolean => platform === "openshift";

/** Security context of a pod that runs as one user, or as the one that the Kubernetes cluster chooses, and has no right beyond that one's. */
export const restricted = (settings: Pick<Settings, "platform">, { user, group }: Owner) => ({
  runAsNonRoot: true,
  ...(!choosesUsers(settings) && { runAsUser: user, runAsGroup: group, fsGroup: group }),
  seccompProfile: { type: "RuntimeDefault" },
});

/**
 * What every pod of the platform's own has: no access to Kubernetes' API, no right, the logins at the registries of its images, the nodes
 * that it may go to; `graceSeconds` to end.
 */
export const restrictedPod = (
  settings: Pick<Settings, "platform" | "cluster" | "registries" | "scheduling">,
  owner: Owner,
  graceSeconds: number,
  scheduling: SchedulingSettings = settings.scheduling,
) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: graceSeconds,
  securityContext: restricted(settings, owner),
  ...podScheduling(scheduling),
  ...(settings.registries.length > 0 && {
    imagePullSecrets: [{ name: secretNames.registries(settings.cluster.name) }],
  }),
});

/** Resources of a metrics exporter; `least` in MiB. */
export function exporterResources(
  settings: Pick<Settings, "cluster" | "monitoring">,
  least: number,
  cores: string,
) {
  const memory = settings.monitoring.memory ?? exporterMemory(settings, least);
  return { requests: { cpu: "10m", memory }, limits: { cpu: settings.monitoring.cpu ?? cores, memory } };
}

/** The folder for temporary files of a container that is `hardened`: its mount, and the volume with what limits it. */
/** Serves one file of metrics out of a folder, and nothing else that is there. */
export const serveMetrics = (folder: string, port: number): string[] => [
  "rclone",
  "serve",
  "http",
  folder,
  "--addr",
  `:${port}`,
  "--include",
  "/metrics.txt",
];

export const tmpMount = { name: "tmp", mountPath: "/tmp" } as const;
export const tmpVolume = (limits: { readonly medium?: "Memory"; readonly sizeLimit?: string } = {}) => ({
  name: tmpMount.name,
  emptyDir: limits,
});

/** Variables of a container, as Kubernetes lists them. */
export const environment = (values: Readonly<Record<string, string>>): Variable[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
