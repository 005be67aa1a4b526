import { createHash } from "node:crypto";
import { join } from "node:path";
import type { KubernetesObject } from "../objects";
import { environment, hardened, type Owner, restrictedPod, tmpMount, tmpVolume } from "../containers";
import type { Peer } from "../network";
import type { Settings } from "../../settings/schema";
import { archiveIdToken, keyVariables, rcloneOptions, type Store } from "./store";
import { asset, assetNames } from "../../shell/asset";
import { backupNames } from "./names";
import { clusterLabel, roleLabel } from "../names";
import { podsRole } from "./role";

/** What the pods of the scripts have in common. */

const folder = join(__dirname, "scripts");
export const scripts: Readonly<Record<string, string>> = Object.fromEntries(
  assetNames(folder)
    .sort()
    .map((name) => [name, asset(folder, name)]),
);

export const peerOf = ({ cluster }: Settings, role: string): Peer => ({
  kind: "pods",
  name: role,
  namespace: cluster.namespace,
  labels: { [clusterLabel]: cluster.name, [roleLabel]: role },
});

export const fromSecret = (name: string, secret: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

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
const STORELESS = ["metrics", "heartbeat", "check"];

/** What every pod of the scripts has. */
export const podOf = (settings: Settings, owner: Owner, volumes: readonly object[]) => ({
  ...podsRole(settings, STORELESS).account,
  ...restrictedPod(settings, owner, 5),
  volumes: [
    { name: "scripts", configMap: { name: backupNames.watch(settings.cluster.name) } },
    tmpVolume({ sizeLimit: "64Mi" }),
    ...volumes,
  ],
});

export function podTemplate(settings: Settings, role: string, spec: object) {
  const { cluster, labels } = settings;
  return {
    metadata: {
      labels: { ...labels, [clusterLabel]: cluster.name, [roleLabel]: role },
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
      labels: { [clusterLabel]: cluster.name, [roleLabel]: role },
    },
    spec: {
      schedule,
      timeZone: backup?.timeZone,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 2,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          // Also for one that an operator asked for, which the limits above don't count.
          ttlSecondsAfterFinished: 24 * 3600,
          activeDeadlineSeconds: hours * 3600,
          template: podTemplate(settings, role, { ...spec, restartPolicy: "Never" }),
        },
      },
    },
  };
}

export const shell = (script: string) => ["sh", `/scripts/${script}`];
export const small = { cpu: "500m", memory: "256Mi" };
/** rclone holds the parts that are on the way in memory. */
export const transfers = { cpu: "1", memory: "512Mi" };

/** How long one verification may take in all. */
export const VERIFY_HOURS = 12;
