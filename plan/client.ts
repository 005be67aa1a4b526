import type { Settings } from "../settings/schema";
import { clientOwner, environment, hardened, restrictedPod } from "./containers";
import type { Variable } from "./objects";
import type { Plan } from "./plan";
import { caSource } from "./tls";

/** A short-lived pod that speaks to the servers and poolers as any client does: TLS with verify-full, psql, no rights of Kubernetes. */

export interface Client {
  readonly name: string;
  readonly command: readonly string[];
  /** Variables beside libpq's, or in their place. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that a Secret has. @default - none */
  readonly secrets?: readonly Variable[];
  /** @default - the settings' image of PostgreSQL */
  readonly image?: string;
  readonly mounts: readonly object[];
  readonly volumes: readonly object[];
}

export const clientPodSpec = (settings: Settings, plan: Plan, client: Client) => ({
  restartPolicy: "Never",
  ...restrictedPod(settings, clientOwner, 1),
  containers: [
    {
      name: client.name,
      image: client.image ?? settings.images.postgresql,
      imagePullPolicy: "IfNotPresent",
      command: client.command,
      env: [
        ...environment({
          PGPORT: String(plan.endpoints.primary.port),
          PGSSLMODE: "verify-full",
          PGSSLROOTCERT: "/tls/ca.crt",
          PGCONNECT_TIMEOUT: "5",
          // psql looks into its user's home for certificates, which in some images is closed to this one, or another user's.
          HOME: "/tmp",
          ...client.variables,
        }),
        ...(client.secrets ?? []),
      ],
      securityContext: hardened,
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
      volumeMounts: [{ name: "tls", mountPath: "/tls", readOnly: true }, ...client.mounts],
    },
  ],
  volumes: [{ name: "tls", secret: caSource(settings, 0o440) }, ...client.volumes],
});

/** The volume with the names and passwords of logins, each below the login's name, and where it is. */
export const loginsVolume = (
  logins: readonly { readonly id: string; readonly secretName: string; readonly keys: readonly string[] }[],
) => ({
  mount: { name: "logins", mountPath: "/logins", readOnly: true },
  volume: {
    name: "logins",
    projected: {
      defaultMode: 0o440,
      sources: logins.map(({ id, secretName, keys }) => ({
        secret: { name: secretName, items: keys.map((key) => ({ key, path: `${id}/${key}` })) },
      })),
    },
  },
});
