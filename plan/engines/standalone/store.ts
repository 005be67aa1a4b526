import type { Settings } from "../../../settings/schema";
import { addressingStyle, keyVariables, locationOf, type Store, storesOf } from "../../backup/store";
import { environment, hardened, restricted, tmpMount } from "../../containers";
import { endOf, originArchive, originOf } from "../../backup/restore";
import { paths, storePort } from "./names";
import { server as serverUser } from "./image";

/**
 * What speaks to the object store: the container beside the server that sends the log, the one before it that restores, and what they share with
 * those that make base backups.
 */

const script = `${paths.config}/store.py`;
/** Security context of pods that the data belong to. */
export const asServer = (settings: Settings) => ({
  ...restricted(settings, serverUser),
  fsGroupChangePolicy: "OnRootMismatch",
});

/** Where WAL and base backups go. */
export const archiveStore = (settings: Settings): Store | undefined => storesOf(settings)[0];

/** What store.py is told of a place; a key comes by its Secret alone, and is empty, which boto takes for none, where there is a role. The archive's ID is a file of the configuration. */
export function place(prefix: "ARCHIVE" | "ORIGIN", store: Store, archiveId?: string): object[] {
  const keys = { accessKeyId: `${prefix}_ACCESS_KEY_ID`, secretAccessKey: `${prefix}_SECRET_ACCESS_KEY` };
  const addressing = addressingStyle(store);
  return [
    ...environment({
      [`${prefix}_LOCATION`]: locationOf(store),
      ...(archiveId !== undefined && { [`${prefix}_SERVER`]: archiveId }),
      [`${prefix}_REGION`]: store.region,
      ...(store.endpoint !== undefined && { [`${prefix}_ENDPOINT`]: store.endpoint }),
      ...(store.ca && { [`${prefix}_CA`]: `${paths.stores}/${store.name}/ca.crt` }),
      ...(store.plainChecksums && { [`${prefix}_PLAIN_CHECKSUMS`]: "yes" }),
      ...(addressing !== undefined && { [`${prefix}_ADDRESSING`]: addressing }),
      ...(store.md5 && { [`${prefix}_CONTENT_MD5`]: "yes" }),
    }),
    ...("roleArn" in store.login
      ? environment({ [keys.accessKeyId]: "", [keys.secretAccessKey]: "" })
      : keyVariables(store, keys)),
  ];
}

export const unique = (stores: readonly (Store | undefined)[]): Store[] => [
  ...new Map(stores.flatMap((store) => (store ? [[store.name, store]] : []))).values(),
];

/** CAs of stores that no public one signed for. */
const signed = (stores: readonly (Store | undefined)[]) =>
  unique(stores).flatMap(({ name, ca }) => (ca ? [{ name, ...ca }] : []));

export const caMounts = (stores: readonly (Store | undefined)[]) =>
  signed(stores).map(({ name }) => ({
    name: `store-${name}`,
    mountPath: `${paths.stores}/${name}`,
    readOnly: true,
  }));

export const caVolumes = (stores: readonly (Store | undefined)[]) =>
  signed(stores).map(({ name, secretName, key }) => ({
    name: `store-${name}`,
    secret: { secretName, items: [{ key, path: "ca.crt" }], defaultMode: 0o440 },
  }));

export const pythonVariables = { HOME: "/tmp", PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" };

export const dataMounts = ({ storage }: Settings["cluster"], readOnly: boolean) =>
  [
    { name: "data", mountPath: paths.volume },
    ...(storage.walSize === undefined ? [] : [{ name: "wal", mountPath: paths.wal }]),
  ].map((mount) => ({ ...mount, ...(readOnly && { readOnly }) }));

export const configMount = { name: "config", mountPath: paths.config, readOnly: true };

/** A container of the image that has Barman's cloud tools. */
export const storeContainer = ({ images }: Settings, name: string, mode: "serve" | "restore" | "backup") => ({
  name,
  image: images.backupSidecar,
  imagePullPolicy: "IfNotPresent",
  command: ["python3", script, mode],
  securityContext: hardened,
});

/** Containers before and beside the server's in its pod; none without an object store. */
export function podParts(settings: Settings): {
  readonly initContainers: readonly object[];
  readonly volumes: readonly object[];
  /** Variables and mounts of the server's own container. */
  readonly server: { readonly env: readonly object[]; readonly mounts: readonly object[] };
} {
  const { cluster, backup, restore } = settings;
  const archive = archiveStore(settings);
  if (archive === undefined || backup === undefined)
    return { initContainers: [], volumes: [], server: { env: [], mounts: [] } };
  const origin = originOf(settings);
  const spool = { name: "spool", mountPath: paths.spool };
  const fromOrigin = origin && restore ? place("ORIGIN", origin, originArchive(restore)) : [];
  const restoring = {
    ...storeContainer(settings, "restore", "restore"),
    env: [
      ...environment({
        ...pythonVariables,
        PGDATA: paths.data,
        MAJOR: cluster.postgresVersion,
        TARGET: JSON.stringify(restore ? endOf(restore) : {}),
        FETCH: `/bin/bash ${paths.config}/fetch.sh "%f" "%p"`,
      }),
      ...fromOrigin,
    ],
    resources: {
      requests: { cpu: "50m", memory: "128Mi" },
      limits: { cpu: backup.cpu, memory: backup.memory },
    },
    volumeMounts: [{ name: "data", mountPath: paths.volume }, configMount, tmpMount, ...caMounts([origin])],
  };
  const serving = {
    ...storeContainer(settings, "archiver", "serve"),
    // It is there before the server, and until that has archived its last segment.
    restartPolicy: "Always",
    env: [
      ...environment({
        ...pythonVariables,
        PORT: String(storePort),
        PGDATA: paths.data,
        COMPRESSION: backup.compression,
        ...(origin && { SPOOL: paths.spool }),
      }),
      ...place("ARCHIVE", archive),
      ...fromOrigin,
    ],
    resources: {
      requests: { cpu: "20m", memory: "128Mi" },
      limits: { cpu: backup.cpu, memory: backup.memory },
    },
    volumeMounts: [
      ...dataMounts(cluster, true),
      configMount,
      tmpMount,
      ...(origin ? [spool] : []),
      ...caMounts([archive, origin]),
    ],
  };
  return {
    initContainers: [...(origin ? [restoring] : []), serving],
    volumes: [
      ...(origin ? [{ name: "spool", emptyDir: { sizeLimit: "2Gi" } }] : []),
      ...caVolumes([archive, origin]),
    ],
    server: {
      env: environment({ STORE_PORT: String(storePort), ...(origin && { SPOOL: paths.spool }) }),
      mounts: origin ? [spool] : [],
    },
  };
}
