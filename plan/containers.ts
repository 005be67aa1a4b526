import type { Settings } from "../settings/schema";
import { secretNames } from "./names";
import type { Variable } from "./objects";

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

/** Security context of a pod that runs as one user and has no right beyond that one's. */
export const restricted = ({ user, group }: Owner) => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: group,
  fsGroup: group,
  seccompProfile: { type: "RuntimeDefault" },
});

/** What every pod of the platform's own has: no access to Kubernetes' API, no right, the logins at the registries of its images; `graceSeconds` to end. */
export const restrictedPod = (
  { cluster, registries }: Pick<Settings, "cluster" | "registries">,
  owner: Owner,
  graceSeconds: number,
) => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: graceSeconds,
  securityContext: restricted(owner),
  ...(registries.length > 0 && {
    imagePullSecrets: [{ name: secretNames.registries(cluster.name) }],
  }),
});

/** The folder for temporary files of a container that is `hardened`: its mount, and the volume with what limits it. */
export const tmpMount = { name: "tmp", mountPath: "/tmp" } as const;
export const tmpVolume = (limits: { readonly medium?: "Memory"; readonly sizeLimit?: string } = {}) => ({
  name: tmpMount.name,
  emptyDir: limits,
});

/** Variables of a container, as Kubernetes lists them. */
export const environment = (values: Readonly<Record<string, string>>): Variable[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
