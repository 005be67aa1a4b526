import type { Settings } from "../../../settings/schema";
import { copyHours, dataBytes } from "../../../settings/sums/sizes";
import { originOf } from "../../backup/restore";
import { identityFlows, podsRole } from "../../backup/role";
import { environment, hardened, restrictedPod, tmpMount, tmpVolume } from "../../containers";
import type { KubernetesObject, PlannedObject, Variable } from "../../objects";
import { type Flow, type Pods, tcp } from "../../network";
import type { Credential } from "../../plan";
import type { Backups } from "../planner";
import { roleLabels, roles, secretNames, serviceHost, topologyKeys } from "../../names";
import { fromSource, type WantedRole, withSource } from "../../postgres/roles";
import { sourcedRole } from "../../secrets/source";
import type { OwnSql } from "../../postgres/sql/scripts";
import { server as serverUser } from "./image";
import { oneAtATime } from "../../cronJob";
import { caSource } from "../../tls";
import { baseBackupRole, names, paths, podLabels, ports } from "./names";
import {
  archiveStore,
  asServer,
  caMounts,
  caVolumes,
  configMount,
  dataMounts,
  place,
  pythonVariables,
  storeContainer,
  unique,
} from "./store";

/**
 * Base backups by a CronJob, onto the archive volume and to the object store where there is one; WAL to the store by a container beside
 * the server; and what a server begins with that is restored from a store.
 */

/** A base backup that takes longer is given up. */
const BACKUP_HOURS = 24;
/** How late a scheduled one may begin, when the cluster was down at its time. */
const LATE_SECONDS = 3600;

const jobLabels = (cluster: string): Record<string, string> => roleLabels(cluster, baseBackupRole);

/** The login of the base backups. */
export function backupCredentials(
  settings: Settings,
  labels: Readonly<Record<string, string>>,
): Credential[] {
  if (settings.backup === undefined) return [];
  const own: Credential = {
    id: "backup",
    role: roles.backup,
    secretName: secretNames.backup(settings.cluster.name),
    type: "kubernetes.io/basic-auth",
    labels: { ...labels },
    extraKeys: {},
    why: "base backups: may copy the whole server",
  };
  return [fromSource(settings, own) ?? own];
}

const closed = `DO $$BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${roles.backup}') THEN
    ALTER ROLE ${roles.backup} NOLOGIN NOREPLICATION;
  END IF;
END$$`;

/** What Barman's tool needs beside the right to read statistics and settings. */
const backupFunctions = [
  "pg_backup_start(text, boolean)",
  "pg_backup_stop(boolean)",
  "pg_switch_wal()",
  "pg_create_restore_point(text)",
];

/** The role of the base backups: no superuser, and it reads no table. */
export function backupSql(settings: Settings): OwnSql {
  if (settings.backup === undefined) return { roles: [], statements: [closed] };
  const toStore = archiveStore(settings) !== undefined;
  const role: WantedRole = {
    name: roles.backup,
    login: true,
    replication: true,
    memberOf: ["pg_read_all_stats", ...(toStore ? ["pg_read_all_settings"] : [])],
    createDatabases: false,
    createRoles: false,
    connectionLimit: 5,
  };
  return {
    roles: withSource(settings, role) ?? [role],
    statements: toStore
      ? backupFunctions.map((one) => `GRANT EXECUTE ON FUNCTION ${one} TO ${roles.backup}`)
      : [],
  };
}

/** Pods that make base backups. They have none of the labels by which Services find the server. */
const jobPods = ({ name, namespace }: Settings["cluster"]): Pods => ({
  kind: "pods",
  name: "base-backup",
  namespace,
  labels: jobLabels(name),
});

export function backupFlows(settings: Settings, instances: Pods): Flow[] {
  const { cluster, backup } = settings;
  if (backup === undefined) return [];
  const jobs = jobPods(cluster);
  const archive = archiveStore(settings);
  return [
    tcp(
      "base-backup",
      jobs,
      instances,
      ports.postgres,
      "base backups are asked for, and copied onto the archive volume",
    ),
    ...(archive
      ? [tcp(`base-backup-${archive.name}`, jobs, archive.peer, archive.port, "base backups go to the store")]
      : []),
    ...[jobs, instances].flatMap((pods) => identityFlows(settings, pods)),
    ...unique([archive, originOf(settings)]).map(({ name, peer, port }) =>
      tcp(`archive-${name}`, instances, peer, port, "the server archives its log, and is restored"),
    ),
  ];
}

/** How base backups log in; the Secret of another owner may name the role's other login. */
function loginVariables(settings: Settings): Variable[] {
  const sourced = sourcedRole(settings, roles.backup);
  const from = (name: string, secretName: string, key: string): Variable => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key } },
  });
  return sourced
    ? [
        from("PGUSER", sourced.secretName, sourced.usernameKey),
        from("PGPASSWORD", sourced.secretName, sourced.passwordKey),
      ]
    : [from("PGPASSWORD", secretNames.backup(settings.cluster.name), "password")];
}

/** The pod that makes a base backup: a container for each place, since a full volume or a lost store must not stop the other. */
function jobPod(settings: Settings) {
  const { cluster, images, backup } = settings;
  const archive = archiveStore(settings);
  const limits = { cpu: backup?.cpu, memory: backup?.memory };
  const tls = { name: "tls", mountPath: paths.tls, readOnly: true };
  const server = {
    PGHOST: serviceHost(cluster.name, cluster.namespace),
    PGPORT: String(ports.postgres),
    ...(sourcedRole(settings, roles.backup) ? {} : { PGUSER: roles.backup }),
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: `${paths.tls}/ca.crt`,
    PGCONNECT_TIMEOUT: "10",
    HOME: "/tmp",
  };
  const login = loginVariables(settings);
  const onVolume = {
    name: "volume",
    image: images.postgresql,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/bash", `${paths.config}/base.sh`],
    env: [...environment({ ...server, ARCHIVE_VOLUME: paths.archive }), ...login],
    securityContext: hardened,
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits },
    volumeMounts: [{ name: "archive", mountPath: paths.archive }, configMount, tls, tmpMount],
  };
  const toStore = archive && {
    ...storeContainer(settings, "store", "backup"),
    env: [
      ...environment({
        ...server,
        ...pythonVariables,
        // libpq takes the rest from the environment.
        CONNECTION: "dbname=postgres",
        COMPRESSION: backup?.compression ?? "gzip",
      }),
      ...login,
      ...place("ARCHIVE", archive),
    ],
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits },
    volumeMounts: [...dataMounts(cluster, true), configMount, tls, tmpMount, ...caMounts([archive])],
  };
  const claim = (name: "data" | "wal" | "archive") => ({
    name,
    persistentVolumeClaim: { claimName: names[name](cluster.name) },
  });
  const { annotations, account } = podsRole(settings, ["volume"], [archive]);
  return {
    metadata: {
      labels: { ...settings.labels, ...jobLabels(cluster.name) },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      ...account,
      restartPolicy: "Never",
      // The server's nodes are its nodes, too.
      ...restrictedPod(settings, serverUser, 10, cluster.scheduling),
      securityContext: asServer(settings),
      // Its volumes can be mounted on one node at a time.
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              topologyKey: topologyKeys.host,
              labelSelector: { matchLabels: podLabels(cluster.name) },
            },
          ],
        },
      },
      containers: [onVolume, ...(toStore ? [toStore] : [])],
      volumes: [
        claim("archive"),
        ...(toStore ? [claim("data"), ...(cluster.storage.walSize === undefined ? [] : [claim("wal")])] : []),
        { name: "config", configMap: { name: names.config(cluster.name), defaultMode: 0o444 } },
        {
          name: "tls",
          secret: caSource(settings, 0o440),
        },
        ...caVolumes([archive]),
        tmpVolume(),
      ],
    },
  };
}

/** How long a Job that isn't the schedule's can be looked at after its end. */
const KEPT_DAYS = 7;

const jobSpec = (settings: Settings) => ({
  backoffLimit: 2,
  activeDeadlineSeconds: copyHours(dataBytes(settings.cluster), BACKUP_HOURS) * 3600,
  template: jobPod(settings),
});

const metadataOf = ({ cluster }: Settings, name: string) => ({
  name,
  namespace: cluster.namespace,
  labels: jobLabels(cluster.name),
});

export const backups: Backups = {
  request: (settings, name) => ({
    object: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadataOf(settings, name),
      spec: { ...jobSpec(settings), ttlSecondsAfterFinished: KEPT_DAYS * 24 * 3600 },
    },
    // Its pod, though it has ended, would keep the volumes from being deleted.
    owner: { apiVersion: "batch/v1", kind: "CronJob", name: names.base(settings.cluster.name) },
  }),
  server: serverUser,
};

/** The schedule, and a first base backup: before it there is nothing to restore. Another place to back up to is another Job. */
export function backupObjects(settings: Settings): PlannedObject[] {
  const { cluster, backup } = settings;
  if (backup === undefined) return [];
  const schedule: KubernetesObject = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: metadataOf(settings, names.base(cluster.name)),
    spec: oneAtATime(
      { ...backup, lateSeconds: LATE_SECONDS, keeps: { successful: 3, failed: 3 } },
      { metadata: { labels: jobLabels(cluster.name) }, spec: jobSpec(settings) },
    ),
  };
  const metadata = metadataOf(settings, `${names.base(cluster.name)}-first`);
  const first: KubernetesObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    // `make up` waits for what it makes.
    metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: jobSpec(settings),
  };
  return [
    { id: "base-backups", stage: 2, object: schedule },
    { id: "first-base-backup", stage: 2, object: first },
  ];
}
