import { createHash } from "node:crypto";
import { join } from "node:path";
import type { KubernetesObject } from "../objects";
import { environment, hardened, type Owner, restrictedPod, tmpMount, tmpVolume } from "../containers";
import type { Settings } from "../../settings/schema";
import { copyHours, dataBytes, listRoom, shareOf } from "../../settings/sums/sizes";
import { archiveIdToken, keyVariables, rcloneOptions, type Store } from "./store";
import { asset, assetNames } from "../../shell/asset";
import { oneAtATime } from "../cronJob";
import { backupNames } from "./names";
import { roleLabels, roles, secretNames } from "../names";
import type { Plan } from "../plan";
import { podsRole } from "./role";

/** What the pods of the scripts have in common. */

const folder = join(__dirname, "scripts");
export const scripts: Readonly<Record<string, string>> = Object.fromEntries(
  assetNames(folder)
    .sort()
    .map((name) => [name, asset(folder, name)]),
);

export const fromSecret = (name: string, secret: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

/** Of a plan: how its servers are reached. */
export type Reached = Pick<Plan, "endpoints" | "tls">;

/** How the scripts log in at the primary: as the role of the health checks. */
export const asHealth = ({ cluster }: Settings, plan: Pick<Reached, "endpoints">): object[] => [
  ...environment({
    LC_ALL: "C",
    HOME: "/tmp",
    PGHOST: plan.endpoints.primary.host,
    PGPORT: String(plan.endpoints.primary.port),
    PGUSER: roles.health,
    PGDATABASE: cluster.databases[0]?.name ?? "postgres",
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: "/ca/ca.crt",
    PGCONNECT_TIMEOUT: "5",
  }),
  fromSecret("PGPASSWORD", secretNames.health(cluster.name), "password"),
];

/** The CA that signed the servers' certificates. */
export const serverCa = ({ tls: { ca } }: Pick<Reached, "tls">, more: { readonly optional?: true } = {}) => ({
  name: "ca",
  secret: {
    secretName: ca.secretName,
    items: [{ key: ca.key, path: "ca.crt" }],
    defaultMode: 0o440,
    ...more,
  },
});
export const serverCaMount = { name: "ca", mountPath: "/ca", readOnly: true };

/** Name of a store's remote, which rclone is told by variables. */
export const remote = (index: number): string => `target${index + 1}`;

/** How the scripts find the stores. */
export function places(stores: readonly Store[]): object[] {
  const of = (store: Store, index: number) => {
    const option = (name: string) => `RCLONE_CONFIG_${remote(index).toUpperCase()}_${name}`;
    return [
      ...environment({
        [`TARGET_${index + 1}`]: store.name,
        [`PLACE_${index + 1}`]: `${remote(index)}:${store.bucket}/${store.prefix}`,
        [`REPORTS_${index + 1}`]: `${remote(index)}:${store.bucket}/${store.reports}`,
        ...Object.fromEntries(
          Object.entries(rcloneOptions(store)).map(([name, value]) => [option(name), value]),
        ),
        ...("roleArn" in store.login && { [option("ENV_AUTH")]: "true" }),
      }),
      ...keyVariables(store, {
        accessKeyId: option("ACCESS_KEY_ID"),
        secretAccessKey: option("SECRET_ACCESS_KEY"),
      }),
    ];
  };
  return [
    ...environment({
      ARCHIVE_ID: archiveIdToken,
      TARGETS: String(stores.length),
      RCLONE_CONFIG: "/dev/null",
      // Beside those that the image trusts.
      SSL_CERT_DIR: stores.map(({ name }) => `/tls/${name}`).join(":"),
      HOME: "/tmp",
    }),
    ...stores.flatMap(of),
  ];
}

const cas = (stores: readonly Store[]) => stores.filter(({ ca }) => ca !== undefined);
export const caMounts = (stores: readonly Store[]) =>
  cas(stores).map(({ name }) => ({ name: `tls-${name}`, mountPath: `/tls/${name}`, readOnly: true }));
export const caVolumes = (stores: readonly Store[]) =>
  cas(stores).map(({ name, ca }) => ({
    name: `tls-${name}`,
    secret: {
      secretName: ca?.secretName,
      items: [{ key: ca?.key, path: "ca.crt" }],
      defaultMode: 0o440,
    },
  }));

const scriptsMount = { name: "scripts", mountPath: "/scripts", readOnly: true };

/** A container of the scripts; `mounts` beside the scripts' own and a temporary folder. */
export const container = (
  name: string,
  image: string,
  command: readonly string[],
  env: readonly object[],
  mounts: readonly object[],
  limits: { cpu: string; memory: string },
) => ({
  name,
  image,
  imagePullPolicy: "IfNotPresent",
  command,
  env,
  securityContext: hardened,
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits },
  volumeMounts: [scriptsMount, tmpMount, ...mounts],
});

/** Containers that speak to no store. */
const STORELESS = ["metrics", "database", "heartbeat", "check"];

/** What every pod of the scripts has. */
export const podOf = (settings: Settings, owner: Owner, volumes: readonly object[]) => ({
  ...podsRole(settings, STORELESS).account,
  ...restrictedPod(settings, owner, 5),
  volumes: [
    { name: "scripts", configMap: { name: backupNames.watch(settings.cluster.name) } },
    tmpVolume({ sizeLimit: listRoom(dataBytes(settings.cluster)) }),
    ...volumes,
  ],
});

export function podTemplate(settings: Settings, role: string, spec: object) {
  const { cluster, labels } = settings;
  return {
    metadata: {
      labels: { ...labels, ...roleLabels(cluster.name, role) },
      // The scripts are read when a pod starts.
      annotations: {
        "pgplatform.io/scripts": createHash("sha256").update(JSON.stringify(scripts)).digest("hex"),
        ...podsRole(settings, STORELESS).annotations,
      },
    },
    spec,
  };
}

/** A CronJob with one run at a time, whose runs stay long enough to be looked at. */
export function cronJob(
  settings: Settings,
  name: string,
  role: string,
  schedule: string,
  hours: number,
  spec: object,
): KubernetesObject {
  const { cluster, backup } = settings;
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: roleLabels(cluster.name, role),
    },
    spec: oneAtATime(
      { schedule, timeZone: backup?.timeZone, lateSeconds: 3600, keeps: { successful: 1, failed: 2 } },
      {
        spec: {
          backoffLimit: 0,
          // Also for one that an operator asked for, which the limits above don't count.
          ttlSecondsAfterFinished: 24 * 3600,
          activeDeadlineSeconds: hours * 3600,
          template: podTemplate(settings, role, { ...spec, restartPolicy: "Never" }),
        },
      },
    ),
  };
}

export const shell = (script: string) => ["sh", `/scripts/${script}`];

/** Limits of what looks at targets: lists of what is there grow with the data. */
export const small = ({ backup }: Settings) => ({
  cpu: "500m",
  memory: shareOf(backup?.memory ?? "0", 4, "256Mi"),
});
/** Limits of what copies and restores: rclone holds the parts that are on the way in memory. */
export const transfers = ({ backup }: Settings) => ({
  cpu: backup?.cpu ?? "2",
  memory: backup?.memory ?? "1Gi",
});

/** How long one verification may take in all. */
export const verifyHours = ({ cluster }: Settings): number => copyHours(dataBytes(cluster), 12);
