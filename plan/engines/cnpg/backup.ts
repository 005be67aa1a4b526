import { inSixFields } from "../../../settings/cron";
import type { Settings } from "../../../settings/schema";
import { originArchive, originOf, normalizedTime } from "../../backup/restore";
import { accountAnnotations, roleOf } from "../../backup/role";
import {
  archiveCa,
  archiveIdToken,
  botoVariables,
  locationOf,
  type Store,
  storeKeys,
  storesOf,
} from "../../backup/store";
import { environment } from "../../containers";
import type { PlannedObject } from "../../objects";
import type { Backups } from "../planner";
import { clusterLabel, roles, secretNames } from "../../names";
import { server } from "./image";
import { apiVersion, pluginName, storeApiVersion } from "./names";
import type {
  Backed,
  Backup,
  Beginning,
  ClusterSpec,
  ObjectStore,
  Plugin,
  ScheduledBackup,
} from "./resources";

/** Archive and base backups by the plugin that CloudNativePG keeps for Barman's cloud tools. */

/** Annotation of an ObjectStore: the ID of the archive that it holds. */
export const archiveIdAnnotation = "pgplatform.io/archive-id";

/** Segments that are sent or fetched at a time. */
const PARALLEL_SEGMENTS = 4;

/** What a restored cluster calls the one that it was. */
const ORIGIN = "origin";

const archiveStoreName = (cluster: string): string => `${cluster}-archive`;
const restoreStoreName = (cluster: string): string => `${cluster}-origin`;

function objectStore({ cluster, backup }: Settings, store: Store, name: string, ca = store.ca): ObjectStore {
  const { login } = store;
  const compression = backup?.compression;
  return {
    apiVersion: storeApiVersion,
    kind: "ObjectStore",
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
      annotations: { [archiveIdAnnotation]: archiveIdToken },
    },
    spec: {
      configuration: {
        destinationPath: locationOf(store),
        ...(store.endpoint !== undefined && { endpointURL: store.endpoint }),
        ...(ca && { endpointCA: { name: ca.secretName, key: ca.key } }),
        s3Credentials:
          "roleArn" in login
            ? { inheritFromIAMRole: true }
            : {
                accessKeyId: { name: login.secretName, key: storeKeys.accessKeyId },
                secretAccessKey: { name: login.secretName, key: storeKeys.secretAccessKey },
              },
        wal: {
          maxParallel: PARALLEL_SEGMENTS,
          ...(compression !== undefined && compression !== "none" && { compression }),
        },
        data: {
          // A base backup that waits for a spread checkpoint takes minutes to begin.
          immediateCheckpoint: true,
          ...(compression !== "none" && { compression: compression === "lz4" ? "lz4" : "gzip" }),
        },
      },
      // Else it is deleted after a verification, and what was verified is kept.
      ...(backup?.verify.enabled === false && { retentionPolicy: `${backup.recoveryWindowDays}d` }),
      instanceSidecarConfiguration: {
        env: environment(botoVariables(store)),
        resources: {
          requests: { cpu: "50m", memory: "128Mi" },
          ...(backup && { limits: { cpu: backup.cpu, memory: backup.memory } }),
        },
      },
    },
  };
}

/** The instances' account, which the operator makes, takes the role by which archive or origin are spoken to. */
export function instancesAccount(settings: Settings): Pick<ClusterSpec, "serviceAccountTemplate"> {
  const roleArn = roleOf([storesOf(settings)[0], originOf(settings)]);
  return roleArn === undefined
    ? {}
    : { serviceAccountTemplate: { metadata: { annotations: accountAnnotations(settings, roleArn) } } };
}

/** What the Cluster says of its archive. */
export function archivePlugin(settings: Settings): Plugin[] {
  const [store] = storesOf(settings);
  return store === undefined
    ? []
    : [
        {
          name: pluginName,
          isWALArchiver: true,
          parameters: {
            barmanObjectName: archiveStoreName(settings.cluster.name),
            serverName: archiveIdToken,
          },
        },
      ];
}

/** What is backed up, and how. */
const what = (cluster: string): Backed => ({
  cluster: { name: cluster },
  method: "plugin",
  pluginConfiguration: { name: pluginName },
  target: "prefer-standby",
});

export const backups: Backups = {
  request: ({ cluster }, name) => ({
    object: {
      apiVersion,
      kind: "Backup",
      metadata: { name, namespace: cluster.namespace, labels: { [clusterLabel]: cluster.name } },
      spec: what(cluster.name),
    } satisfies Backup,
  }),
  server,
};

/** How a Cluster that is restored begins; undefined for one that begins empty. */
export function restoredFrom(settings: Settings): Beginning | undefined {
  const { restore, cluster } = settings;
  const store = originOf(settings);
  if (restore === undefined || store === undefined) return undefined;
  const { time, lsn, name } = restore.to;
  const target = {
    ...(time !== undefined && { targetTime: normalizedTime(time) }),
    ...(lsn !== undefined && { targetLSN: lsn }),
    ...(name !== undefined && { targetName: name }),
  };
  return {
    bootstrap: {
      recovery: {
        source: ORIGIN,
        // As where it begins empty: not the application's role.
        database: cluster.databases[0]?.name,
        owner: roles.health,
        secret: { name: secretNames.health(cluster.name) },
        ...(Object.keys(target).length > 0 && { recoveryTarget: target }),
      },
    },
    externalClusters: [
      {
        name: ORIGIN,
        plugin: {
          name: pluginName,
          parameters: {
            barmanObjectName: restoreStoreName(cluster.name),
            serverName: originArchive(restore),
          },
        },
      },
    ],
  };
}

/** The stores, before the Cluster, and the schedule of base backups, after it. */
export function backupObjects(settings: Settings): PlannedObject[] {
  const { cluster, backup } = settings;
  const [archive] = storesOf(settings);
  if (archive === undefined || backup === undefined) return [];
  const origin = originOf(settings);
  const schedule: ScheduledBackup = {
    apiVersion,
    kind: "ScheduledBackup",
    metadata: {
      name: cluster.name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
    },
    spec: {
      schedule: inSixFields(backup.schedule),
      // The first one at once: before it there is nothing to restore.
      immediate: true,
      backupOwnerReference: "self",
      ...what(cluster.name),
    },
  };
  // The plugin mounts this Secret when a pod is made; another name in the object would be read by no pod that runs.
  const ca = archive.ca && archiveCa(cluster.name);
  return [
    {
      id: "archive",
      stage: -1,
      object: objectStore(settings, archive, archiveStoreName(cluster.name), ca),
    },
    ...(origin
      ? [{ id: "origin", stage: -1, object: objectStore(settings, origin, restoreStoreName(cluster.name)) }]
      : []),
    { id: "base-backups", stage: 1, object: schedule, goesWith: "cluster" },
  ];
}
